// Keys of a page: a table of rows {keys, shown, says, does}, asked after what somebody types into and before the page's own scrolling.
// Which key was meant is found as in the large view (imagereward_keys.js).

const {pressed} = window.imagerewardCurator.keys;

let tables = [];

// Adds a table, given by a function that is asked at each key; returns what takes it away again. The latest table is asked first.
export function bind(rows) {
    tables = [rows, ...tables];
    return () => { tables = tables.filter((each) => each !== rows); };
}

const rows = () => tables.flatMap((each) => each());

export const shownKeys = () => rows().filter((row) => row.says);

// An element with a use of its own for a key: a button for Enter, a radio button for arrows.
function isTaken(element, key) {
    if (!element || !element.matches) return false;
    if (key === "Enter" || key === " ") return element.matches("button, a, summary, [role=button]") || (key === " " && element.matches("input"));
    return key.startsWith("Arrow") && element.matches("input, [data-arrows]");
}

window.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    const isSubmit = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    const keys = isSubmit ? ["Ctrl+Enter"] : pressed(event);
    if (document.querySelector("dialog[open], .imagereward-viewer:not([hidden])")) return; // what lies behind them hears nothing
    for (const row of rows()) {
        if (row.when && !row.when()) continue;
        const key = keys.find((each) => row.keys.includes(event.shiftKey && /^([a-z0-9]|Arrow\w+|Enter)$/.test(each) ? `Shift+${each}` : each));
        if (key === undefined || isTaken(event.target, key)) continue;
        event.preventDefault();
        if (!event.repeat || row.repeats) row.does(key, event);
        return;
    }
});

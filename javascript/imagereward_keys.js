// Which key means what while somebody looks at pictures. Knows no page and no program: see imagereward_culling.js.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};

    // An action, the keys that mean it, how they are shown, and what the help says. Letters and digits are found by their place on the
    // keyboard too, for keyboards that write other letters there.
    const ACTIONS = [
        {name: "back", keys: ["ArrowLeft"], shown: "←", says: "Picture back"},
        {name: "on", keys: ["ArrowRight"], shown: "→", says: "Picture on"},
        {name: "up", keys: ["ArrowUp"], shown: "↑", says: "A row up"},
        {name: "down", keys: ["ArrowDown"], shown: "↓", says: "A row down"},
        {name: "first", keys: ["Home"], shown: "Home", says: "First picture"},
        {name: "last", keys: ["End"], shown: "End", says: "Last picture"},
        {name: "page_back", keys: ["PageUp"], shown: "PageUp", says: "A page back"},
        {name: "page_on", keys: ["PageDown"], shown: "PageDown", says: "A page on"},
        {name: "stars", keys: ["0", "1", "2", "3", "4", "5"], shown: "0 … 5", says: "Give stars"},
        {name: "no_stars", keys: ["Backspace", "Delete"], shown: "Backspace", says: "Take the stars away"},
        {name: "keep", keys: ["k", "p"], shown: "K P", says: "Keep it, whatever its score"},
        {name: "reject", keys: ["x"], shown: "X", says: "Reject it, whatever its score"},
        {name: "undecide", keys: ["u"], shown: "U", says: "Leave it to the filter"},
        {name: "open", keys: ["Enter", " "], shown: "Enter", says: "Large view; in it fit and 1:1 in turn"},
        {name: "zoom", keys: ["z"], shown: "Z", says: "Fit and 1:1 in turn"},
        {name: "closer", keys: ["+", "="], shown: "+", says: "Closer"},
        {name: "farther", keys: ["-"], shown: "-", says: "Farther"},
        {name: "pan", keys: [], shown: "Shift ← → ↑ ↓", says: "Move the enlarged picture"},
        {name: "compare", keys: ["c"], shown: "C", says: "Two pictures side by side: this one stays, the others pass"},
        {name: "swap", keys: ["s"], shown: "S", says: "Side by side: exchange the two"},
        {name: "difference", keys: ["d"], shown: "D", says: "Side by side: what the two have otherwise", needs: "difference"},
        {name: "about", keys: ["i"], shown: "I", says: "What is known of it, and what its score means", needs: "about"},
        {name: "full", keys: ["f"], shown: "F", says: "Full screen"},
        {name: "help", keys: ["?"], shown: "?", says: "These keys"},
        {name: "close", keys: ["Escape"], shown: "Esc", says: "Close"},
    ];
    const MOVING = ["back", "on", "up", "down", "first", "last", "page_back", "page_on"];
    // What goes on while its key is held down; of anything else a key held down by mistake means one only.
    const REPEATED = [...MOVING, "closer", "farther", "pan"];
    const TYPED = /^(text|search|number|email|password|tel|url|date|datetime-local|month|time|week)$/;

    // Names of actions by key; another page of keys than the one above has an index of its own.
    function index(actions) {
        const byKey = new Map();
        for (const action of actions) for (const key of action.keys) byKey.set(key, action.name);
        return byKey;
    }

    const INDEX = index(ACTIONS);

    // Whether a person writes there.
    function isTyping(element) {
        if (!element || !element.matches) return false;
        if (element.isContentEditable || element.matches("textarea, select, [role=textbox], [role=searchbox], [role=combobox]")) return true;
        return element.matches("input") && TYPED.test(element.type);
    }

    // Whether an element, or one that it is a part of, has a use of its own for keys.
    function isControl(element) {
        if (!element || !element.closest) return false;
        if (element.isContentEditable) return true;
        const roles = "button slider spinbutton textbox searchbox combobox listbox option menu menuitem tab switch checkbox radio dialog";
        const tags = "input, button, select, textarea, a, summary, iframe, video, audio";
        return element.closest(`${tags}, ${roles.split(" ").map((role) => `[role=${role}]`).join(", ")}`) !== null;
    }

    // Whether a control does something of its own with the key, such as a slider with an arrow or a button with Enter.
    function isTaken(element, name) {
        if (!element || !element.matches) return false;
        if (element.matches("input")) return MOVING.includes(name) || name === "open";
        return name === "open" && element.matches("button, a, summary, [role=button], [role=switch], [role=tab]");
    }

    function placed(code) {
        const found = /^(?:Key([A-Z])|(?:Digit|Numpad)([0-9]))$/.exec(code || "");
        return found ? (found[1] || found[2]).toLowerCase() : "";
    }

    function targetOf(event) {
        return event.composedPath ? event.composedPath()[0] : event.target;
    }

    // The keys that a press may be taken for: as written, in small letters, by its place. None where somebody writes or a program is meant.
    function pressed(event) {
        if (!event.key || !event.getModifierState) return []; // a browser that fills in forms makes such ones
        // 229: an input method has the key, and may only now begin to compose.
        const composes = event.isComposing || event.keyCode === 229 || event.key === "Dead";
        const modified = event.ctrlKey || event.altKey || event.metaKey || event.getModifierState("AltGraph");
        if (composes || modified || isTyping(targetOf(event))) return [];
        return [event.key, event.key.toLowerCase(), placed(event.code)];
    }

    // What a key press means: {name, key}, or null for nothing.
    function meaning(event, byKey = INDEX) {
        const keys = pressed(event);
        if (keys.length && event.shiftKey && event.key.startsWith("Arrow")) return {name: "pan", key: event.key};
        for (const key of keys) {
            const name = byKey.get(key);
            if (name) return isTaken(targetOf(event), name) ? null : {name, key};
        }
        return null;
    }

    curator.keys = {ACTIONS, MOVING, REPEATED, index, isControl, meaning, pressed};
})();

// What is shown, as the filter of the page says: read from the address and from the widgets, and written into both.

import {make, number, text} from "../shared/page.js";

export const part = (name) => document.getElementById(name);
export const isNarrow = () => matchMedia("(max-width: 700px)").matches;

// Fields of the filter, and how they are without one; the names are those of the server's.
const NONE = {
    show: "all", sort: "best", minimum: null, maximum: null, top_percent: 100, top: 0, per: "all", unique: false, keep_stars: 0, text: "",
    least_stars: 0, folder: "",
};
const TYPED = ["text", "minimum", "maximum", "top_percent", "top"];

export class View {
    constructor() {
        this.changed = () => {}; // called with whether somebody may go on typing
        this.read();
    }

    // Takes over what stands in the address.
    read() {
        const given = new URLSearchParams(location.search);
        this.filter = {...NONE};
        for (const [name, none] of Object.entries(NONE)) {
            const value = given.get(name);
            if (value === null) continue;
            if (typeof none === "boolean") this.filter[name] = value === "1";
            else if (typeof none === "string") this.filter[name] = value;
            else if (value !== "" && Number.isFinite(Number(value))) this.filter[name] = Number(value);
        }
        this.scorer = given.get("scorer") || "";
        this.readView(given);
        this.write();
    }

    // Of that what says which pictures are looked at, and how.
    readView(given) {
        this.file = given.get("picture") || "";
        this.isLarge = given.get("large") === "1" && Boolean(this.file);
        this.beside = this.isLarge ? given.get("beside") || "" : ""; // the picture that stays, side by side
        this.hasDifference = Boolean(this.beside) && given.get("difference") === "1";
    }

    // What the server is asked for.
    asked() {
        return {filter: this.filter, scorer: this.scorer};
    }

    // Puts what is shown into the widgets.
    write() {
        for (const [name, value] of Object.entries(this.filter)) {
            const widget = part(name);
            if (!widget || widget === document.activeElement) continue;
            if (widget.type === "checkbox") widget.checked = value;
            else if (value === NONE[name] && widget.type === "number") widget.value = "";
            else {
                if (widget.tagName === "SELECT" && ![...widget.options].some((option) => option.value === String(value))) {
                    widget.append(make("option", {value}, String(value)));
                }
                widget.value = value === null ? "" : value;
            }
        }
    }

    begin() {
        for (const name of ["keep_stars", "least_stars"]) {
            part(name).replaceChildren(
                make("option", {value: 0}, text("stars_any")),
                ...[1, 2, 3, 4, 5].map((stars) => make("option", {value: stars}, text("stars_least", {number: stars}))),
            );
        }
        this.write();
        for (const name of Object.keys(NONE)) {
            const typed = TYPED.includes(name);
            part(name).addEventListener(typed ? "input" : "change", () => this.take(name, typed));
        }
        part("scorer").addEventListener("change", () => {
            this.scorer = part("scorer").value;
            this.filter.minimum = this.filter.maximum = null; // a number of one scorer says nothing about another's
            this.write();
            this.changed(false);
        });
        part("rules").addEventListener("submit", (event) => event.preventDefault());
        part("rules-button").addEventListener("click", () => this.open(part("rules").hidden));
        part("reset").addEventListener("click", () => {
            this.filter = {...NONE, sort: this.filter.sort, show: this.filter.show};
            this.write();
            this.changed(false);
        });
        const {show, sort, text: words, ...more} = this.filter;
        if (Object.entries(more).some(([name, value]) => value !== NONE[name])) this.open(true);
    }

    open(isOpen) {
        part("rules").hidden = !isOpen;
        part("rules-button").setAttribute("aria-expanded", String(isOpen));
    }

    take(name, typed) {
        const widget = part(name), none = NONE[name];
        let value = widget.type === "checkbox" ? widget.checked : widget.value;
        if (typeof none === "number" || none === null) value = value === "" || !Number.isFinite(Number(value)) ? none : Number(value);
        if (name === "top") value = Math.max(0, Math.round(value));
        if (this.filter[name] === value) return;
        this.filter[name] = value;
        this.changed(typed);
    }

    // What the server knows about the folder: scorers, folders, the drawing of scores.
    tell({scorer, scorers, limits, histogram, folders, remarks}) {
        const named = (each) => make("option", {value: each.id}, `${each.id} (${number(each.count)})`);
        part("scorer").replaceChildren(make("option", {value: ""}, this.scorer ? text("scorer_default") : scorer), ...scorers.map(named));
        if (this.scorer && !scorers.some((each) => each.id === this.scorer)) part("scorer").append(make("option", {value: this.scorer}, this.scorer));
        part("scorer").value = this.scorer;
        part("scorer").title = remarks.join(" ");
        part("folder").replaceChildren(make("option", {value: ""}, text("folder_all")), ...folders.map((name) => make("option", {value: name}, name)));
        this.write();
        part("minimum").placeholder = number(limits[0], 2);
        part("maximum").placeholder = number(limits[1], 2);
        part("histogram").replaceChildren(drawn(histogram));
    }
}

// A drawing that the server made, read as HTML: there its shapes are shapes without a namespace being named.
function drawn(words) {
    const svg = words ? new DOMParser().parseFromString(words, "text/html").querySelector("body > svg") : null;
    return svg ? document.importNode(svg, true) : "";
}

// Writes what is shown into the address; ``step``: whether the large view was opened or closed, which going back undoes.
export function address(view, deck, viewer, step) {
    const told = new URLSearchParams();
    for (const [name, value] of Object.entries(view.filter)) {
        if (value !== NONE[name]) told.set(name, typeof value === "boolean" ? "1" : value);
    }
    if (view.scorer) told.set("scorer", view.scorer);
    if (deck.chosen) told.set("picture", deck.chosen.file);
    if (viewer.isOpen) told.set("large", "1");
    if (viewer.isOpen && viewer.pinned) told.set("beside", viewer.pinned.picture.file);
    if (told.has("beside") && !viewer.difference.hidden) told.set("difference", "1");
    const wasLarge = new URLSearchParams(location.search).get("large") === "1";
    const query = told.toString();
    const here = location.pathname + (query ? `?${query}` : "");
    if (here === location.pathname + location.search) return;
    if (step && viewer.isOpen && !wasLarge) history.pushState(null, "", here);
    else history.replaceState(null, "", here);
    view.readView(told);
}

// Slots from best to worst: pictures are dragged into them, by mouse or finger (SortableJS), or put there by keys.

import {card, make} from "./dom.js";
import {text as t} from "/static/shared/page.js";

const {Sortable} = window;

export class Slots {
    // pictures; ranking: lists of ids, one for each slot; badge(picture): what stands on its card; changed(ranking); open(place);
    // most: pictures of a slot at most, 0 for any number.
    constructor({pictures, ranking, badge = () => "", changed, open, compare, most = 0, done}) {
        Object.assign(this, {pictures, changed, open, compare, most, done});
        this.cards = new Map(pictures.map((picture, place) => {
            const told = badge(picture);
            return [picture.id, card(picture, place, open, ...(told ? [make("span", {class: "badge"}, told)] : []))];
        }));
        this.slots = ranking.map((ids, place) => this.holder("slot", ids, {
            "data-slot": place,
            "aria-label": t("slot", {number: place + 1}),
        }));
        const placed = new Set(ranking.flat());
        this.tray = this.holder("tray", pictures.map((picture) => picture.id).filter((id) => !placed.has(id)), {"aria-label": t("tray")});
        this.element = make(
            "div", {class: "ranking"},
            make("div", {class: "trayed"}, make("h3", {}, t("tray")), this.tray),
            make("ol", {class: "slots"}, ...this.slots.map((slot, place) => make(
                "li", {}, make("h3", {}, make("kbd", {}, String(place + 1)), " ", this.name(place)), slot,
            ))),
        );
        for (const shown of this.cards.values()) shown.addEventListener("dblclick", () => open(Number(shown.dataset.place)));
        const last = this.slots.length;
        this.keys = [
            {keys: Array.from({length: last}, (_, place) => String(place + 1)), shown: `1 … ${last}`, says: t("keys.slot"), does: (key) => this.put(Number(key) - 1)},
            {keys: ["0", "Backspace"], shown: "0", says: t("keys.out"), does: () => this.put(-1)},
            {keys: ["ArrowLeft"], shown: "← →", says: t("keys.pictures"), does: () => this.step(-1), repeats: true},
            {keys: ["ArrowRight"], does: () => this.step(1), repeats: true},
            {keys: ["ArrowUp"], shown: "↑ ↓", says: t("keys.move"), does: () => this.shift(-1)},
            {keys: ["ArrowDown"], does: () => this.shift(1)},
            {keys: pictures.slice(0, 9).map((_, place) => `Shift+${place + 1}`), shown: "Shift 1 … 9", says: t("keys.number"), does: (key) => this.focus(this.pictures[Number(key) - 1].id)},
            {keys: ["z", " "], shown: "Z", says: t("large"), does: () => open(this.current)},
            {keys: ["c"], shown: "C", says: t("keys.compare"), does: () => compare(this.current)},
            {keys: ["Enter"], shown: "Enter", says: t("submit"), does: () => this.done(), when: () => !this.left},
        ];
        this.focused = this.order[0];
        this.mark();
    }

    name(place) {
        if (place === 0) return t("slot.best");
        return place === this.slots.length - 1 ? t("slot.worst") : "";
    }

    holder(kind, ids, attributes) {
        const box = make("div", {class: kind, role: "group", ...attributes}, ...ids.filter((id) => this.cards.has(id)).map((id) => this.cards.get(id)));
        // The fallback moves cards by pointer events alone: the same with mouse and finger, and in every browser.
        Sortable.create(box, {
            group: "slots", animation: 120, forceFallback: true, fallbackOnBody: true, fallbackTolerance: 4, delay: 140, delayOnTouchOnly: true,
            touchStartThreshold: 6, scroll: true, filter: ".large", preventOnFilter: false, draggable: ".card",
            onEnd: ({item}) => {
                this.focused = item.dataset.id;
                this.say();
            },
        });
        box.addEventListener("focusin", (event) => {
            const shown = event.target.closest(".card");
            if (shown) this.focused = shown.dataset.id;
        });
        return box;
    }

    get ranking() {
        return this.slots.map((slot) => [...slot.querySelectorAll(":scope > .card")].map((shown) => shown.dataset.id));
    }

    // Ids as they are seen: the tray first, then the slots from the best.
    get order() {
        const ids = (box) => [...box.querySelectorAll(":scope > .card")].map((shown) => shown.dataset.id);
        return [this.tray, ...this.slots].flatMap(ids);
    }

    get left() {
        return this.tray.querySelectorAll(":scope > .card").length;
    }

    // The place of the picture that has the focus among all pictures.
    get current() {
        return Math.max(0, this.pictures.findIndex((picture) => picture.id === this.focused));
    }

    focus(id) {
        this.focused = id;
        this.cards.get(id).focus();
    }

    step(by) {
        const {order} = this;
        const place = document.activeElement.closest(".card") ? order.indexOf(this.focused) + by : order.indexOf(this.focused);
        if (order[place]) this.focus(order[place]);
    }

    // Puts the picture that has the focus into a slot (-1: into none); then the next one without a slot has it.
    put(slot) {
        const shown = this.cards.get(this.focused);
        const wasLoose = shown.parentElement === this.tray;
        const after = wasLoose && slot >= 0 ? shown.nextElementSibling || shown.previousElementSibling : null;
        (slot < 0 ? this.tray : this.slots[slot]).append(shown);
        this.say();
        this.focus(after ? after.dataset.id : this.focused);
    }

    shift(by) {
        const place = this.slots.indexOf(this.cards.get(this.focused).parentElement);
        if (place < 0) return by > 0 ? this.put(0) : undefined;
        const to = place + by;
        if (to < 0 || to >= this.slots.length) return;
        this.slots[to].append(this.cards.get(this.focused));
        this.say();
        this.focus(this.focused);
    }

    say() {
        this.mark();
        this.changed(this.ranking);
    }

    mark() {
        for (const slot of this.slots) slot.classList.toggle("full", this.most > 0 && slot.querySelectorAll(":scope > .card").length > this.most);
        this.tray.classList.toggle("empty", !this.left);
    }

    // Frames the pictures that faults are about.
    blame(faults) {
        const ids = new Set(faults.filter((fault) => fault.code !== "left_out").flatMap((fault) => fault.images));
        for (const [id, shown] of this.cards) shown.classList.toggle("wrong", ids.has(id));
    }
}

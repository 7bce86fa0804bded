// Modes of which the answer is an order, or a best and a worst: pictures whose makers nobody is told.

import {button, card, make, sayFaults} from "./dom.js";
import {Slots} from "./ranking.js";
import {text as t} from "/static/shared/page.js";

export class Order {
    // The pictures ranked; as many in one slot as are equally good.
    constructor(task, {changed, submit, look}) {
        const drafted = (task.draft && task.draft.ranking) || [];
        const slots = Array.from({length: Math.max(drafted.length, Math.min(9, task.images.length))}, (_, place) => drafted[place] || []);
        this.document = {ranking: slots};
        this.faults = [];
        this.slots = new Slots({
            pictures: task.images, ranking: slots, open: (place) => look.open(place), compare: (place) => look.compare(place), done: submit,
            changed: (ranking) => {
                this.document = {ranking};
                changed(this.document);
            },
        });
        this.told = make("div", {class: "told"});
        this.element = make(
            "div", {}, make("p", {class: "hint"}, t("order.help")), this.slots.element,
            make("div", {class: "row"}, button(t("submit"), "Enter", submit, {class: "primary submit"})), this.told,
        );
        this.keys = [...this.slots.keys, {keys: ["Ctrl+Enter"], does: submit}];
    }

    looked(place) {
        this.slots.focused = this.slots.pictures[place].id;
    }

    show(faults) {
        sayFaults(this.told, faults);
        this.slots.blame(faults);
    }
}

export class BestWorst {
    constructor(task, {changed, submit, look}) {
        Object.assign(this, {task, changed, look, at: 0});
        this.document = {best: null, worst: null, ...(task.draft || {})};
        this.told = make("div", {class: "told"});
        this.cards = task.images.map((picture, place) => {
            const choose = (what) => (event) => {
                event.stopPropagation();
                this.set(what, place);
            };
            const shown = card(
                picture, place, look.open,
                make("div", {class: "pair"}, button(t("best"), "", choose("best"), {tabindex: -1}), button(t("worst"), "", choose("worst"), {tabindex: -1})),
            );
            shown.addEventListener("focusin", () => { this.at = place; });
            shown.querySelector("img").addEventListener("click", () => look.open(place));
            return shown;
        });
        this.grid = make("div", {class: "grid"}, ...this.cards);
        this.element = make(
            "div", {}, make("p", {class: "hint"}, t("best_worst.help")), this.grid,
            make("div", {class: "row"}, button(t("submit"), "Enter", submit, {class: "primary submit"})), this.told,
        );
        const step = (by) => () => this.focus(this.at + by);
        const across = () => Math.max(1, this.cards.filter((each) => each.offsetTop === this.cards[0].offsetTop).length);
        this.keys = [
            {keys: ["b"], shown: "B", says: t("best"), does: () => this.set("best", this.at)},
            {keys: ["w"], shown: "W", says: t("worst"), does: () => this.set("worst", this.at)},
            {keys: ["ArrowLeft"], shown: "← → ↑ ↓", says: t("keys.pictures"), does: step(-1), repeats: true},
            {keys: ["ArrowRight"], does: step(1), repeats: true},
            {keys: ["ArrowUp"], does: () => this.focus(this.at - across()), repeats: true},
            {keys: ["ArrowDown"], does: () => this.focus(this.at + across()), repeats: true},
            {keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], shown: "1 … 9", says: t("keys.number"), does: (key) => this.focus(Number(key) - 1)},
            {keys: ["z", " "], shown: "Z", says: t("large"), does: () => look.open(this.at)},
            {keys: ["c"], shown: "C", says: t("keys.compare"), does: () => look.compare(this.at)},
            {keys: ["Enter", "Ctrl+Enter"], shown: "Enter", says: t("submit"), does: submit},
        ];
        this.mark();
    }

    focus(place) {
        if (!this.cards[place]) return;
        this.at = place;
        this.cards[place].focus();
    }

    looked(place) {
        this.at = place;
    }

    set(what, place) {
        const {id} = this.task.images[place];
        this.document[what] = this.document[what] === id ? null : id;
        this.mark();
        this.changed(this.document);
    }

    mark() {
        this.cards.forEach((shown, place) => {
            const {id} = this.task.images[place];
            const [best, worst] = shown.querySelectorAll(".pair button");
            best.setAttribute("aria-pressed", String(this.document.best === id));
            worst.setAttribute("aria-pressed", String(this.document.worst === id));
            shown.classList.toggle("is-best", this.document.best === id);
            shown.classList.toggle("is-worst", this.document.worst === id);
        });
    }

    show(faults) {
        sayFaults(this.told, faults);
        const ids = new Set(faults.filter((fault) => fault.code === "best_is_worst").flatMap((fault) => fault.images));
        this.cards.forEach((shown) => shown.classList.toggle("wrong", ids.has(shown.dataset.id)));
    }
}

// The second stage: one picture, its three ratings, its boxes, and what of the prompt is missing.

import {button, choice, make, showFirst} from "./dom.js";
import {text as t} from "/static/shared/page.js";

export const RATINGS = ["overall", "alignment", "fidelity"];
export const PROBLEMS = [
    ["repetition", "r"], ["body", "b"], ["blurry", "l"], ["discomfort", "i"], ["sexual", "s"], ["violent", "v"], ["defames_group", "g"],
];
const SCALE = [1, 2, 3, 4, 5, 6, 7];

// Boxes of which "none of these" excludes the others. null: nothing was said yet.
export function boxes(group, keys, problems, changed) {
    const set = (value) => {
        problems = value;
        draw();
        changed(problems);
    };
    const toggle = (name) => {
        const held = problems || [];
        const left = held.includes(name) ? held.filter((each) => each !== name) : [...held, name];
        set(keys.map(([each]) => each).filter((each) => left.includes(each)));
    };
    const none = () => set(problems && !problems.length ? null : []);
    const rows = keys.map(([name, key]) => [name, choice("checkbox", group, name, t(`problem.${name}`), key.toUpperCase(), false, () => toggle(name))]);
    rows.push(["", choice("checkbox", group, "none", t("problem.none"), "N", false, none)]);
    function draw() {
        for (const [name, label] of rows) {
            label.querySelector("input").checked = Boolean(problems) && (name ? problems.includes(name) : !problems.length);
        }
    }
    draw();
    return {
        element: make("div", {class: "choices", role: "group"}, ...rows.map(([, label]) => label)),
        keys: [
            ...keys.map(([name, key]) => ({keys: [key], shown: key.toUpperCase(), says: t(`problem.${name}`), does: () => toggle(name)})),
            {keys: ["n"], shown: "N", says: t("problem.none"), does: none},
        ],
    };
}

export class RatingStage {
    // task; document; changed(); open(place): the large view; done(): after the last picture.
    constructor(task, document, {changed, open, done}) {
        Object.assign(this, {task, document, changed, open, done, at: 0, row: 0});
        this.image = make("img", {alt: "", draggable: "false"});
        this.image.addEventListener("click", () => open(this.at));
        this.strip = make("div", {class: "strip", role: "tablist", "aria-label": t("stage.images")});
        this.form = make("div", {class: "form"});
        this.element = make("div", {class: "rate"}, make("div", {class: "shown"}, this.image, this.strip), this.form);
        this.keys = [];
        this.show(Math.max(0, task.images.findIndex((image) => !this.isDone(image.id))));
    }

    isDone(id) {
        const answer = this.document.images[id];
        return RATINGS.every((rating) => answer[rating] !== null) && answer.problems !== null;
    }

    get answer() {
        return this.document.images[this.task.images[this.at].id];
    }

    show(place) {
        this.at = place;
        const {answer} = this;
        this.row = Math.max(0, RATINGS.findIndex((rating) => answer[rating] === null));
        const picture = this.task.images[place];
        showFirst(this.image, [picture.large, picture.small]);
        this.image.alt = t("picture", {number: place + 1});
        this.rows = RATINGS.map((rating, row) => this.scale(rating, row));
        const problems = boxes("image-problems", PROBLEMS, answer.problems, (value) => {
            answer.problems = value;
            this.say();
        });
        this.field = make("input", {type: "text", value: answer.missing.join(", "), autocomplete: "off", "aria-describedby": "missing-help"});
        this.field.addEventListener("input", () => {
            answer.missing = this.field.value.split(/[,，、]/).map((each) => each.trim()).filter(Boolean);
            this.say();
        });
        this.field.addEventListener("keydown", (event) => {
            if (event.key !== "Escape" && event.key !== "Enter") return;
            event.preventDefault();
            this.field.blur();
        });
        this.form.replaceChildren(
            make("h2", {tabindex: -1}, t("picture", {number: place + 1}), make("small", {}, ` / ${this.task.images.length}`)),
            ...this.rows,
            make("fieldset", {}, make("legend", {}, t("problems.image")), problems.element),
            make("label", {class: "missing"}, make("span", {}, t("missing"), " ", make("kbd", {}, "M")), this.field),
            make("p", {id: "missing-help", class: "hint"}, t("missing.help")),
            make("div", {class: "row"}, button(t("back"), "←", () => this.step(-1)), button(t("on"), "Enter", () => this.on(), {class: "primary"})),
        );
        this.keys = [
            {keys: SCALE.map(String), shown: "1 … 7", says: t("keys.rate"), does: (key) => this.rate(Number(key))},
            {keys: ["ArrowUp"], shown: "↑ ↓", says: t("keys.row"), does: () => this.choose(this.row - 1)},
            {keys: ["ArrowDown"], does: () => this.choose(this.row + 1)},
            {keys: ["ArrowLeft"], shown: "← →", says: t("keys.pictures"), does: () => this.step(-1)},
            {keys: ["ArrowRight"], does: () => this.step(1)},
            ...problems.keys,
            {keys: ["m"], shown: "M", says: t("missing"), does: () => this.field.focus()},
            {keys: ["z", " "], shown: "Z", says: t("large"), does: () => this.open(this.at)},
            {keys: ["Enter"], shown: "Enter", says: t("on"), does: () => this.on()},
        ];
        this.choose(this.row);
        this.drawStrip();
    }

    scale(rating, row) {
        const choices = SCALE.map((value) => choice("radio", rating, value, String(value), "", this.answer[rating] === value, () => this.set(row, value)));
        const ends = make("div", {class: "ends"}, make("span", {}, t(`${rating}.low`)), make("span", {}, t(`${rating}.high`)));
        return make(
            "fieldset", {class: "scale", "data-rating": rating},
            make("legend", {}, t(`rating.${rating}`)), make("div", {class: "seven"}, ...choices), ends,
        );
    }

    choose(row) {
        this.row = Math.min(RATINGS.length - 1, Math.max(0, row));
        this.rows.forEach((each, place) => each.classList.toggle("current", place === this.row));
    }

    // By key: the next rating that is missing is asked for then.
    rate(value) {
        this.rows[this.row].querySelector(`input[value="${value}"]`).checked = true;
        this.set(this.row, value);
    }

    set(row, value) {
        this.answer[RATINGS[row]] = value;
        const after = RATINGS.findIndex((rating, place) => place > row && this.answer[rating] === null);
        const open = after >= 0 ? after : RATINGS.findIndex((rating) => this.answer[rating] === null);
        this.choose(open >= 0 ? open : Math.min(row + 1, RATINGS.length - 1));
        this.say();
    }

    say() {
        this.drawStrip();
        this.changed();
    }

    drawStrip() {
        this.strip.replaceChildren(...this.task.images.map((picture, place) => {
            const small = make("img", {alt: ""});
            showFirst(small, [picture.small]);
            return make(
                "button",
                {
                    type: "button", role: "tab", "aria-selected": String(place === this.at), class: this.isDone(picture.id) ? "done" : "",
                    "aria-label": t("picture", {number: place + 1}), onclick: () => this.show(place),
                },
                small, make("b", {class: "number"}, String(place + 1)),
            );
        }));
    }

    step(by) {
        const place = this.at + by;
        if (this.task.images[place]) this.show(place);
    }

    on() {
        if (this.at + 1 < this.task.images.length) this.step(1);
        else this.done();
    }
}

// The paper's protocol: about the prompt, then each picture, then the ranking. What is wrong is found by the server's own checks.

import {button, choice, make, sayFaults} from "./dom.js";
import {Phrases} from "./phrases.js";
import {Slots} from "./ranking.js";
import {RATINGS, RatingStage, boxes} from "./rating.js";
import {text as t} from "/static/shared/page.js";

export const CATEGORIES = [
    "abstract", "animals", "artifacts", "arts", "food", "illustrations", "indoor_scenes", "outdoor_scenes", "people", "plants", "vehicles",
    "world_knowledge",
];
const CATEGORY_KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "-", "="];
const PROMPT_PROBLEMS = [["sexual", "s"], ["violent", "v"], ["defames_group", "g"], ["personal_information", "p"]];
const STAGES = ["prompt", "images", "ranking"];
const SLOTS = 5;
const MOST_IN_SLOT = 2;

// The draft with all that an answer has; what was not said yet is null.
function whole(task) {
    const draft = task.draft || {};
    const [prompt, images] = [draft.prompt || {}, draft.images || {}];
    const slots = Array.isArray(draft.ranking) ? draft.ranking : [];
    return {
        prompt: {
            category: prompt.category || null, intent_unclear: prompt.intent_unclear ?? null, problems: prompt.problems || null,
            phrases: prompt.phrases || [],
        },
        images: Object.fromEntries(task.images.map(({id}) => {
            const given = images[id] || {};
            const ratings = Object.fromEntries(RATINGS.map((rating) => [rating, given[rating] || null]));
            return [id, {...ratings, problems: given.problems || null, missing: given.missing || []}];
        })),
        ranking: Array.from({length: SLOTS}, (_, place) => slots[place] || []),
    };
}

class PromptStage {
    constructor(task, document, {changed, done}) {
        const answer = document.prompt;
        const set = (field) => (value) => {
            answer[field] = value;
            changed();
        };
        const categories = CATEGORIES.map((name, place) => choice(
            "radio", "category", name, t(`category.${name}`), CATEGORY_KEYS[place], answer.category === name, () => set("category")(name),
        ));
        const clear = [[false, "i"], [true, "u"]].map(([value, key]) => choice(
            "radio", "intent", String(value), t(value ? "intent.unclear" : "intent.clear"), key.toUpperCase(), answer.intent_unclear === value,
            () => set("intent_unclear")(value),
        ));
        const problems = boxes("prompt-problems", PROMPT_PROBLEMS, answer.problems, set("problems"));
        const phrases = new Phrases(task.prompt, answer.phrases, set("phrases"));
        this.element = make(
            "div", {class: "about"},
            make("fieldset", {}, make("legend", {}, t("phrases"), " ", make("kbd", {}, "M")), phrases.element, make("p", {class: "hint"}, t("phrases.help"))),
            make("fieldset", {}, make("legend", {}, t("category")), make("div", {class: "choices"}, ...categories)),
            make("fieldset", {}, make("legend", {}, t("intent")), make("div", {class: "choices"}, ...clear)),
            make("fieldset", {}, make("legend", {}, t("problems.prompt")), problems.element),
            make("div", {class: "row"}, button(t("stage.to_images"), "Enter", done, {class: "primary"})),
        );
        const press = (label) => label.querySelector("input").click();
        this.keys = [
            {keys: CATEGORY_KEYS, shown: "1 … 9 0 - =", says: t("category"), does: (key) => press(categories[CATEGORY_KEYS.indexOf(key)])},
            {keys: ["i"], shown: "I", says: t("intent.clear"), does: () => press(clear[0])},
            {keys: ["u"], shown: "U", says: t("intent.unclear"), does: () => press(clear[1])},
            ...problems.keys,
            {keys: ["m"], shown: "M", says: t("keys.mark"), does: () => phrases.box.focus()},
            {keys: ["c"], shown: "C Y F", says: t("keys.kinds"), does: () => phrases.mark("content")},
            {keys: ["y"], does: () => phrases.mark("style")},
            {keys: ["f"], does: () => phrases.mark("function")},
            {keys: ["Backspace", "Delete"], shown: "⌫", says: t("phrases.remove"), does: () => phrases.mark(null)},
            {keys: ["Enter"], shown: "Enter", says: t("on"), does: done},
        ];
    }
}

export class Protocol {
    // task; changed(document): after each change; submit(): all is said; look: the large view.
    constructor(task, {changed, submit, look}) {
        Object.assign(this, {task, submit, document: whole(task), stage: ""});
        this.changed = () => {
            this.count();
            changed(this.document);
        };
        this.look = look;
        this.tabs = STAGES.map((stage, place) => make(
            "button", {type: "button", role: "tab", "data-stage": stage, onclick: () => this.go(stage)},
            make("b", {}, String(place + 1)), " ", make("span", {}, t(`stage.${stage}`)), " ", make("small", {class: "count"}),
        ));
        this.beside = make("p", {class: "prompt short", hidden: true}, task.prompt);
        this.told = make("div", {class: "told"});
        this.body = make("div", {class: "stage"});
        this.element = make("div", {class: "protocol"}, make("div", {class: "tabs", role: "tablist"}, ...this.tabs), this.beside, this.body, this.told);
        this.faults = [];
        this.go(this.first);
    }

    // Where work goes on after a reload: the first stage that is not finished.
    get first() {
        if (!this.isDone("prompt")) return "prompt";
        return this.isDone("images") ? "ranking" : "images";
    }

    isDone(stage) {
        const {prompt, images, ranking} = this.document;
        if (stage === "prompt") return prompt.category !== null && prompt.intent_unclear !== null && prompt.problems !== null;
        if (stage === "images") return this.rated === this.task.images.length;
        return ranking.flat().length === this.task.images.length && images !== null;
    }

    get rated() {
        const answers = Object.values(this.document.images);
        return answers.filter((answer) => RATINGS.every((rating) => answer[rating] !== null) && answer.problems !== null).length;
    }

    go(stage, place = -1) {
        this.stage = stage;
        if (stage === "prompt") this.shown = new PromptStage(this.task, this.document, {changed: this.changed, done: () => this.go("images")});
        else if (stage === "images") this.shown = this.rating();
        else this.shown = this.slots();
        if (stage === "images" && place >= 0) this.shown.show(place);
        this.body.replaceChildren(this.shown.element);
        this.beside.hidden = stage === "prompt";
        this.tabs.forEach((tab) => tab.setAttribute("aria-selected", String(tab.dataset.stage === stage)));
        this.count();
        this.say();
        window.scrollTo(0, 0);
    }

    rating() {
        return new RatingStage(this.task, this.document, {
            changed: this.changed, open: (place) => this.look.open(place), done: () => this.go("ranking"),
        });
    }

    slots() {
        const slots = new Slots({
            pictures: this.task.images,
            ranking: this.document.ranking,
            badge: ({id}) => (this.document.images[id].overall === null ? "" : `${t("rating.overall")} ${this.document.images[id].overall}`),
            changed: (ranking) => {
                this.document.ranking = ranking;
                this.changed();
            },
            open: (place) => this.look.open(place),
            compare: (place) => this.look.compare(place),
            most: MOST_IN_SLOT,
            done: this.submit,
        });
        slots.element.append(make("div", {class: "row"}, button(t("submit"), "Ctrl Enter", this.submit, {class: "primary submit"})));
        return slots;
    }

    get keys() {
        return [
            ...this.shown.keys,
            {keys: ["["], shown: "[ ]", says: t("keys.stages"), does: () => this.turn(-1)},
            {keys: ["]"], does: () => this.turn(1)},
            {keys: ["Ctrl+Enter"], shown: "Ctrl Enter", says: t("submit"), does: this.submit},
        ];
    }

    turn(by) {
        const stage = STAGES[STAGES.indexOf(this.stage) + by];
        if (stage) this.go(stage);
    }

    count() {
        const total = this.task.images.length;
        const counts = {
            prompt: this.isDone("prompt") ? "✓" : "", images: this.rated === total ? "✓" : `${this.rated}/${total}`,
            ranking: this.isDone("ranking") ? "✓" : `${this.document.ranking.flat().length}/${total}`,
        };
        for (const tab of this.tabs) tab.querySelector(".count").textContent = counts[tab.dataset.stage];
    }

    // The picture on show, for the large view to come back to.
    looked(place) {
        if (this.stage === "images") this.shown.show(place);
        else if (this.stage === "ranking") this.shown.focused = this.task.images[place].id;
    }

    // Faults of all stages; "follow" makes of each a way to where it can be mended.
    show(faults) {
        this.faults = faults;
        this.say();
    }

    follow(fault) {
        const place = this.task.images.findIndex((image) => fault.images.includes(image.id));
        this.go(fault.stage || "prompt", place);
    }

    say() {
        sayFaults(this.told, this.faults, (fault) => this.follow(fault));
        if (this.shown.blame) this.shown.blame(this.faults.filter((fault) => fault.stage === "ranking"));
    }
}

// The prompt, of which phrases can be marked: by selecting text, by touching words, and by keys. Places are counted in code points, as
// the program that reads them does.

import {button, make} from "./dom.js";
import {text as t} from "/static/shared/page.js";

export const KINDS = [["content", "C"], ["style", "Y"], ["function", "F"]];
const length = (text) => [...text].length;

// [{text, start, end, isWord}], all of the text.
export function words(text) {
    const parts = window.Intl && Intl.Segmenter
        ? [...new Intl.Segmenter(undefined, {granularity: "word"}).segment(text)].map((part) => [part.segment, part.isWordLike])
        : text.split(/(\s+)/).filter(Boolean).map((part) => [part, /\S/.test(part)]);
    let start = 0;
    return parts.map(([part, isWord]) => {
        const word = {text: part, start, end: start + length(part), isWord};
        start = word.end;
        return word;
    });
}

// Phrases once ``start`` to ``end`` is marked as ``kind`` (null takes marks away): what it covers of others is theirs no more.
export function marked(phrases, start, end, kind, text) {
    const letters = [...text];
    const trimmed = (from, to) => {
        while (from < to && /\s/.test(letters[from])) from++;
        while (to > from && /\s/.test(letters[to - 1])) to--;
        return [from, to];
    };
    const parts = phrases.flatMap((phrase) => (phrase.end <= start || phrase.start >= end ? [phrase] : [
        {...phrase, end: Math.min(phrase.end, start)}, {...phrase, start: Math.max(phrase.start, end)},
    ].filter((part) => part.start < part.end)));
    if (kind) parts.push({start, end, kind});
    return parts.map((part) => {
        const [from, to] = trimmed(part.start, part.end);
        return {start: from, end: to, kind: part.kind};
    }).filter((part) => part.start < part.end).sort((one, other) => one.start - other.start);
}

export class Phrases {
    // changed(phrases): after each mark.
    constructor(prompt, phrases, changed) {
        Object.assign(this, {prompt, phrases, changed, at: -1, from: -1, range: null});
        this.words = words(prompt);
        this.box = make("p", {class: "prompt marking", tabindex: 0, role: "group", "aria-label": t("phrases.help"), "data-arrows": ""});
        this.spans = this.words.map((word, place) => make("span", {"data-word": word.isWord ? place : null}, word.text));
        this.box.append(...this.spans);
        this.buttons = [
            ...KINDS.map(([kind, key]) => button(t(`phrase.${kind}`), key, () => this.mark(kind), {class: `mark ${kind}`})),
            button(t("phrases.remove"), "⌫", () => this.mark(null)),
        ];
        for (const each of this.buttons) each.addEventListener("pointerdown", (event) => event.preventDefault()); // the selection stays
        this.list = make("ul", {class: "marks"});
        this.element = make("div", {class: "phrases"}, this.box, make("div", {class: "row"}, ...this.buttons), this.list);
        this.box.addEventListener("pointerup", (event) => setTimeout(() => this.pointed(event)));
        this.box.addEventListener("keydown", (event) => this.key(event));
        this.draw();
    }

    // What is selected, in code points.
    get selected() {
        if (this.range) return this.range;
        if (this.at < 0) return null;
        const [first, last] = [Math.min(this.at, this.from), Math.max(this.at, this.from)];
        return [this.words[first].start, this.words[last].end];
    }

    pointed(event) {
        const chosen = window.getSelection();
        if (chosen.rangeCount && !chosen.isCollapsed && this.box.contains(chosen.anchorNode) && this.box.contains(chosen.focusNode)) {
            const range = chosen.getRangeAt(0);
            const ends = [this.place(range.startContainer, range.startOffset), this.place(range.endContainer, range.endOffset)];
            chosen.removeAllRanges();
            if (ends[0] < ends[1]) return this.select(ends);
        }
        const word = event.target.closest("[data-word]");
        if (!word) return this.select(null);
        const place = Number(word.dataset.word);
        const isNew = this.at < 0 || this.range || this.at !== this.from || this.at === place;
        this.go(place, !isNew); // a second touch selects up to there
    }

    // Where in the text a place of the page is.
    place(node, offset) {
        if (node === this.box) return offset < this.words.length ? this.words[offset].start : length(this.prompt);
        const span = this.spans.find((each) => each.contains(node));
        if (!span) return 0;
        const word = this.words[this.spans.indexOf(span)];
        return node === span ? (offset ? word.end : word.start) : word.start + length(node.data.slice(0, offset));
    }

    select(range) {
        Object.assign(this, {range, at: -1, from: -1});
        this.draw();
    }

    go(place, extends_) {
        this.range = null;
        this.at = place;
        if (!extends_) this.from = place;
        this.draw();
    }

    step(by, extends_) {
        let place = this.at < 0 ? (by > 0 ? -1 : this.words.length) : this.at;
        do place += by; while (this.words[place] && !this.words[place].isWord);
        if (this.words[place]) this.go(place, extends_ && this.at >= 0);
    }

    key(event) {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const steps = {ArrowLeft: -1, ArrowRight: 1};
        if (event.key in steps) this.step(steps[event.key], event.shiftKey);
        else if (event.key === "Escape" && this.selected) this.select(null);
        else return;
        event.preventDefault();
        event.stopPropagation();
    }

    mark(kind) {
        const range = this.selected;
        if (!range) return;
        this.phrases = marked(this.phrases, ...range, kind, this.prompt);
        this.select(null);
        this.changed(this.phrases);
    }

    draw() {
        const range = this.selected;
        this.spans.forEach((span, place) => {
            const word = this.words[place];
            const inside = (start, end) => word.start < end && word.end > start;
            const phrase = this.phrases.find((each) => inside(each.start, each.end));
            span.className = [phrase ? phrase.kind : "", range && inside(...range) ? "selected" : "", place === this.at ? "at" : ""].join(" ").trim();
        });
        for (const each of this.buttons) each.disabled = !range;
        const letters = [...this.prompt];
        this.list.replaceChildren(...this.phrases.map((phrase) => {
            const text = letters.slice(phrase.start, phrase.end).join("");
            return make("li", {class: phrase.kind}, make("span", {}, `${t(`phrase.${phrase.kind}`)}: ${text}`), button("×", "", () => {
                this.phrases = this.phrases.filter((each) => each !== phrase);
                this.draw();
                this.changed(this.phrases);
            }, {"aria-label": `${t("phrases.remove")} ${text}`}));
        }));
    }
}

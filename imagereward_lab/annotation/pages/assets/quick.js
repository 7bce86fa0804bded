// Quick mode: two to four pictures of one prompt, one key to choose. The next question is here before this one is answered, and answers
// go to the server behind one's back, one after the other.

import {Watch, button, card, make} from "./dom.js";
import {bind} from "./keys.js";
import {look as lookAt} from "./look.js";
import {ask, withAddresses} from "./server.js";
import {text as t} from "/static/shared/page.js";

const LETTERS = ["a", "s", "d", "f"];
const WAIT = 5000;

export function quick(root, app) {
    const watch = new Watch();
    let at = -1; // the framed picture: hovered, or the one with the focus
    const look = lookAt((place) => frame(place));
    let waiting = []; // questions that are here, the one on show first
    let sending = Promise.resolve();
    let unsent = 0;
    let timer = 0;
    let gone = false;
    const answered = new Set();
    const stars = new Map(); // by picture, as given here

    const current = () => waiting[0] || null;

    // Does something on the server after all that was done before it.
    function send(path, body, then = take) {
        unsent++;
        const sent = sending.then(() => ask(path, "POST", body)).finally(() => { unsent--; }).then(then).catch((error) => {
            app.say(error.message, "error");
            return error.status === 409 ? load() : undefined;
        });
        sending = sent;
        return sent;
    }

    async function load() {
        try {
            take(await ask("questions"));
        } catch (error) {
            app.say(error.message, "error");
        }
    }

    // Questions that the server has for this person now. What was answered meanwhile is not asked again.
    function take(given) {
        if (gone || !given) return;
        clearTimeout(timer);
        app.progress(given.progress);
        const shown = current() && current().id;
        const fresh = given.questions.filter((question) => !answered.has(question.id)).map(withAddresses);
        if (shown && !answered.has(shown) && fresh.some((question) => question.id === shown)) {
            waiting = [current(), ...fresh.filter((question) => question.id !== shown)];
        } else {
            waiting = fresh;
        }
        for (const question of waiting.slice(1)) for (const image of question.images) new Image().src = image.large;
        if (!current() || current().id !== shown || !given.questions.length) draw();
    }

    function draw() {
        const question = current();
        at = -1;
        look.close();
        if (!question) {
            root.replaceChildren(make(
                "div", {class: "rest"}, make("h2", {}, t(unsent ? "quick.next" : "rest.done")),
                ...(unsent ? [] : [make("p", {}, make("a", {href: "#ranks"}, t("quick.to_ranks"))), button(t("undo"), "U", undo)]),
            ));
            if (!unsent) timer = setTimeout(load, WAIT);
            return;
        }
        watch.start();
        look.take(question.images);
        const two = question.images.length === 2;
        const cards = question.images.map((picture, place) => {
            const given = stars.has(picture.id) ? stars.get(picture.id) : question.stars[picture.id];
            const shown = card(
                {...picture, small: picture.large}, place, look.open, starred(given),
                button(t("choose"), two ? ["← A", "→ S"][place] : LETTERS[place].toUpperCase(), () => answer(picture.id), {class: "choose", tabindex: -1}),
            );
            shown.addEventListener("pointerenter", () => frame(place));
            shown.addEventListener("focusin", () => frame(place));
            shown.querySelector("img").addEventListener("click", () => answer(picture.id));
            return shown;
        });
        root.replaceChildren(
            ...(question.across_prompts ? [make("p", {class: "note warning"}, t("across_prompts"))] : []),
            make("p", {class: "prompt"}, question.prompt),
            ...(question.translation ? [make("p", {class: "prompt translation"}, question.translation)] : []),
            make("div", {class: `sides of-${cards.length}`}, ...cards),
            make(
                "div", {class: "row"},
                button(t("tie"), two ? "T ↓" : "T", () => answer(null)), button(t("skip"), "X", pass), button(t("undo"), "U", undo),
            ),
        );
    }

    const starred = (given) => make("span", {class: "given-stars"}, given === null || given === undefined ? "" : given ? "★".repeat(given) : "0★");

    function frame(place) {
        at = place;
        root.querySelectorAll(".sides .card").forEach((shown, each) => shown.classList.toggle("framed", each === place));
    }

    function leave() {
        answered.add(current().id);
        waiting = waiting.slice(1);
        draw();
    }

    function answer(winner) {
        const question = current();
        if (!question) return;
        const body = {winner, seconds: watch.seconds};
        leave();
        send(`questions/${question.id}/answer`, body);
    }

    function pass() {
        const question = current();
        if (!question) return;
        leave();
        send(`questions/${question.id}/pass`, {});
    }

    // The last answer is taken back, once it has arrived, and asked again.
    function undo() {
        waiting = [];
        send("questions/undo", {}, (given) => {
            if (!given) return;
            for (const question of given.questions) answered.delete(question.id);
            if (given.undone === null) app.say(t("undo.nothing"));
            take(given);
        });
        draw();
    }

    function rate(value) {
        const question = current();
        if (!question) return;
        if (at < 0) return app.say(t("stars.which"));
        const {id} = question.images[at];
        stars.set(id, value);
        root.querySelectorAll(".sides .card")[at].querySelector(".given-stars").replaceWith(starred(value));
        send(`pictures/${encodeURIComponent(id)}/stars`, {stars: value}, () => {});
    }

    const step = (by) => {
        const shown = root.querySelectorAll(".sides .card")[at < 0 ? 0 : at + by];
        if (shown) shown.focus();
    };
    const nth = (place) => () => { if (current() && current().images[place]) answer(current().images[place].id); };
    const isTwo = () => Boolean(current()) && current().images.length === 2;
    const unbind = bind(() => [
        ...LETTERS.slice(0, current() ? current().images.length : 0).map((letter, place) => ({
            keys: [letter], shown: letter.toUpperCase(), says: t("keys.choose", {number: place + 1}), does: nth(place),
        })),
        {keys: ["ArrowLeft"], shown: "← →", says: t("keys.choose_side"), does: nth(0), when: isTwo},
        {keys: ["ArrowRight"], does: nth(1), when: isTwo},
        {keys: ["t"], shown: "T", says: t("tie"), does: () => answer(null)},
        {keys: ["ArrowDown"], does: () => answer(null), when: isTwo},
        {keys: ["x"], shown: "X", says: t("skip"), does: pass},
        {keys: ["u"], shown: "U", says: t("undo"), does: undo},
        {keys: ["Shift+ArrowLeft"], shown: "Shift ← →", says: t("keys.frame"), does: () => step(-1)},
        {keys: ["Shift+ArrowRight"], does: () => step(1)},
        {keys: ["0", "1", "2", "3", "4", "5"], shown: "0 … 5", says: t("keys.stars"), does: (key) => rate(Number(key))},
        {keys: ["Backspace", "Delete"], shown: "⌫", says: t("keys.no_stars"), does: () => rate(null)},
        {keys: ["z"], shown: "Z", says: t("large"), does: () => look.open(Math.max(0, at)), when: () => Boolean(current())},
        {keys: ["c"], shown: "C", says: t("keys.compare"), does: () => look.compare(Math.max(0, at)), when: () => Boolean(current())},
    ]);
    const leaving = (event) => { if (unsent) event.preventDefault(); };
    window.addEventListener("beforeunload", leaving);
    load();
    return () => {
        gone = true;
        clearTimeout(timer);
        look.close();
        unbind();
        watch.end();
        window.removeEventListener("beforeunload", leaving);
    };
}

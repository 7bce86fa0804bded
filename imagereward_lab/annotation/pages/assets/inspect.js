// An inspector's queue: answers of others, one after the other, called valid or not. Whose they are is not told.

import {button, card, make, sayFaults} from "./dom.js";
import {bind} from "./keys.js";
import {look as lookAt} from "./look.js";
import {words} from "./phrases.js";
import {RATINGS} from "./rating.js";
import {ask, withAddresses} from "./server.js";
import {text as t} from "/static/shared/page.js";

export function inspect(root, app) {
    const look = lookAt();
    let shown = null;
    let busy = false;
    let gone = false;

    async function load() {
        try {
            take(await ask("inspections/next"));
        } catch (error) {
            app.say(error.message, "error");
        }
    }

    function take({inspection}) {
        if (gone) return;
        shown = inspection;
        look.close();
        if (!shown) return root.replaceChildren(make("div", {class: "rest"}, make("h2", {}, t("inspect.none")), make("p", {}, t("inspect.none.more"))));
        shown.task = withAddresses(shown.task);
        look.take(shown.task.images);
        draw();
    }

    async function judge(verdict) {
        if (!shown || busy) return;
        const note = verdict === "valid" ? "" : await app.askText(t("inspect.invalid"), t("inspect.why"), t("inspect.invalid"));
        if (note === null) return;
        busy = true;
        try {
            take(await ask(`inspections/${shown.answer}`, "POST", {verdict, note}));
        } catch (error) {
            app.say(error.message, "error");
            if (error.status === 409) await load();
        } finally {
            busy = false;
        }
    }

    function draw() {
        const {task, document, seconds, faults, left} = shown;
        const told = make("div", {class: "told"});
        sayFaults(told, faults);
        root.replaceChildren(
            make("p", {class: "hint"}, t("inspect.left", {left}), ...(seconds ? [` · ${t("inspect.seconds", {seconds: Math.round(seconds)})}`] : [])),
            prompt(task, document.prompt || {}),
            ...(task.translation ? [make("p", {class: "prompt translation"}, task.translation)] : []),
            told,
            ...(document.ranking ? [ranking(task, document)] : []),
            ...(document.best ? [pair(task, document)] : []),
            ...(document.images ? [table(task, document.images)] : []),
            make(
                "div", {class: "row"}, button(t("inspect.valid"), "V", () => judge("valid"), {class: "primary"}),
                button(t("inspect.invalid"), "I", () => judge("invalid")),
            ),
        );
        window.scrollTo(0, 0);
    }

    function prompt(task, answer) {
        const kind = (word) => (answer.phrases || []).find((phrase) => word.start < phrase.end && word.end > phrase.start);
        const spans = words(task.prompt).map((word) => make("span", {class: kind(word) ? kind(word).kind : ""}, word.text));
        const said = [
            answer.category && t(`category.${answer.category}`), answer.intent_unclear && t("intent.unclear"),
            ...(answer.problems || []).map((name) => t(`problem.${name}`)),
        ].filter(Boolean);
        return make("div", {}, make("p", {class: "prompt marking"}, ...spans), make("p", {}, said.join(" · ")));
    }

    function shownCard(task, id, ...more) {
        const place = task.images.findIndex((image) => image.id === id);
        return place < 0 ? make("span", {}, "?") : card(task.images[place], place, look.open, ...more);
    }

    function ranking(task, {ranking: slots, images}) {
        return make("ol", {class: "slots"}, ...slots.map((ids, place) => make(
            "li", {}, make("h3", {}, String(place + 1)), make("div", {class: "slot"}, ...ids.map((id) => shownCard(
                task, id, ...(images && images[id] ? [make("span", {class: "badge"}, `${t("rating.overall")} ${images[id].overall}`)] : []),
            ))),
        )));
    }

    const pair = (task, {best, worst}) => make("div", {class: "grid"}, ...[["best", best], ["worst", worst]].map(
        ([what, id]) => shownCard(task, id, make("span", {class: "badge"}, t(what))),
    ));

    function table(task, images) {
        const heads = ["", ...RATINGS.map((rating) => t(`rating.${rating}`)), t("problems.image"), t("missing")];
        return make("div", {class: "wide"}, make(
            "table", {}, make("tr", {}, ...heads.map((head) => make("th", {}, head))),
            ...task.images.map(({id}, place) => {
                const answer = images[id] || {};
                const cells = [
                    t("picture", {number: place + 1}), ...RATINGS.map((rating) => String(answer[rating] ?? "")),
                    (answer.problems || []).map((name) => t(`problem.${name}`)).join(t("comma")), (answer.missing || []).join(t("comma")),
                ];
                return make("tr", {}, ...cells.map((cell) => make("td", {}, cell)));
            }),
        ));
    }

    const unbind = bind(() => (shown && !busy ? [
        {keys: ["v"], shown: "V", says: t("inspect.valid"), does: () => judge("valid")},
        {keys: ["i"], shown: "I", says: t("inspect.invalid"), does: () => judge("invalid")},
        {keys: ["z"], shown: "Z", says: t("large"), does: () => look.open(0)},
    ] : []));
    load();
    return () => {
        gone = true;
        look.close();
        unbind();
    };
}

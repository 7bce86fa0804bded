// One task after another: the answer, its drafts, its submission, skipping.

import {Watch, button, make} from "./dom.js";
import {bind} from "./keys.js";
import {look as lookAt} from "./look.js";
import {BestWorst, Order} from "./orders.js";
import {Protocol} from "./protocol.js";
import {Draft, ask, withAddresses} from "./server.js";
import {language, text as t} from "/static/shared/page.js";

const MODES = {protocol: Protocol, "best-worst": BestWorst, "top-picks": Order, "per-generator": Order};
// What is merely not said yet is told when somebody wants to submit, not while they are at it.
const UNFINISHED = new Set([
    "category_missing", "intent_missing", "prompt_problems_missing", "image_unrated", "rating_missing", "image_problems_missing", "left_out",
    "ranking_missing", "best_missing", "worst_missing",
]);
const WAIT = 8000; // milliseconds until it is asked again whether there is something to do

export function work(root, app) {
    const look = lookAt((place) => answer && answer.looked(place));
    let task = null;
    let answer = null;
    let draft = null;
    let insists = false; // somebody tried to submit: all that is missing is said from now on
    let busy = false;
    let timer = 0;
    let gone = false;
    let changing = null; // the own answer {time} that is gone back to, of which the task is shown

    const watch = new Watch();

    function told({faults, taken}, error = null) {
        if (error) return refused(error);
        if (taken) app.say(t("error.task_taken"), "error");
        if (answer) answer.show(insists ? faults : faults.filter((fault) => !UNFINISHED.has(fault.code)));
    }

    // The task is no longer theirs, or they may not: what is to be done now is asked anew.
    function refused(error) {
        app.say(error.message, "error");
        if (error.status === 409 || error.status === 404) {
            if (draft) draft.forget();
            next();
        }
    }

    async function next() {
        busy = true;
        try {
            take(await ask("next"));
        } catch (error) {
            app.say(error.message, "error");
        } finally {
            busy = false;
        }
    }

    function take(given, earlier = null) {
        if (gone) return;
        changing = earlier;
        clearTimeout(timer);
        app.progress(given.progress);
        look.close();
        if (!given.task) return rest(given.reason);
        task = withAddresses(given.task);
        insists = false;
        watch.start();
        draft = new Draft(task, told);
        const kept = draft.left;
        if (kept) task.draft = kept;
        look.take(task.images);
        answer = new MODES[task.mode](task, {changed: (document) => draft.save(document), submit, look});
        draw();
        if (task.draft) draft.save(answer.document); // what is wrong with it is said at once
        for (const image of task.images) new Image().src = image.large; // so that the large view shows at once
    }

    function draw() {
        const translated = task.translation ? [make("details", {class: "translation", open: true}, make("summary", {}, t("translation")), make("p", {class: "prompt"}, task.translation))] : [];
        const asked = [
            ...(task.test ? [make("p", {class: "note"}, t("testing"))] : []),
            ...(changing ? [make("div", {class: "note row"}, make("span", {}, t("own.changing", {time: shownTime(changing.time)})), button(t("own.leave"), "", leave))] : []),
            ...(task.note ? [make("p", {class: "note"}, t("inspector.said", {note: task.note}))] : []),
            ...(task.mode === "protocol" ? [] : [make("p", {class: "prompt"}, task.prompt)]),
            ...translated,
        ];
        root.replaceChildren(...asked, answer.element, make(
            "div", {class: "row end"}, button(t("own"), "O", goBack, {class: "own"}), ...(changing ? [] : [button(t("skip"), "X", skip, {class: "skip"})]),
        ));
        root.focus({preventScroll: true});
        window.scrollTo(0, 0);
    }

    function rest(reason) {
        task = answer = draft = null;
        root.replaceChildren(make("div", {class: "rest"}, make("h2", {}, t(`rest.${reason}`)), make("p", {}, t(`rest.${reason}.more`)), button(t("own"), "O", goBack, {class: "own"})));
        if (reason === "wait" || reason === "judging") timer = setTimeout(next, WAIT);
    }

    async function submit() {
        if (busy || !answer) return;
        busy = true;
        app.busy(true);
        try {
            insists = true;
            await draft.end();
            const taken = await ask(`tasks/${task.id}/submit`, "POST", {document: answer.document, seconds: watch.seconds});
            if (taken.faults.length) {
                draft = new Draft(task, told);
                answer.show(taken.faults);
                answer.told.scrollIntoView({block: "nearest"});
                app.say(t("refused", {count: taken.faults.length}), "error");
            } else {
                draft.forget();
                app.say(t(changing ? "own.changed" : "submitted"));
                take(taken);
            }
        } catch (error) {
            if (draft) draft.ended = false;
            refused(error);
        } finally {
            busy = false;
            app.busy(false);
        }
    }

    async function skip() {
        if (busy || !task) return;
        const reason = await app.askText(t("skip.title"), t("skip.why", {left: app.skipsLeft}), t("skip"));
        if (reason === null) return;
        busy = true;
        try {
            await draft.end();
            const taken = await ask(`tasks/${task.id}/skip`, "POST", {reason});
            draft.forget();
            app.say(t("skipped"));
            take(taken);
        } catch (error) {
            draft.ended = false;
            refused(error);
        } finally {
            busy = false;
        }
    }

    const shownTime = (time) => new Date(1000 * time).toLocaleString(language, {dateStyle: "medium", timeStyle: "short"});

    // Own answers, of which one is gone back to; what is being done now is kept until then.
    async function goBack() {
        if (busy) return;
        busy = true;
        try {
            const {answered} = await ask("answered");
            const things = answered.map((each) => ({
                words: each.prompt, value: each, more: [shownTime(each.time), ...(each.versions > 1 ? [t("own.versions", {count: each.versions - 1})] : [])].join(" · "),
            }));
            const chosen = await app.choose(t("own"), t(things.length ? "own.why" : "own.none"), things);
            if (!chosen) return;
            if (draft) await draft.leave();
            take(await ask(`tasks/${chosen.task}/again`, "POST", {}), chosen);
        } catch (error) {
            refused(error);
        } finally {
            busy = false;
        }
    }

    // The answer stays as it was.
    async function leave() {
        if (busy || !changing) return;
        busy = true;
        try {
            await draft.end();
            draft.forget();
            take(await ask(`tasks/${task.id}/as_it_is`, "POST", {}));
        } catch (error) {
            refused(error);
        } finally {
            busy = false;
        }
    }

    const unbind = bind(() => (busy ? [] : [
        ...(answer ? answer.keys : []), ...(answer && !changing ? [{keys: ["x"], shown: "X", says: t("skip"), does: skip}] : []),
        {keys: ["o"], shown: "O", says: t("own"), does: goBack},
    ]));
    const leaving = (event) => { if (draft && !draft.isSaved) event.preventDefault(); };
    window.addEventListener("beforeunload", leaving);
    next();
    return () => {
        gone = true;
        clearTimeout(timer);
        look.close();
        unbind();
        watch.end();
        window.removeEventListener("beforeunload", leaving);
    };
}

// The page of ``imagereward open``: joins the pictures (imagereward_culling.js) to the server, keeps what is shown in the address, and
// brings itself up to date when the server says that something has changed.

import {ask, data, make, number, preferences, text} from "../shared/page.js";
import {about, difference} from "./facts.js";
import {Curate} from "./curate.js";
import {address, isNarrow, part, View} from "./view.js";

const curator = window.imagerewardCurator;
const AROUND = 150; // pictures asked for before and after those that are seen
const REST = 250; // milliseconds without a change after which what was typed is applied

const view = new View();
let serial = 0; // of what the server has; greater than the deck's while pages are older

curator.say = (words) => data.scripts[words] || words;

// What the deck asks, see imagereward_deck.js. The server knows no chosen picture: that stands here.
const source = {
    address: (picture, size) => `/open/pictures/${size}/${picture.id}`,
    about: (picture) => about(view.asked(), picture),
    difference: (one, other) => difference(view.asked(), one, other),

    async look(from, to) {
        const start = Math.max(0, from - AROUND);
        const chosen = deck.chosen ? deck.chosen.id : "";
        const told = await ask("/open/deck", {...view.asked(), start, count: to - from + 2 * AROUND, chosen});
        return taken(told, chosen);
    },

    async wish(request) {
        const wishes = request.do === "each" ? request.wishes : [request];
        const said = wishes.filter((wish) => wish.do !== "show");
        const last = wishes[wishes.length - 1];
        if (!said.length) return this.show(last);
        const next = last.do === "show" ? last.id : last.next;
        const start = Math.max(0, deck.at - AROUND);
        const answer = await ask("/open/said", {...view.asked(), wishes: said, chosen: next, start, count: 2 * AROUND});
        const given = taken(answer.deck, next);
        if (given.picked < 0 && given.total) given.picked = Math.min(Math.max(0, deck.at), given.total - 1);
        culling.take(given);
        return {picked: last.do === "show" && !last.id ? await this.place(last.at) : given.picked, problem: answer.problem};
    },

    // Goes to a place; what is not here yet is asked for.
    async show({at, id}) {
        if (id && deck.placeOf(id) >= 0) return {picked: deck.placeOf(id), problem: ""};
        return {picked: await this.place(at), problem: ""};
    },

    async place(at) {
        if (!deck.picture(at)) {
            const start = Math.max(0, at - AROUND);
            const given = await ask("/open/deck", {...view.asked(), start, count: 2 * AROUND});
            culling.take(taken({...given, picked: Math.min(at, given.total - 1)}, null));
        }
        return Math.min(at, deck.total - 1);
    },
};

const JUDGING = ["stars", "no_stars", "keep", "reject", "undecide"];
const culling = curator.culling({
    source, root: document.body, part: () => part("pictures"), grid: curator.Rows, strip: true, without: data.readOnly ? JUDGING : [],
});
const {deck, grid, viewer} = culling;

// A deck as the server sent it, with the picture that is chosen by now: somebody may have gone on since it was asked for.
function taken(given, chosen) {
    counted(given);
    const now = deck.chosen ? deck.chosen.id : "";
    if (chosen !== null && now !== chosen && !deck.busy) {
        const place = given.pictures.findIndex((picture) => picture.id === now);
        given.picked = place >= 0 ? given.start + place : deck.at;
    }
    return {...given, before: [], after: []};
}

function counted({counts, total}) {
    const shown = Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, number(value)]));
    let words = text("count", shown);
    if (counts.failed) words += text("count_failed", shown);
    const seen = {all: counts.kept + counts.rejected, kept: counts.kept, rejected: counts.rejected, failed: counts.failed}[view.filter.show];
    if (seen !== total) words += text("count_shown", {shown: number(total)});
    part("count").textContent = data.readOnly ? `${words} · ${text("read_only")}` : words;
    part("empty").hidden = total > 0;
    part("empty").replaceChildren(...(total ? [] : why(counts, shown)));
}

// Why no picture is seen. Those without a score are shown by a choice of their own, which nobody looks for who sees none at all.
function why(counts, shown) {
    if (counts.failed && counts.failed === counts.all && view.filter.show !== "failed") {
        const button = make("button", {type: "button"}, text("show_unscored"));
        button.addEventListener("click", () => {
            view.filter.show = "failed";
            view.write();
            view.changed(false);
        });
        return [text("empty_unscored", shown), " ", button];
    }
    return [text(data.readOnly && !counts.all ? "empty_unknown" : "empty")];
}

// Asks for what is seen anew: another filter, or something has changed. Whatever comes for an older question is dropped.
let asking = 0;
async function reload({start = null, file = "", keep = true} = {}) {
    const mine = ++asking;
    const chosen = keep && deck.chosen ? deck.chosen.id : "";
    const top = start === null ? Math.max(0, Math.floor(grid.box.scrollTop / grid.side) * grid.columns - AROUND) : start;
    try {
        const given = await ask("/open/deck", {...view.asked(), start: top, count: 2 * AROUND + grid.page, chosen, file, around: Boolean(file)});
        if (mine !== asking) return;
        serial = Math.max(serial, given.serial);
        part("problem").textContent = "";
        if (!keep) grid.box.scrollTop = 0;
        culling.take(file || !keep ? {...taken(given, null)} : taken(given, chosen));
        await facts(mine);
        if (serial > given.serial) soon();
    } catch (error) {
        if (mine === asking) part("problem").textContent = error.message;
    }
}

// What stands around the pictures: scorers, folders, histogram.
async function facts(mine) {
    const told = await ask("/open/about", view.asked());
    if (mine === asking) view.tell(told);
}

// Changes come in bursts while a folder is scored.
let waits = null;
function soon() {
    if (waits || deck.busy) return;
    waits = setTimeout(() => { waits = null; if (deck.busy) soon(); else reload(); }, 200);
}

let resting = null;
view.changed = (rest) => {
    clearTimeout(resting);
    resting = setTimeout(() => {
        write(false);
        reload({start: 0, keep: false});
    }, rest ? REST : 0);
};

// What is known of the chosen picture, beside the pictures.
let shownAbout = "";
async function besides() {
    const {chosen} = deck;
    const key = chosen ? `${chosen.id} ${chosen.caption} ${chosen.reason} ${view.scorer}` : "";
    if (key === shownAbout || isNarrow()) return;
    shownAbout = key;
    if (!chosen) return part("about").replaceChildren();
    try {
        const told = await about(view.asked(), chosen);
        if (shownAbout === key) part("about").replaceChildren(told);
    } catch (error) {
        if (shownAbout === key) part("about").replaceChildren(error.message);
    }
}

// The address holds what is shown, once what it held at first is shown.
let isBegun = false;
let writing = null;
let looking = null;
const write = (step) => { if (isBegun) address(view, deck, viewer, step); };

deck.listen((what) => {
    if (what === "chosen" || what === "pictures") {
        clearTimeout(looking);
        looking = setTimeout(besides, 60); // a key that is held down
        clearTimeout(writing);
        writing = setTimeout(() => write(false), 150);
    }
    if (what === "busy" && !deck.busy && serial > deck.serial) soon();
});

// The large view as the address says: the chosen picture, and beside it the one that stays, where that is still among those shown.
async function enlarge() {
    const {beside, hasDifference} = view; // opening the view writes the address anew
    viewer.open();
    if (!beside) return;
    try {
        const {pictures, picked, start} = await ask("/open/deck", {...view.asked(), count: 1, file: beside, around: true});
        const picture = pictures[picked - start];
        if (!picture || !viewer.isOpen || viewer.pinned || picture.id === deck.chosen.id) return;
        viewer.pin(picture, picked);
        if (hasDifference) viewer.toggleDifference();
    } catch (error) {
        part("problem").textContent = error.message;
    }
}

// Going back closes the large view, and goes forward into it again.
const changes = new MutationObserver(() => write(true));
changes.observe(viewer.box, {attributes: true, attributeFilter: ["hidden", "class"]}); // its class says whether two are shown
changes.observe(viewer.difference, {attributes: true, attributeFilter: ["hidden"]});
window.addEventListener("popstate", () => {
    const before = JSON.stringify(view.asked());
    view.read();
    if (!view.isLarge && viewer.isOpen) viewer.close();
    if (before !== JSON.stringify(view.asked())) reload({file: view.file, keep: false});
    else if (view.isLarge) enlarge();
});

function listen(curate) {
    const events = new EventSource("/open/events");
    const on = (kind, act) => events.addEventListener(kind, (event) => act(JSON.parse(event.data)));
    on("hello", (told) => {
        scoring(told.scoring);
        curate.job(told.job, true);
        if (told.serial !== deck.serial) reload();
        part("problem").textContent = "";
    });
    on("changed", (told) => {
        serial = told.serial;
        if (serial > deck.serial && !deck.busy) soon();
    });
    on("scoring", scoring);
    on("job", (told) => curate.job(told, false));
    events.onerror = () => { part("problem").textContent = text("no_answer"); };
    window.addEventListener("pagehide", () => events.close());
}

function scoring(told) {
    const time = (seconds) => (seconds >= 90 ? text("minutes", {number: Math.round(seconds / 60)}) : text("seconds", {number: Math.max(1, Math.round(seconds))}));
    const words = {
        none: () => "",
        loading: () => text("loading"),
        scoring: () => (told.total === null ? text("found", {done: number(told.done)}) : text("scoring", {done: number(told.done), total: number(told.total)}))
            + (told.seconds_left ? text("left", {time: time(told.seconds_left)}) : ""),
        watching: () => text("watching") + (told.problem ? ` (${told.problem})` : ""),
        following: () => `${text("following")}: ${told.problem}`,
        failed: () => text("failed", {problem: told.problem}),
    }[told.stage];
    part("scoring").textContent = words ? words() : "";
    part("scoring").dataset.stage = told.stage;
}

// On a small screen there is no column beside the pictures: a touch shows one large.
part("grid").addEventListener("click", (event) => {
    if (isNarrow() && event.target.closest("[data-at]")) setTimeout(() => viewer.open());
});

window.addEventListener("beforeunload", (event) => {
    if (deck.isJudging) event.preventDefault();
});

part("name").textContent = data.name;
part("name").title = data.folder;
document.title = data.name;
document.body.classList.toggle("read-only", data.readOnly);
part("preferences").replaceWith(preferences());
if (data.remark) {
    part("remark").textContent = data.remark;
    part("remark").hidden = false;
}
view.begin();
culling.attach(part("grid"), part("panel"));
part("keys-button").addEventListener("click", () => culling.act("help"));
const curate = new Curate(view, deck);
reload({start: 0, file: view.file}).then(async () => {
    if (view.isLarge) await enlarge();
    else grid.focus();
    isBegun = true;
    write(false);
    listen(curate);
});
window.imagerewardPage = {culling, view}; // for tests, and for whoever looks from the console

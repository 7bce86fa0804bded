// The frame of all pages of annotation: head, progress, the annotation document, keys, and which view is shown. The address holds the view.

import {button, make} from "./dom.js";
import {inspect} from "./inspect.js";
import {bind, shownKeys} from "./keys.js";
import {duration, people} from "./people.js";
import {quick} from "./quick.js";
import {ranks} from "./ranks.js";
import {ask, whenReached} from "./server.js";
import {start} from "./start.js";
import {work} from "./work.js";
import {data, language, preferences, text as t} from "/static/shared/page.js";

const VIEWS = {start, work, quick, ranks, inspect, people};

// Which of them somebody may see.
function viewsOf({person, facts}) {
    const isQuick = facts.mode === "quick";
    return [
        ...(person.researches ? ["start"] : []), ...(isQuick ? ["quick", "ranks"] : ["work"]), ...(person.inspects && !isQuick ? ["inspect"] : []),
        ...(person.researches ? ["people"] : []),
    ];
}

function dialog(...children) {
    const box = make("dialog", {}, ...children);
    document.body.append(box);
    box.addEventListener("close", () => box.remove());
    box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
    return box;
}

// What people read about how to judge; ``parts`` are those for what this project asks.
let guide = "";
async function openGuide(parts) {
    const read = async (name) => (await fetch(`/static/annotation/${name}.${language}.html`)).text();
    if (!guide) guide = (await Promise.all(parts.map(read))).join("");
    const text = make("article", {class: "guide", tabindex: 0});
    // Files of this package: no text of anybody else is ever put in as HTML.
    text.append(...new DOMParser().parseFromString(guide, "text/html").body.childNodes);
    const box = dialog(text, make("form", {method: "dialog"}, make("button", {class: "primary"}, t("close"), " ", make("kbd", {}, "Esc"))));
    box.classList.add("wide-dialog");
    box.addEventListener("keydown", (event) => { if (event.key === "h" && !event.ctrlKey && !event.metaKey) box.close(); });
    box.showModal();
    text.focus();
}

function openKeys() {
    const box = dialog(
        make("h2", {}, t("keys")),
        make("table", {class: "keys"}, ...shownKeys().map((row) => make("tr", {}, make("th", {}, make("kbd", {}, row.shown)), make("td", {}, row.says)))),
        make("form", {method: "dialog"}, make("button", {class: "primary"}, t("close"), " ", make("kbd", {}, "Esc"))),
    );
    box.showModal();
}

// What somebody writes, or null where they would rather not.
function askText(title, why, does) {
    return new Promise((done) => {
        const field = make("textarea", {rows: 3, maxlength: 500, "aria-label": why});
        const box = dialog(
            make("h2", {}, title), make("p", {}, why), field,
            make("div", {class: "row"}, button(does, "Ctrl Enter", () => finish(field.value), {class: "primary"}), button(t("cancel"), "Esc", () => finish(null))),
        );
        let said = null;
        const finish = (value) => {
            said = value;
            box.close();
        };
        box.addEventListener("close", () => done(said));
        field.addEventListener("keydown", (event) => {
            if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            finish(field.value);
        });
        box.showModal();
        field.focus();
    });
}

// One of several things {words, more, value}, or null where somebody wants none.
function choose(title, why, things) {
    return new Promise((done) => {
        let said = null;
        const rows = things.map(({words, more, value}) => make(
            "li", {}, button(words, "", () => {
                said = value;
                box.close();
            }, {class: "thing"}), make("span", {class: "hint"}, more),
        ));
        const box = dialog(
            make("h2", {}, title), make("p", {}, why), make("ol", {class: "things"}, ...rows),
            make("form", {method: "dialog"}, make("button", {class: "primary"}, t("close"), " ", make("kbd", {}, "Esc"))),
        );
        box.addEventListener("close", () => done(said));
        box.addEventListener("keydown", (event) => {
            const by = {ArrowDown: 1, ArrowUp: -1}[event.key];
            const buttons = [...box.querySelectorAll(".thing")];
            if (!by || !buttons.length) return;
            event.preventDefault();
            buttons[Math.max(0, Math.min(buttons.length - 1, buttons.indexOf(document.activeElement) + by))].focus();
        });
        box.showModal();
        const [first] = box.querySelectorAll(".thing");
        if (first) first.focus();
    });
}

class App {
    constructor(me) {
        this.me = me;
        this.skipsLeft = 0;
        this.views = viewsOf(me);
        this.bar = make("i");
        this.told = make("span", {class: "counts"});
        this.message = make("p", {class: "message", role: "status", hidden: true});
        this.lost = make("p", {class: "message error", role: "alert", hidden: true}, t("lost"));
        this.root = make("main", {tabindex: -1});
        const readGuide = () => openGuide(me.facts.guide);
        this.links = make("nav", {}, ...this.views.map((view) => make("a", {href: `#${view}`, "data-view": view}, t(`view.${view}`))));
        document.body.append(
            make(
                "header", {}, make("b", {class: "title"}, me.facts.title), this.links, this.told,
                make("span", {class: "tools"}, button(t("guide"), "H", readGuide), button("", "?", openKeys, {class: "keyed", "aria-label": t("keys")}), preferences()),
                make("div", {class: "bar"}, this.bar),
            ),
            this.lost, this.message, this.root,
        );
        whenReached((isReached) => { this.lost.hidden = isReached; });
        bind(() => [
            {keys: ["h"], shown: "H", says: t("guide"), does: readGuide},
            {keys: ["?"], shown: "?", says: t("keys"), does: openKeys},
        ]);
        this.leave = () => {};
        window.addEventListener("hashchange", () => this.show());
        this.show();
    }

    show() {
        const wanted = location.hash.slice(1) || data.first;
        const view = this.views.includes(wanted) ? wanted : this.views[0];
        this.leave();
        this.root.replaceChildren();
        this.root.dataset.view = view;
        this.progress(this.me.progress);
        this.say("");
        for (const link of this.links.children) link.toggleAttribute("aria-current", link.dataset.view === view);
        this.leave = VIEWS[view](this.root, this);
    }

    // Says something for a while; what went wrong stays until something else is said.
    say(words, kind = "") {
        clearTimeout(this.timer);
        this.message.textContent = words;
        this.message.hidden = !words;
        this.message.classList.toggle("error", kind === "error");
        if (words && kind !== "error") this.timer = setTimeout(() => { this.message.hidden = true; }, 4000);
    }

    busy(isBusy) {
        this.root.toggleAttribute("aria-busy", isBusy);
    }

    progress(told) {
        if (!told) return;
        this.skipsLeft = told.skips_left;
        const total = told.done + told.left;
        this.bar.style.width = total ? `${(100 * told.done) / total}%` : "0";
        const parts = total ? [t("progress", {done: told.done, total})] : [];
        if (told.seconds_left && told.left) parts.push(t("progress.time", {time: duration(told.seconds_left)}));
        if (told.skips_left !== null && this.me.facts.mode !== "quick") parts.push(t("progress.skips", {left: told.skips_left}));
        this.told.textContent = parts.join(" · ");
    }

    askText(...given) {
        return askText(...given);
    }

    choose(...given) {
        return choose(...given);
    }
}

ask("me").then((me) => new App(me), (error) => document.body.append(make("p", {class: "message error"}, error.message)));

// People of the project, as researchers see them: how far each is, and how far they choose alike with others.

import {button, make} from "./dom.js";
import {ask} from "./server.js";
import {number, text as t} from "/static/shared/page.js";

const ROLES = ["annotator", "inspector", "researcher"];
const AGAIN = 10000; // milliseconds after which all is asked anew

export const duration = (seconds) => {
    if (seconds === null || seconds === undefined) return "";
    if (seconds < 90) return t("time.seconds", {count: Math.round(seconds)});
    if (seconds < 5400) return t("time.minutes", {count: Math.round(seconds / 60)});
    return t("time.hours", {count: number(seconds / 3600, 1)});
};

const agreement = ({share, pairs}) => (share === null ? "–" : t("people.share", {share: number(100 * share, 0), pairs}));

export function people(root, app) {
    let timer = 0;
    let gone = false;
    const name = make("input", {type: "text", name: "name", required: true, maxlength: 100, placeholder: t("people.name"), "aria-label": t("people.name"), autocomplete: "off"});
    const role = make("select", {"aria-label": t("people.role")}, ...ROLES.map((each) => make("option", {value: each}, t(`role.${each}`))));
    const link = make("div", {class: "told"});
    const form = make("form", {class: "row"}, name, role, make("button", {class: "primary"}, t("people.add")));
    const table = make("div", {class: "wide"});
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        try {
            const told = await ask("people", "POST", {name: name.value, role: role.value});
            invite(told);
            name.value = "";
            await load();
        } catch (error) {
            app.say(error.message, "error");
        }
    });
    root.replaceChildren(make("h2", {}, t("people")), form, link, table);

    // The link is shown once: the store has its token as a hash alone.
    function invite({person, token}) {
        const address = `${location.origin}/annotation#token=${token}`;
        const field = make("input", {type: "text", readonly: true, value: address, "aria-label": t("people.link"), onfocus: () => field.select()});
        link.replaceChildren(make("p", {class: "note"}, t("people.link_for", {name: person.name})), field);
        field.focus();
    }

    async function load() {
        clearTimeout(timer);
        try {
            const told = await ask("people");
            if (!gone) draw(told.people);
        } catch (error) {
            app.say(error.message, "error");
        }
        if (!gone) timer = setTimeout(load, AGAIN);
    }

    function draw(all) {
        const heads = ["name", "role", "state", "done", "left", "time_each", "with_researchers", "with_ensemble", "in_test", "invalid", ""];
        table.replaceChildren(make(
            "table", {}, make("tr", {}, ...heads.map((head) => make("th", {}, head && t(`people.${head}`)))),
            ...all.map((each) => make("tr", {}, ...cells(each).map((cell) => make("td", {}, cell)))),
        ), make("p", {class: "hint"}, t("people.help")));
    }

    function cells({person, progress, researchers, ensemble, test_researchers: inTest}) {
        return [
            person.name, t(`role.${person.role}`), t(`state.${person.state}`), String(progress.done), String(progress.left),
            duration(progress.seconds_each), agreement(researchers), agreement(ensemble), agreement(inTest), String(progress.invalid),
            person.state === "removed" || person.id === app.me.person.id ? "" : button(t("people.remove"), "", () => remove(person)),
        ];
    }

    async function remove(person) {
        if (await app.askText(t("people.remove"), t("people.remove_why", {name: person.name}), t("people.remove")) === null) return;
        try {
            await ask(`people/${person.id}/remove`, "POST", {});
            await load();
        } catch (error) {
            app.say(error.message, "error");
        }
    }

    load();
    return () => {
        gone = true;
        clearTimeout(timer);
    };
}

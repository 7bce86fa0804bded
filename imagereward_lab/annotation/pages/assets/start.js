// The first page of the project's owner: what it is, how far it is, and where to go.

import {make} from "./dom.js";
import {ask} from "./server.js";
import {text as t} from "/static/shared/page.js";

export function start(root, app) {
    let gone = false;
    (async () => {
        try {
            const {results} = await ask("results");
            if (!gone) draw(app.me.facts, results);
        } catch (error) {
            app.say(error.message, "error");
        }
    })();

    function draw(facts, results) {
        const isQuick = facts.mode === "quick";
        const rows = isQuick ? [["pictures", results.ranks.length], ["comparisons", results.comparisons]] : [
            ["tasks", results.tasks], ["answers", `${results.answers} / ${results.wanted}`], ["inspected", results.inspected],
            ["invalid", results.invalid], ["skipped", results.skipped], ["each_by", facts.people],
        ];
        const ways = isQuick ? [["quick", "quick"], ["ranks", "ranks"]] : [["work", "work"], ["inspect", "inspect"]];
        root.replaceChildren(
            make("h2", {}, facts.title),
            make("p", {class: "hint"}, t(`mode.${facts.mode}`)),
            make("div", {class: "ways"}, ...[...ways, ["people", "people"]].map(([view, key]) => make("a", {class: "way", href: `#${view}`}, make("b", {}, t(`view.${key}`)), make("span", {}, t(`view.${key}.more`))))),
            make("table", {class: "facts"}, ...rows.map(([key, value]) => make("tr", {}, make("th", {}, t(`start.${key}`)), make("td", {}, String(value))))),
            make("h3", {}, t("start.more")),
            make("p", {}, t("start.people")),
            make("p", {}, t("start.export")),
        );
    }

    return () => { gone = true; };
}

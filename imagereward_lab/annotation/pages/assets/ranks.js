// Quick mode's result: the pictures in their order, each with how sure its place is.

import {make, showFirst} from "./dom.js";
import {addresses, ask} from "./server.js";
import {text as t} from "/static/shared/page.js";

const FEW = 5; // questions of a picture below which its place says little

export function ranks(root, app) {
    let gone = false;
    (async () => {
        try {
            const {results, across_prompts: across} = await ask("results");
            if (!gone) draw(results, across);
        } catch (error) {
            app.say(error.message, "error");
        }
    })();

    function draw({ranks: rows, comparisons}, across) {
        const prompts = new Map();
        for (const row of rows) {
            const group = across ? "" : row.prompt;
            prompts.set(group, [...(prompts.get(group) || []), row]);
        }
        const ends = rows.flatMap((row) => [row.low, row.high]).filter(Number.isFinite);
        const [low, high] = [Math.min(...ends, -0.1), Math.max(...ends, 0.1)];
        const share = (value) => `${(100 * (Math.min(high, Math.max(low, value)) - low)) / (high - low)}%`;
        root.replaceChildren(
            make("h2", {}, t("ranks")),
            ...(across ? [make("p", {class: "note warning"}, t("across_prompts"))] : []),
            make("p", {}, t("ranks.told", {comparisons, pictures: rows.length})),
            make(
                "p", {class: "row"}, make("a", {href: "/annotation/api/ranks.csv", download: "ranks.csv"}, "CSV"),
                make("a", {href: "/annotation/api/ranks.json", download: "ranks.json"}, "JSON"), make("a", {href: "#quick"}, t("quick.more")),
            ),
            ...[...prompts].map(([prompt, group]) => make(
                "section", {}, ...(across ? [] : [make("p", {class: "prompt"}, prompt)]),
                make("ol", {class: "ranks"}, ...group.map((row) => line(row, share))),
            )),
        );
    }

    function line(row, share) {
        const small = make("img", {alt: row.name, loading: "lazy"});
        showFirst(small, [addresses(row.image).small]);
        const [span, point] = [make("i"), make("b")];
        span.style.left = share(row.low);
        span.style.right = `calc(100% - ${share(row.high)})`;
        point.style.left = share(row.strength);
        const told = t("ranks.row", {strength: row.strength.toFixed(2), low: row.low.toFixed(2), high: row.high.toFixed(2), asked: row.asked});
        return make(
            "li", {class: row.asked < FEW ? "few" : ""}, make("b", {class: "rank"}, String(row.rank)), small,
            make("div", {}, make("span", {class: "name"}, row.name), make("div", {class: "interval", title: told}, span, point), make("small", {}, told)),
        );
    }

    return () => { gone = true; };
}

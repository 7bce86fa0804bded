// What is known of one picture, and what two have otherwise, as elements.

import {ask, hasText, make, text} from "../shared/page.js";

const label = (name) => (hasText(name) ? text(name) : name);

export async function about(asked, picture) {
    const told = await ask("/open/details", {...asked, id: picture.id});
    const paragraph = (words, attributes = {}) => make("p", {dir: "auto", ...attributes}, words);
    const said = [];
    if (told.meaning) said.push(paragraph(told.meaning, {class: "meaning"}));
    if (told.rankInPrompt) said.push(paragraph(text("in_prompt", {rank: told.rankInPrompt, all: told.scoredInPrompt})));
    if (told.reason) said.push(paragraph(told.reason, {class: told.kept ? "kept" : "rejected"}));
    for (const [name, value] of [...told.numbers, ...told.texts]) {
        said.push(make("p", {dir: "auto"}, make("b", {}, label(name)), make("span", {class: "text"}, value)));
    }
    said.push(paragraph(told.path, {class: "quiet"}));
    return make("div", {class: "about"}, ...said);
}

export async function difference(asked, one, other) {
    const {rows} = await ask("/open/difference", {...asked, one: one.id, other: other.id});
    if (!rows.length) return make("p", {}, text("same"));
    const words = (pieces) => pieces.map(([piece, isOwn]) => (isOwn ? make("mark", {}, piece) : piece));
    return make("table", {}, ...rows.map(({name, pieces}) => make(
        "tr", {}, make("th", {}, label(name)), ...pieces.map((side) => make("td", {dir: "auto"}, ...words(side))),
    )));
}

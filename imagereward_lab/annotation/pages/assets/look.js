// The large view of a task's pictures: the library page's own (imagereward_culling.js and the four it joins), without what judges there.

import {data} from "/static/shared/page.js";

const curator = window.imagerewardCurator;
curator.say = (words) => data.scripts[words] || words;
const JUDGING = ["stars", "no_stars", "keep", "reject", "undecide"];
let serial = 0;

let shared = null;
let told = () => {}; // whoever shows pictures now

// One large view for all views of the page.
function made() {
    const source = {address: (picture, size) => picture[size], wish: async ({at = 0}) => ({picked: at, problem: ""})};
    const root = document.createElement("div");
    document.body.append(root);
    const culling = curator.culling({source, root, part: () => null, without: JUDGING});
    culling.attach(document.createElement("div"), document.createElement("div"));
    culling.deck.listen((what) => { if (what === "chosen" && culling.viewer.isOpen) told(culling.deck.at); });
    return culling;
}

// Shows pictures large; {open(place), close(), isOpen}. looked(place) is told which one is seen.
export function look(looked = () => {}) {
    const culling = shared = shared || made();
    told = looked;

    return {
        take(pictures) {
            culling.viewer.close();
            const shown = pictures.map((picture, place) => ({
                id: picture.id, name: String(place + 1), caption: String(place + 1), reason: "", scored: false, kept: true, decision: null, stars: null,
                width: picture.width, height: picture.height, small: picture.small, large: picture.large,
            }));
            culling.take({serial: ++serial, start: 0, total: shown.length, pages: 1, size: shown.length, picked: 0, pictures: shown});
        },
        open(place) {
            culling.deck.go(place);
            culling.viewer.open();
        },
        compare(place) {
            culling.deck.go(place);
            culling.viewer.open();
            culling.viewer.compare();
        },
        close: () => culling.viewer.close(),
        get isOpen() { return culling.viewer.isOpen; },
    };
}

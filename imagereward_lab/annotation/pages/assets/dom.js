// Small parts of pages.

import {hasText as has, make, text as t} from "/static/shared/page.js";

export {make};
export const {showFirst} = window.imagerewardCurator;

// A button with its key beside it.
export function button(text, key, act, attributes = {}) {
    return make(
        "button", {type: "button", onclick: act, ...attributes},
        make("span", {}, text), ...(key ? [" ", make("kbd", {}, key)] : []),
    );
}

// A choice of a group, by mouse, finger, and the group's own keys.
export function choice(kind, group, value, text, key, chosen, act) {
    const input = make("input", {type: kind, name: group, value, checked: chosen});
    input.addEventListener("change", () => act(input.checked));
    return make("label", {class: "choice"}, input, make("span", {}, text), ...(key ? [make("kbd", {}, key)] : []));
}

// A picture with its number, as sentences name it; ``open`` shows it large.
export function card(picture, place, open, ...more) {
    const shown = make("img", {alt: t("picture", {number: place + 1}), draggable: "false"});
    showFirst(shown, [picture.small]);
    const large = make(
        "button", {type: "button", class: "large", title: t("large"), "aria-label": `${t("large")} ${place + 1}`, tabindex: -1}, "⤢",
    );
    large.addEventListener("click", (event) => {
        event.stopPropagation();
        open(place);
    });
    return make(
        "div", {class: "card", tabindex: 0, "data-id": picture.id, "data-place": place},
        shown, make("b", {class: "number"}, String(place + 1)), large, ...more,
    );
}

// The sentence of a fault in the page's language; the server's own, in English, for one that the table does not know.
export function faultText({code, message, values}) {
    const told = {...values};
    if (told.rating) told.rating = t(`rating.${told.rating}`);
    return has(`fault.${code}`) ? t(`fault.${code}`, told) : message;
}

const MOST_FAULTS = 5; // one that is mended often mends others

// Says in a place of the page what is wrong; "follow" makes of each sentence a way to where it can be mended.
export function sayFaults(place, faults, follow = null) {
    const sentences = faults.slice(0, MOST_FAULTS).map((fault) => make(
        "li", {"data-code": fault.code}, follow ? button(faultText(fault), "", () => follow(fault), {class: "plain"}) : faultText(fault),
    ));
    if (faults.length > MOST_FAULTS) sentences.push(make("li", {}, t("faults.more", {count: faults.length - MOST_FAULTS})));
    place.replaceChildren(...(faults.length ? [make("ul", {class: "faults", role: "alert"}, ...sentences)] : []));
}

// Seconds for which somebody has a page before them.
export class Watch {
    constructor() {
        this.start();
        this.turn = () => {
            if (document.hidden) this.seen += performance.now() - this.since;
            this.since = performance.now();
        };
        document.addEventListener("visibilitychange", this.turn);
    }

    start() {
        this.seen = 0;
        this.since = performance.now();
    }

    get seconds() {
        const now = document.hidden ? 0 : performance.now() - this.since;
        return Math.round((this.seen + now) / 100) / 10;
    }

    end() {
        document.removeEventListener("visibilitychange", this.turn);
    }
}

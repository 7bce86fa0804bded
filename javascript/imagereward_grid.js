// A page of small pictures, and the chosen one beside it with its buttons. Shows a deck (imagereward_deck.js) in two elements that it is
// given; knows no program.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};

    // An element with attributes and children; texts stand in elements of their own, where translations find them.
    function make(tag, attributes = {}, ...children) {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) {
            if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
            else if (value === true) element.setAttribute(name, "");
            else if (value !== false && value !== null) element.setAttribute(name, value);
        }
        element.append(...children);
        return element;
    }

    // The words of these scripts in the language of the page; a page that has translations puts a function of its own here. A WebUI
    // translates what stands in elements by itself.
    const say = (words) => (curator.say ? curator.say(words) : words);

    const AGAIN = [2000, 8000, 30000]; // milliseconds after which a picture that could not be had is asked for again
    const GREY = "data:image/gif;base64,R0lGODlhAQABAIAAAICAgAAAACwAAAAAAQABAAACAkQBADs=";

    // Shows the first of some addresses that can be had, or grey, and asks for the first again where it could not be had.
    function showFirst(image, addresses, times = 0) {
        let place = 0;
        image.wanted = addresses;
        image.onerror = () => {
            const again = () => { if (image.isConnected && image.wanted === addresses) showFirst(image, addresses, times + 1); };
            if (!place && times < AGAIN.length) setTimeout(again, AGAIN[times]);
            place += 1;
            if (place <= addresses.length) image.src = addresses[place] || GREY;
        };
        image.src = addresses[0];
    }

    // A button that does not take the focus away from the pictures when it is clicked.
    function button(name, text, act, attributes = {}) {
        return make(
            "button",
            {
                type: "button", "data-do": name, onclick: act, onmousedown: (event) => event.preventDefault(), ...attributes,
                ...("aria-label" in attributes ? {"aria-label": say(attributes["aria-label"])} : {}),
            },
            make("span", {}, say(text)),
        );
    }

    // Buttons for the stars and the decision about the chosen picture; ``mark`` shows what they are for another one. ``without`` names
    // actions that have no buttons.
    function judging(deck, without = []) {
        // A click on the stars that it has takes them away.
        const rate = (number) => deck.rate(deck.chosen && !deck.going && deck.chosen.stars === number ? null : number);
        const stars = [0, 1, 2, 3, 4, 5].map((number) => button(
            "stars", number ? "★" : "0", () => rate(number), {"data-stars": number, "aria-label": `${number}/5`},
        ));
        const decisions = [
            ["keep", "Keep", true], ["reject", "Reject", false], ["undecide", "By the filter", null],
        ].map(([name, text, kept]) => button(name, text, () => deck.decide(kept)));
        const box = make(
            "div", {class: "imagereward-judging"},
            make("span", {class: "imagereward-stars", role: "group", hidden: without.includes("stars")}, ...stars),
            make("span", {class: "imagereward-decisions", role: "group", hidden: without.includes("keep")}, ...decisions),
        );
        return {box, mark(picture) {
            const given = picture ? picture.stars : null;
            stars.forEach((each, number) => {
                each.classList.toggle("imagereward-on", given !== null && (number ? number <= given : given === 0));
                each.setAttribute("aria-pressed", String(given === number));
            });
            const decision = picture ? picture.decision : null;
            decisions.forEach((each, place) => each.setAttribute("aria-pressed", String([true, false, null][place] === decision)));
            for (const each of [...stars, ...decisions]) each.disabled = !picture;
        }};
    }

    // A line that says what went wrong with the last wish, while something did.
    function problem(deck) {
        const line = make("p", {class: "imagereward-message imagereward-error", role: "alert", hidden: true});
        deck.listen((what) => {
            if (what !== "problem") return;
            line.textContent = say(deck.problem);
            line.hidden = !deck.problem;
        });
        return line;
    }

    // A place for a small picture, with nothing in it yet.
    function emptyThumb(attributes = {}) {
        return make(
            "div", {role: "option", tabindex: -1, class: "imagereward-thumb"},
            make("img", {alt: "", draggable: "false", ...attributes}), make("span", {class: "imagereward-caption"}),
        );
    }

    // Puts a picture into such a place, whatever was in it before.
    function fillThumb(thumb, source, picture, at) {
        const [shown, caption, before] = thumb.children;
        shown.alt = shown.title = picture.name;
        const address = source.address(picture, "small");
        if (!shown.wanted || shown.wanted[0] !== address) showFirst(shown, [address]);
        caption.textContent = picture.caption;
        thumb.dataset.at = at;
        thumb.dataset.id = picture.id;
        thumb.setAttribute("aria-label", `${picture.caption} ${picture.name}`);
        thumb.classList.toggle("imagereward-out", !picture.kept);
        const hand = picture.decision === null ? "" : picture.decision ? "✓" : "✕";
        if (before && before.textContent !== hand) before.remove();
        if (hand && (!before || before.textContent !== hand)) {
            thumb.append(make("span", {class: "imagereward-hand", "aria-hidden": "true"}, hand));
        }
    }

    class Grid {
        // deck; acts(name): what a button means, by the names of imagereward_keys.js.
        constructor(deck, acts) {
            this.deck = deck;
            this.acts = acts;
            this.box = this.panel = null;
            this.told = problem(deck);
            this.shown = ""; // address of the picture in the panel
            // A "dblclick" is lost where the page was drawn anew between the two; the second click knows that it is one.
            this.listen = (event) => this.clicked(event, event.detail === 2);
            deck.listen((what) => {
                if (what === "pictures") this.draw();
                if (what !== "busy") this.mark();
            });
        }

        // Shows the deck in ``box`` and the chosen picture in ``panel`` from now on.
        attach(box, panel) {
            if (box === this.box && panel === this.panel) return;
            if (this.box) this.box.removeEventListener("click", this.listen); // often it is the same one
            this.box = box;
            this.panel = panel;
            box.setAttribute("role", "listbox");
            box.addEventListener("click", this.listen);
            this.fillPanel();
            this.draw();
            this.mark();
        }

        clicked(event, twice) {
            const thumb = event.target.closest("[data-at]");
            if (!thumb) return;
            thumb.focus({preventScroll: true}); // some browsers do not by themselves
            const {at, id} = thumb.dataset;
            this.deck.inTurn(() => this.deck.go(Number(at), id));
            if (twice) this.acts("open");
        }

        draw() {
            if (!this.box) return;
            const focused = this.box.contains(document.activeElement);
            this.box.replaceChildren(...this.deck.pictures.map((picture, place) => this.thumb(picture, this.deck.start + place)));
            this.box.scrollTop = 0;
            this.mark();
            if (focused) this.focus();
        }

        thumb(picture, at) {
            const thumb = emptyThumb({loading: "lazy"});
            fillThumb(thumb, this.deck.source, picture, at);
            return thumb;
        }

        mark() {
            if (!this.box) return;
            const thumbs = [...this.box.children];
            const chosen = this.deck.at - this.deck.start;
            thumbs.forEach((thumb, place) => {
                thumb.classList.toggle("imagereward-picked", place === chosen);
                thumb.setAttribute("aria-selected", String(place === chosen));
                thumb.tabIndex = place === chosen || (place === 0 && !thumbs[chosen]) ? 0 : -1;
            });
            const thumb = thumbs[chosen];
            if (thumb) {
                // Only the grid scrolls, never the page.
                const top = thumb.offsetTop - this.box.offsetTop, bottom = top + thumb.offsetHeight;
                if (top < this.box.scrollTop) this.box.scrollTop = top;
                else if (bottom > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = bottom - this.box.clientHeight;
                if (this.box.contains(document.activeElement)) thumb.focus({preventScroll: true});
            }
            this.markPanel();
        }

        // Puts the focus on the chosen picture, or on the first one.
        focus() {
            const thumb = this.box && (this.box.querySelector(".imagereward-picked") || this.box.firstElementChild);
            if (thumb) thumb.focus({preventScroll: true});
        }

        // How many pictures a step of a page goes on.
        get page() {
            return this.deck.size;
        }

        // How many pictures stand in a row.
        get columns() {
            const thumbs = this.box ? [...this.box.children] : [];
            const next = thumbs.findIndex((thumb) => thumb.offsetTop > thumbs[0].offsetTop);
            return next > 0 ? next : Math.max(1, thumbs.length);
        }

        fillPanel() {
            const {deck, acts} = this;
            this.shown = "";
            this.image = make("img", {alt: ""});
            this.judging = judging(deck);
            this.panel.replaceChildren(
                make("div", {class: "imagereward-frame", title: "", onclick: () => acts("open")}, this.image),
                make(
                    "div", {class: "imagereward-steps"},
                    button("back", "←", () => acts("back"), {"aria-label": "Picture back"}),
                    button("open", "Large view", () => acts("open")),
                    button("compare", "Side by side", () => acts("compare")),
                    button("help", "?", () => acts("help"), {"aria-label": "These keys"}),
                    button("on", "→", () => acts("on"), {"aria-label": "Picture on"}),
                ),
                this.judging.box,
                this.told,
            );
        }

        markPanel() {
            const picture = this.deck.chosen;
            this.panel.classList.toggle("imagereward-empty", !picture);
            this.judging.mark(picture);
            const address = picture ? this.deck.source.address(picture, "large") : "";
            if (this.shown === address) return;
            this.shown = address;
            if (picture) {
                showFirst(this.image, [address, this.deck.source.address(picture, "small")]);
                this.image.alt = picture.name;
            } else {
                this.image.wanted = null;
                this.image.removeAttribute("src");
            }
        }
    }

    Object.assign(curator, {AGAIN, Grid, make, button, emptyThumb, fillThumb, judging, problem, words: say, showFirst});
})();

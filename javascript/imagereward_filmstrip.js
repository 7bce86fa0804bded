// A strip of small pictures around the chosen one, below the large view. Shows a deck (imagereward_deck.js); knows no program.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};
    const SIDE = 76; // pixels of the page that one takes
    const MOST = 41;

    class Filmstrip {
        constructor(deck) {
            this.deck = deck;
            this.thumbs = [];
            this.box = curator.make("div", {
                class: "imagereward-strip", role: "listbox", "aria-label": curator.words("Pictures before and after"),
                onclick: (event) => {
                    const thumb = event.target.closest("[data-at]");
                    if (thumb) deck.inTurn(() => deck.go(Number(thumb.dataset.at), thumb.dataset.id));
                },
                onmousedown: (event) => event.preventDefault(), // the focus stays where keys are heard
            });
        }

        // As many as there is room for, the chosen one in the middle; the same elements each time.
        draw() {
            const {deck} = this;
            const number = Math.min(MOST, 2 * Math.ceil(this.box.clientWidth / SIDE / 2) + 1);
            while (this.thumbs.length < number) this.thumbs.push(curator.emptyThumb());
            if (this.box.children.length !== number) this.box.replaceChildren(...this.thumbs.slice(0, number));
            const first = deck.at - (number - 1) / 2;
            deck.look(Math.floor(first), Math.floor(first) + number);
            this.thumbs.slice(0, number).forEach((thumb, place) => {
                const at = first + place;
                const picture = at >= 0 ? deck.picture(at) : null;
                thumb.style.visibility = picture ? "" : "hidden";
                if (picture) curator.fillThumb(thumb, deck.source, picture, at);
                thumb.classList.toggle("imagereward-picked", at === deck.at);
                thumb.setAttribute("aria-selected", String(at === deck.at));
            });
        }

        empty() {
            this.thumbs = [];
            this.box.replaceChildren();
        }
    }

    curator.Filmstrip = Filmstrip;
})();

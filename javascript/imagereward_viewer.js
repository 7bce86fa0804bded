// The large view: one picture or two side by side, fitted or pixel by pixel, on the page or on the whole screen. Shows a deck
// (imagereward_deck.js); knows no program.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};
    const CLOSEST = 16; // pixels of the screen per pixel of the picture
    const STEP = 1.25;

    class Viewer {
        // deck; acts(name, key): what a button means; root: the element it is put into; after(): called when it closed and what had the
        // focus before is no longer there; without: names of actions that have no buttons; strip: whether small pictures run below the
        // large one.
        constructor(deck, acts, root, after, without = [], strip = false) {
            this.after = after;
            this.without = without;
            this.deck = deck;
            this.acts = acts;
            this.zoom = {scale: 0, x: 0.5, y: 0.5};
            this.pinned = null; // the picture that stays, while two are shown, and its place: {picture, at}
            this.before = null; // what had the focus
            const lay = () => this.lay();
            this.panes = [new curator.Pane(lay), new curator.Pane(lay)];
            this.strip = strip ? new curator.Filmstrip(deck) : null;
            this.told = {difference: "", about: ""}; // of which pictures something is said beside them
            this.build(root);
            deck.listen((what) => {
                if (what === "pictures") this.part();
                if (what !== "busy" && this.isOpen) this.draw();
            });
        }

        build(root) {
            const {make, button} = curator;
            const press = (name) => () => this.acts(name);
            this.judging = curator.judging(this.deck, this.without);
            this.place = make("span", {class: "imagereward-place"});
            this.stage = make("div", {class: "imagereward-stage"}, ...this.panes.map((pane) => pane.box));
            this.keys = make("div", {
                class: "imagereward-help", role: "dialog", "aria-label": curator.words("These keys"), hidden: true,
                onclick: () => { this.keys.hidden = true; }, // on a phone there is no Esc
                onmousedown: (event) => event.preventDefault(), // the focus stays where keys are heard
            });
            this.wrong = curator.problem(this.deck);
            this.difference = make("div", {class: "imagereward-difference", hidden: true});
            this.about = make("aside", {class: "imagereward-about", hidden: true});
            this.bar = make(
                "div", {class: "imagereward-bar", role: "toolbar"},
                button("back", "←", press("back"), {"aria-label": "Picture back"}), this.place,
                button("on", "→", press("on"), {"aria-label": "Picture on"}),
                button("zoom", "1:1", press("zoom")),
                button("compare", "Side by side", press("compare")),
                button("swap", "Exchange", press("swap")),
                ...(this.deck.source.difference ? [button("difference", "Difference", press("difference"))] : []),
                ...(this.deck.source.about ? [button("about", "Info", press("about"))] : []),
                this.judging.box,
                button("full", "Full screen", press("full")),
                button("help", "?", press("help"), {"aria-label": "These keys"}),
                button("close", "Close", press("close")),
            );
            this.box = make(
                "div",
                {class: "imagereward-viewer", role: "dialog", "aria-modal": "true", "aria-label": curator.words("Large view"), tabindex: -1, hidden: true},
                this.stage, this.difference, this.wrong, ...(this.strip ? [this.strip.box] : []), this.bar, this.about,
            );
            this.root = root;
            curator.watchPointer(this);
            new ResizeObserver(() => this.lay()).observe(this.stage);
            root.append(this.box);
        }

        get isOpen() {
            return !this.box.hidden;
        }

        // Whether the keys are shown.
        get helps() {
            return !this.keys.hidden;
        }

        open() {
            if (this.isOpen || !this.deck.chosen) return;
            this.before = document.activeElement;
            this.zoom = {scale: 0, x: 0.5, y: 0.5};
            this.keys.hidden = true;
            this.box.hidden = false;
            document.documentElement.classList.add("imagereward-covered");
            this.draw();
            this.box.focus({preventScroll: true});
        }

        close() {
            if (!this.isOpen) return;
            if (document.fullscreenElement) document.exitFullscreen();
            this.pinned = null;
            this.keys.hidden = true;
            this.box.hidden = true;
            document.documentElement.classList.remove("imagereward-covered");
            for (const pane of this.panes) pane.show(null);
            if (this.strip) this.strip.empty();
            for (const box of [this.difference, this.about]) box.hidden = true;
            if (this.before && this.before.isConnected && this.before !== document.body) this.before.focus({preventScroll: true});
            else this.after();
        }

        // One step back: the help, then the second picture, then the view.
        leave() {
            if (this.helps) this.keys.hidden = true;
            else if (!this.about.hidden) this.toggleAbout();
            else if (this.pinned) this.compare();
            else this.close();
        }

        draw() {
            const {deck} = this;
            if (!deck.chosen) return this.close();
            if (this.pinned) { // what is known of it may have changed
                this.pinned.picture = deck.pictures.find((picture) => picture.id === this.pinned.picture.id) || this.pinned.picture;
            }
            this.box.classList.toggle("imagereward-two", Boolean(this.pinned));
            this.panes[0].box.hidden = !this.pinned;
            this.panes[0].show(this.pinned && this.pinned.picture, this.pinned && this.addresses(this.pinned.picture));
            this.panes[1].show(deck.chosen, this.addresses(deck.chosen));
            this.judging.mark(deck.chosen);
            this.place.textContent = `${deck.at + 1} / ${deck.total}`;
            this.bar.querySelector("[data-do=swap]").disabled = !this.pinned;
            this.bar.querySelector("[data-do=compare]").setAttribute("aria-pressed", String(Boolean(this.pinned)));
            if (!this.pinned) this.difference.hidden = true;
            this.tellBeside();
            if (this.strip) this.strip.draw();
            this.lay();
            for (const at of [deck.at + 1, deck.at - 1]) { // so that the next step shows at once
                const next = deck.picture(at);
                if (next) new Image().src = this.addresses(next).large;
            }
        }

        // What the two have otherwise, below them, and what is known of the chosen one, beside it; "source" has the words.
        toggleDifference() {
            this.difference.hidden = !this.difference.hidden || !this.pinned || !this.deck.source.difference;
            this.tellBeside();
            this.lay();
        }

        toggleAbout() {
            this.about.hidden = !this.about.hidden || !this.deck.source.about;
            this.tellBeside();
        }

        tellBeside() {
            const {deck, pinned} = this;
            const says = (name, isShown, pictures, ask) => {
                const button = this.bar.querySelector(`[data-do=${name}]`);
                if (button) button.setAttribute("aria-pressed", String(isShown));
                if (button && name === "difference") button.disabled = !pinned;
                const key = isShown ? pictures.map((picture) => `${picture.id} ${picture.caption} ${picture.reason}`).join(" ") : "";
                if (key === this.told[name]) return;
                this.told[name] = key;
                if (!key) return void this[name].replaceChildren();
                ask(...pictures).then(
                    (element) => { if (this.told[name] === key) this[name].replaceChildren(element); },
                    (error) => { if (this.told[name] === key) this[name].replaceChildren(error.message); },
                ).then(() => this.lay());
            };
            const two = pinned && deck.chosen ? [pinned.picture, deck.chosen] : [];
            says("difference", !this.difference.hidden && two.length === 2, two, (...both) => deck.source.difference(...both));
            says("about", !this.about.hidden, [deck.chosen], (one) => deck.source.about(one));
        }

        addresses(picture) {
            const {source} = this.deck;
            return {small: source.address(picture, "small"), large: source.address(picture, "large")};
        }

        lay() {
            if (!this.isOpen) return;
            for (const pane of this.panes) if (!pane.box.hidden) pane.place(this.zoom);
            this.bar.querySelector("[data-do=zoom]").setAttribute("aria-pressed", String(this.zoom.scale > 0));
            this.box.dataset.scale = this.zoom.scale ? (this.zoom.scale * devicePixelRatio).toFixed(3) : "fit";
        }

        // Fitted, or one pixel of the screen for each of the picture, around a point of it.
        toggleZoom(x = 0.5, y = 0.5) {
            if (this.zoom.scale) return this.fit();
            this.zoom = {scale: 1 / devicePixelRatio, x, y};
            this.lay();
        }

        // Closer (factor above 1) or farther; ``point`` of the page stays where it is.
        scaleBy(factor, point = null) {
            const pane = this.paneAt(point) || this.panes[1];
            const before = this.zoom.scale || pane.fit;
            const whole = 1 / devicePixelRatio;
            const scale = Math.min(CLOSEST * whole, Math.max(Math.min(pane.fit, whole), before * factor));
            if (factor < 1 && scale <= pane.fit && pane.fit <= whole) return this.fit();
            const edge = pane.box.getBoundingClientRect();
            const [across, down] = pane.room;
            const away = point ? [point.clientX - edge.left - across / 2, point.clientY - edge.top - down / 2] : [0, 0];
            const [width, height] = pane.natural;
            const x = this.zoom.x + away[0] * (1 / before - 1 / scale) / width;
            const y = this.zoom.y + away[1] * (1 / before - 1 / scale) / height;
            this.zoom = {scale, x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y))};
            this.lay();
        }

        // Gives a picture another size, ``point`` of which (0..1) is to be at a place of the page, both [across, down].
        hold(pane, point, wanted, place) {
            const whole = 1 / devicePixelRatio;
            const scale = Math.min(CLOSEST * whole, Math.max(Math.min(pane.fit, whole), wanted));
            if (scale <= pane.fit && pane.fit <= whole) return this.fit();
            const edge = pane.box.getBoundingClientRect();
            const away = [place[0] - edge.left - pane.room[0] / 2, place[1] - edge.top - pane.room[1] / 2];
            this.zoom = {...this.zoom, scale};
            this.moveTo(pane, ...point.map((value, side) => value - away[side] / (pane.natural[side] * scale)));
        }

        // Moves what is enlarged by a fifth of the view, towards where the arrow points.
        pan(key) {
            if (!this.zoom.scale) return;
            const [right, down] = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[key];
            const pane = this.panes[1];
            this.moveTo(
                pane,
                this.zoom.x + right * pane.room[0] / 5 / (pane.natural[0] * this.zoom.scale),
                this.zoom.y + down * pane.room[1] / 5 / (pane.natural[1] * this.zoom.scale),
            );
        }

        // Puts a point of the picture (0..1) into the middle of a pane, as far as there is picture to be moved.
        moveTo(pane, ...point) {
            const [x, y] = point.map((value, side) => {
                const half = Math.min(0.5, pane.room[side] / 2 / (pane.natural[side] * this.zoom.scale));
                return Math.min(1 - half, Math.max(half, value));
            });
            this.zoom = {...this.zoom, x, y};
            this.lay();
        }

        fit() {
            this.zoom = {scale: 0, x: 0.5, y: 0.5};
            this.lay();
        }

        paneAt(point) {
            return point ? this.panes.find((pane) => !pane.box.hidden && pane.box.contains(point.target)) : null;
        }

        // Two pictures: this one stays on the left, the next one is on the right; or one again.
        compare() {
            if (this.pinned) {
                this.pinned = null;
                return this.draw();
            }
            if (this.deck.total < 2) return;
            this.pin(this.deck.chosen, this.deck.at);
            this.deck.go(this.deck.at + (this.deck.at + 1 < this.deck.total ? 1 : -1));
        }

        // Puts a picture, which is at a place among all, beside the chosen one; it stays while others pass.
        pin(picture, at) {
            this.pinned = {picture, at};
            this.draw();
        }

        swap() {
            if (!this.pinned) return;
            const {picture, at} = this.pinned;
            this.pinned = {picture: this.deck.chosen, at: this.deck.at};
            this.deck.go(at, picture.id);
        }

        // After a picture left, the one that stays may have come beside itself: then the next one is there, or it is alone.
        part() {
            const {deck} = this;
            if (deck.going || !this.isPinned(deck.chosen)) return;
            if (deck.total < 2) this.pinned = null;
            else deck.go(deck.at + (deck.at + 1 < deck.total ? 1 : -1));
        }

        // Whether a picture is the one that stays while others pass.
        isPinned(picture) {
            return Boolean(this.pinned && picture && this.pinned.picture.id === picture.id);
        }

        toggleFull() {
            if (document.fullscreenElement) document.exitFullscreen();
            else if (this.box.requestFullscreen) this.box.requestFullscreen().catch(() => {});
        }

        // The keys and what they mean: over the view, or over the page where it is closed; or none again.
        help(rows) {
            (this.isOpen ? this.box : this.root).append(this.keys); // in a full screen only what is in the view is seen
            this.keys.replaceChildren(curator.make("table", {}, ...rows.map(([shown, says]) => curator.make(
                "tr", {}, curator.make("th", {}, curator.make("kbd", {}, shown)), curator.make("td", {}, curator.words(says)),
            ))));
            this.keys.hidden = !this.keys.hidden;
        }

        // The focus stays in the view while it is open.
        keepFocus(event) {
            const all = [...this.bar.querySelectorAll("button:not([disabled])")];
            const place = all.indexOf(document.activeElement);
            const next = event.shiftKey ? (place <= 0 ? all.length : place) - 1 : (place + 1) % all.length;
            event.preventDefault();
            all[next].focus();
        }
    }

    Object.assign(curator, {Viewer, STEP});
})();

// One long page of small pictures, of which only the rows that are seen are there: however many there are, it takes the same memory. A
// grid (imagereward_grid.js) over a deck whose source can "look"; knows no program.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};
    const LEAST = 150; // pixels of the page that a small picture is wide at least
    const NARROW = 100; // the same where the page is narrow
    const GAP = 6;
    const SPARE = 2; // rows above and below those that are seen

    class Rows extends curator.Grid {
        constructor(deck, acts) {
            super(deck, acts);
            this.thumbs = new Map(); // elements by the place they show
            this.spare = []; // elements that show nothing now
            this.columns_ = 1;
            this.side = LEAST;
            this.markedAt = -1;
            this.drawing = 0;
            this.scrolled = () => { if (!this.drawing) this.drawing = requestAnimationFrame(() => this.show()); };
            this.sizes = new ResizeObserver(() => this.draw());
        }

        attach(box, panel) {
            if (box === this.box && panel === this.panel) return;
            if (this.box) {
                this.box.removeEventListener("scroll", this.scrolled);
                this.sizes.unobserve(this.box);
            }
            this.thumbs.clear();
            this.spare = [];
            this.length = curator.make("div", {class: "imagereward-length"});
            box.replaceChildren(this.length);
            box.classList.add("imagereward-rows");
            box.tabIndex = -1;
            super.attach(box, panel);
            box.addEventListener("scroll", this.scrolled, {passive: true});
            this.sizes.observe(box);
        }

        get columns() {
            return this.columns_;
        }

        // As many as are seen at once, in whole rows.
        get page() {
            const rows = this.box ? Math.floor(this.box.clientHeight / this.side) : 1;
            return this.columns_ * Math.max(1, rows);
        }

        draw() {
            if (!this.box) return;
            const wide = this.box.clientWidth - GAP;
            const least = wide < 600 ? NARROW : LEAST;
            const first = this.columns_ * Math.floor(this.box.scrollTop / this.side);
            const before = this.columns_;
            this.columns_ = Math.max(1, Math.floor(wide / (least + GAP)));
            this.side = Math.max(1, wide / this.columns_);
            this.length.style.height = `${Math.ceil(this.deck.total / this.columns_) * this.side + GAP}px`;
            if (before !== this.columns_ && first) this.box.scrollTop = Math.floor(first / this.columns_) * this.side;
            this.show();
            this.mark();
        }

        // Puts elements where rows are seen, and takes those that are seen no longer for them.
        show() {
            this.drawing = 0;
            if (!this.box) return;
            const {deck, side} = this;
            const top = Math.max(0, Math.floor(this.box.scrollTop / side) - SPARE);
            const bottom = Math.ceil((this.box.scrollTop + this.box.clientHeight) / side) + SPARE;
            const from = Math.min(top * this.columns_, deck.total), to = Math.min(bottom * this.columns_, deck.total);
            for (const [at, thumb] of this.thumbs) {
                if (at >= from && at < to) continue;
                this.thumbs.delete(at);
                this.spare.push(thumb);
                if (thumb === document.activeElement) this.box.focus({preventScroll: true}); // keys go on being heard
            }
            for (let at = from; at < to; at += 1) this.put(at);
            for (const thumb of this.spare.splice(this.columns_ * 2)) thumb.remove();
            for (const thumb of this.spare) thumb.style.display = "none";
            this.markThumbs();
            deck.look(from, to);
        }

        put(at) {
            let thumb = this.thumbs.get(at);
            if (!thumb) {
                thumb = this.spare.pop();
                if (!thumb) {
                    thumb = curator.emptyThumb({decoding: "async"});
                    this.length.append(thumb);
                }
                this.thumbs.set(at, thumb);
            }
            const size = this.side - GAP;
            const left = GAP + (at % this.columns_) * this.side, top = GAP + Math.floor(at / this.columns_) * this.side;
            Object.assign(thumb.style, {display: "", width: `${size}px`, height: `${size}px`, transform: `translate(${left}px, ${top}px)`});
            const picture = this.deck.picture(at);
            if (picture) curator.fillThumb(thumb, this.deck.source, picture, at);
            else this.clear(thumb, at);
        }

        // A place whose picture is still on its way.
        clear(thumb, at) {
            const [shown, caption, hand] = thumb.children;
            shown.wanted = null;
            shown.onerror = null;
            shown.removeAttribute("src");
            shown.alt = shown.title = caption.textContent = "";
            if (hand) hand.remove();
            thumb.dataset.at = at;
            delete thumb.dataset.id;
            thumb.setAttribute("aria-label", String(at + 1));
            thumb.classList.remove("imagereward-out");
        }

        mark() {
            if (!this.box) return;
            if (this.markedAt !== this.deck.at) {
                this.markedAt = this.deck.at;
                if (this.deck.at >= 0) this.reveal(this.deck.at);
            }
            this.markThumbs();
            this.markPanel();
        }

        markThumbs() {
            const {at} = this.deck;
            const hasFocus = this.box.contains(document.activeElement);
            const [first] = this.thumbs.size ? [Math.min(...this.thumbs.keys())] : [-1];
            for (const [place, thumb] of this.thumbs) {
                thumb.classList.toggle("imagereward-picked", place === at);
                thumb.setAttribute("aria-selected", String(place === at));
                thumb.tabIndex = place === at || (place === first && !this.thumbs.has(at)) ? 0 : -1;
            }
            const chosen = this.thumbs.get(at);
            if (hasFocus && chosen && document.activeElement !== chosen) chosen.focus({preventScroll: true});
        }

        // Scrolls as little as brings a place into sight; only the grid scrolls, never the page.
        reveal(at) {
            const top = Math.floor(at / this.columns_) * this.side, bottom = top + this.side + GAP;
            if (top < this.box.scrollTop) this.box.scrollTop = top;
            else if (bottom > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = bottom - this.box.clientHeight;
            this.show();
        }

        focus() {
            const thumb = this.thumbs.get(this.deck.at) || this.thumbs.get(Math.min(...this.thumbs.keys()));
            if (thumb) thumb.focus({preventScroll: true});
        }
    }

    curator.Rows = Rows;
})();

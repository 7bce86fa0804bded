// One picture in its half, or all, of the large view (imagereward_viewer.js): loaded, placed and drawn as the zoom says.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};

    // A place in a box that begins at ``edge``, moved to the next whole pixel of the screen: between two, 1:1 would be a blur.
    function whole(place, edge) {
        return Math.round((place + edge) * devicePixelRatio) / devicePixelRatio - edge;
    }

    // One picture in its half, or all, of the view.
    class Pane {
        constructor(zoomed) {
            this.image = curator.make("img", {alt: "", draggable: "false"});
            this.note = curator.make("figcaption");
            this.box = curator.make("figure", {class: "imagereward-pane"}, this.image, this.note);
            this.zoomed = zoomed; // asks for all panes to be laid out
            this.picture = null;
            this.natural = [1, 1]; // pixels of the picture
        }

        show(picture, addresses) {
            const told = picture ? [picture.caption, picture.name, picture.reason] : [];
            this.note.textContent = told.filter((text, place) => text && (place !== 1 || !told[0].includes(text))).join(" · ");
            this.box.classList.toggle("imagereward-out", Boolean(picture && !picture.kept));
            if (this.picture && picture && this.picture.id === picture.id) {
                this.picture = picture;
                return;
            }
            this.picture = picture;
            this.box.classList.remove("imagereward-broken");
            this.image.wanted = null;
            if (!picture) return this.image.removeAttribute("src");
            // The small one stands in until the large one is there.
            this.natural = [picture.width || 1, picture.height || 1];
            curator.showFirst(this.image, [addresses.small]);
            this.image.alt = picture.name;
            this.box.classList.add("imagereward-loading");
            this.fetch(picture.id, addresses.large);
            this.zoomed();
        }

        // Shows the large one once it is there; where it cannot be had it is asked for again.
        fetch(id, address, times = 0) {
            const large = new Image();
            const isWanted = () => this.picture && this.picture.id === id;
            large.onload = () => {
                if (!isWanted()) return;
                this.natural = [large.naturalWidth, large.naturalHeight];
                curator.showFirst(this.image, [address]);
                this.box.classList.remove("imagereward-loading", "imagereward-broken");
                this.zoomed();
            };
            large.onerror = () => {
                if (!isWanted()) return;
                this.box.classList.remove("imagereward-loading");
                this.box.classList.add("imagereward-broken");
                const again = () => { if (isWanted()) this.fetch(id, address, times + 1); };
                if (times < curator.AGAIN.length) setTimeout(again, curator.AGAIN[times]);
            };
            large.src = address;
        }

        // Where the picture may be: all of the box but the line below.
        get room() {
            return [this.box.clientWidth, this.box.clientHeight - this.note.offsetHeight];
        }

        // Pixels of the page per pixel of the picture when all of it is seen.
        get fit() {
            const [across, down] = this.room;
            return Math.min(across / this.natural[0], down / this.natural[1]) || 1;
        }

        // Puts the picture where the zoom says: ``scale`` pixels of the page per pixel of the picture (0 fits), the point ``x``, ``y``
        // of the picture (0..1) in the middle of the pane.
        place({scale, x, y}) {
            const [width, height] = this.natural.map((side) => side * (scale || this.fit));
            const edge = this.box.getBoundingClientRect();
            const left = whole(this.offset(this.room[0], width, x), edge.left);
            const top = whole(this.offset(this.room[1], height, y), edge.top);
            Object.assign(this.image.style, {width: `${width}px`, height: `${height}px`, left: `${left}px`, top: `${top}px`});
            this.image.style.imageRendering = scale * devicePixelRatio >= 2 ? "pixelated" : "";
        }

        // Where a side begins: centred where it is smaller than the pane, else without a gap at either end.
        offset(room, side, middle) {
            if (side <= room) return (room - side) / 2;
            return Math.min(0, Math.max(room - side, room / 2 - middle * side));
        }
    }

    Object.assign(curator, {Pane});
})();

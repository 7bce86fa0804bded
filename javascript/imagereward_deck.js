// The pictures that are shown, in their order, and the chosen one. Knows no page and no program: what it wants is asked of a "source",
// and who shows it listens.
//
// A source has
//   wish(request): asks the program; a promise of {picked, problem} once it is done, problem being what went wrong in a sentence.
//     Requests are {do: "show", at, id}, {do: "rate", id, stars: 0..5 or null}, {do: "decide", id, kept: true, false or null}
//     and {do: "send", id}: make the picture ready for being sent elsewhere.
//   address(picture, size): where the picture is, size "small" or "large".
// A deck, as the program sends it, is one page of all pictures that are shown:
//   {serial, start, total, pages, size, picked, pictures: [{id, name, caption, reason, scored, kept, decision, stars, width, height}]}
//   with picked and start as places among all, from 0; picked -1 where none is chosen.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};

    class Deck {
        constructor(source) {
            this.source = source;
            this.pictures = [];
            this.start = this.total = this.serial = 0;
            this.size = this.pages = 1;
            this.at = -1; // place of the chosen picture among all
            this.chosen = null;
            this.going = false; // whether the chosen place lies on a page that is still on its way; "chosen" is the picture before then
            this.problem = ""; // what went wrong with the last wish
            this.waiting = []; // wishes not yet granted, the first one on its way
            this.listeners = [];
        }

        // Calls listener(what) with "pictures" after a new page, "chosen" after another choice, "busy" when wishes begin or end,
        // "problem" when something went wrong or no longer is.
        listen(listener) {
            this.listeners.push(listener);
        }

        tell(what) {
            for (const listener of this.listeners) listener(what);
        }

        get busy() {
            return this.waiting.length > 0;
        }

        // The picture at a place among all, if it is on this page.
        picture(at) {
            return this.pictures[at - this.start] || null;
        }

        // Takes over a page that the program sent.
        take(deck) {
            const moves = this.waiting.some((wish) => wish.do === "show"); // then the choice made here is newer
            const id = this.chosen && this.chosen.id;
            Object.assign(this, {
                pictures: deck.pictures, start: deck.start, total: deck.total, size: deck.size, pages: deck.pages, serial: deck.serial,
            });
            if (!moves) this.at = deck.picked;
            const here = this.pictures.find((picture) => picture.id === id);
            if (moves && here && !this.going) this.at = this.start + this.pictures.indexOf(here);
            this.arrive();
            this.tell("pictures");
        }

        // The picture at the chosen place, if it is here by now.
        arrive() {
            const picture = this.at < 0 ? null : this.picture(this.at);
            if (picture || this.at < 0) this.going = false;
            this.chosen = picture || (this.at < 0 ? null : this.chosen);
        }

        // What is told about the chosen picture. One that is still on its way is the one that is chosen when its turn comes.
        get meant() {
            return this.going ? "" : this.chosen.id;
        }

        // Chooses the picture at a place among all; places beyond the ends are the ends. The id says which picture is meant where the
        // order may have changed.
        go(at, id = "") {
            if (!this.total) return;
            at = Math.min(Math.max(0, at), this.total - 1);
            const here = this.pictures.findIndex((picture) => picture.id === id);
            if (here >= 0) at = this.start + here;
            const picture = id && here < 0 ? null : this.picture(at);
            if (picture) {
                this.at = at;
                this.chosen = picture;
                this.going = false;
                this.tell("chosen");
            } else if (!id) {
                this.at = at; // the next step goes on from there
                this.going = true;
            }
            this.want({do: "show", at, id: picture ? picture.id : id});
        }

        rate(stars) {
            if (this.chosen) this.want({do: "rate", id: this.meant, stars});
        }

        decide(kept) {
            if (this.chosen) this.want({do: "decide", id: this.meant, kept});
        }

        // Makes the chosen picture ready for being sent elsewhere, then calls back; not where something is wrong with it.
        send(ready) {
            if (this.chosen) this.want({do: "send", id: this.meant}, ready);
        }

        want(wish, then = null) {
            if (then) wish = {...wish, then};
            const last = this.waiting[this.waiting.length - 1];
            // Of several steps in a row only the last one counts, unless the program is at it already.
            if (this.waiting.length > 1 && last.do === "show" && wish.do === "show") this.waiting.pop();
            this.waiting.push(wish);
            if (this.waiting.length === 1) this.grant();
            this.tell("busy");
        }

        async grant() {
            while (this.waiting.length) {
                const {then, ...wish} = this.waiting[0];
                let told = {picked: this.at, problem: ""};
                try {
                    told = await this.source.wish(wish);
                } catch (error) {
                    told.problem = error.message;
                    console.warn("ImageReward Curator:", error);
                }
                this.waiting.shift();
                if (told.problem !== this.problem) {
                    this.problem = told.problem;
                    this.tell("problem");
                }
                if (then && !told.problem) then();
                if (!this.waiting.some((other) => other.do === "show")) this.settle(told.picked);
            }
            this.tell("busy");
        }

        // The program's choice in the end, where it is another one.
        settle(picked) {
            if (picked === this.at && !this.going && (picked < 0) === (this.chosen === null)) return;
            this.at = picked;
            this.arrive();
            this.going = false;
            this.tell("chosen");
        }
    }

    curator.Deck = Deck;
})();

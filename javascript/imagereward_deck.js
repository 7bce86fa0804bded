// The pictures that are shown, in their order, and the chosen one. Knows no page and no program: what it wants is asked of a "source",
// and who shows it listens.
//
// A source has
//   wish(request): asks the program; a promise of {picked, problem} once it is done, problem being what went wrong in a sentence.
//     Requests are {do: "show", at, id}, {do: "rate", id, stars: 0..5 or null, next}, {do: "decide", id, kept: true, false or null, next}
//     and {do: "send", id}: make the picture ready for being sent elsewhere. "next" is the picture that is chosen after it; empty where
//     the program is to choose. {do: "each", wishes: [...]} is several of the first three, in their order.
//   address(picture, size): where the picture is, size "small" or "large".
//   look(from, to): only where the pictures are one long page of which a part is here at a time (imagereward_rows.js): a promise of a deck
//     that holds those places, or of null where there is none by now.
//   difference(one, other), about(picture): only where a program has them: promises of an element that says what two pictures have
//     otherwise, and what is known of one.
// A deck, as the program sends it, is one page of all pictures that are shown, and a few before and after it:
//   {serial, start, total, pages, size, picked, leaving: {kept, stars}, before, after,
//   pictures: [{id, name, caption, reason, scored, kept, decision, stars, width, height}]}
//   with picked and start as places among all, from 0; picked -1 where none is chosen. "leaving" is what takes a picture with a score out
//   of those that are shown: a decision of that kind, and so many stars (null for none).
//
// What somebody says about a picture shows here at once, before the program answers. So what is said next is about the picture that is
// seen, however quickly it comes.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};
    const NOTHING = {
        pictures: [], before: [], after: [], start: 0, total: 0, size: 1, pages: 1, serial: 0, picked: -1, leaving: {kept: null, stars: null},
    };

    const MOST = 40; // wishes asked for at once

    class Deck {
        constructor(source) {
            this.source = source;
            this.given = NOTHING; // as the program sent it
            this.waiting = []; // wishes not yet granted; "leaves" marks what takes its picture away
            this.asked = 0; // how many of them, the first ones, are on their way
            this.granting = false;
            this.held = []; // what somebody wants of a picture that is still on its way
            this.at = -1; // place of the chosen picture among all
            this.chosen = null;
            this.going = false; // whether the chosen picture is still on its way; "chosen" is the one before then
            this.problem = ""; // what went wrong with the last wish
            this.older = 0; // how many of those that wait were wished for before that
            this.listeners = [];
            this.layOut();
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

        // Whether something that was said about a picture has not been granted yet.
        get isJudging() {
            return this.held.length > 0 || this.waiting.some((wish) => wish.do === "rate" || wish.do === "decide");
        }

        // What the program sent, with the wishes that it has not granted yet: stars and decisions are those wished for, and what leaves
        // by them is gone.
        layOut() {
            const {given, waiting} = this;
            const gone = new Set(waiting.filter((wish) => wish.leaves).map((wish) => wish.id));
            const laid = (pictures) => pictures.filter((picture) => !gone.has(picture.id)).map((picture) => {
                const judged = waiting.filter((wish) => wish.id === picture.id);
                const stars = judged.filter((wish) => wish.do === "rate").map((wish) => wish.stars);
                const decided = judged.filter((wish) => wish.do === "decide").map((wish) => wish.kept);
                return {...picture, stars: [picture.stars, ...stars].pop(), decision: [picture.decision, ...decided].pop()};
            });
            const before = laid(given.before);
            const rest = laid([...given.pictures, ...given.after]);
            const {size, pages, serial} = given;
            const start = given.start - given.before.length + before.length;
            const total = start + rest.length + given.total - given.start - given.pictures.length - given.after.length;
            // What follows the page moves up into the gaps.
            Object.assign(this, {size, pages, serial, start, total, pictures: rest.slice(0, given.pictures.length)});
            this.near = [...before, ...rest];
            this.first = start - before.length; // place of the first of them
        }

        // Whoever shows the deck is about to show these places: a source that can "look" is asked for a page around them where some are not
        // near, once for whatever was asked for meanwhile.
        look(from, to) {
            if (!this.source.look) return;
            this.wantedPlaces = [Math.max(0, from), Math.min(this.total, to)];
            if (this.looking) return;
            const looks = async () => {
                while (this.wantedPlaces) {
                    const [least, most] = this.wantedPlaces;
                    this.wantedPlaces = null;
                    if (least >= most || (this.picture(least) && this.picture(most - 1))) continue;
                    const given = await this.source.look(least, most);
                    if (given) this.take(given);
                }
            };
            this.looking = looks().catch((error) => this.say(error.message || String(error))).finally(() => { this.looking = null; });
        }

        // The picture at a place among all, if it is on this page or close to it.
        picture(at) {
            return this.near[at - this.first] || null;
        }

        // Whether a place among all is on this page.
        isHere(at) {
            return at >= this.start && at < this.start + this.pictures.length;
        }

        // The place of a picture among all; -1 where it is not near.
        placeOf(id) {
            const place = this.near.findIndex((picture) => picture.id === id);
            return place < 0 ? -1 : this.first + place;
        }

        // Whether another picture was gone to, and the program does not know it yet.
        get moves() {
            return this.going || this.waiting.some((wish) => wish.do === "show");
        }

        // Takes over a page that the program sent.
        take(given) {
            const id = this.chosen && this.chosen.id;
            this.given = {...NOTHING, ...given};
            this.layOut();
            const place = this.placeOf(id);
            const isNewer = this.busy && (place >= 0 || this.moves); // the choice made here
            if (!isNewer) {
                this.at = this.laid(given.picked);
                this.going = false;
            } else if (!this.going && place >= 0) {
                this.at = place;
            }
            if (!isNewer || this.going || place >= 0) this.arrive();
            this.tell("pictures");
            this.release();
        }

        // Where a place among all is, of those that the program sent, once what leaves is gone.
        laid(place) {
            const {given} = this;
            const sooner = [...given.before, ...given.pictures, ...given.after].slice(0, Math.max(0, place - given.start + given.before.length));
            return Math.min(place - sooner.filter((picture) => this.placeOf(picture.id) < 0).length, this.total - 1);
        }

        // The picture at the chosen place, if it is here by now.
        arrive() {
            const picture = this.at < 0 ? null : this.picture(this.at);
            if (picture || this.at < 0) this.going = false;
            this.chosen = picture || (this.at < 0 ? null : this.chosen);
        }

        // Does something at once; where the chosen picture is still on its way, what is about it waits, and all that comes after that.
        inTurn(does, isAboutIt = false) {
            if (this.going && (isAboutIt || this.held.length)) this.held.push(does);
            else does();
        }

        release() {
            while (this.held.length && !this.going) this.held.shift()();
        }

        // Chooses the picture at a place among all; places beyond the ends are the ends. The id says which picture is meant where the
        // order may have changed.
        go(at, id = "") {
            if (!this.total) return;
            at = Math.min(Math.max(0, at), this.total - 1);
            if (id && this.placeOf(id) >= 0) at = this.placeOf(id);
            const picture = id && this.placeOf(id) < 0 ? null : this.picture(at);
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
            const {leaving} = this.given;
            const leaves = (picture) => stars !== null && leaving.stars !== null && stars >= leaving.stars && picture.decision === null;
            this.inTurn(() => this.judge({do: "rate", stars}, leaves), true);
        }

        decide(kept) {
            const {leaving} = this.given;
            this.inTurn(() => this.judge({do: "decide", kept}, () => kept !== null && kept === leaving.kept), true);
        }

        // Says something about the chosen picture. Where that leaves by it, what takes its place is chosen.
        judge(wish, leaves) {
            const {chosen} = this;
            if (!chosen) return;
            wish = {...wish, id: chosen.id, next: chosen.id, leaves: chosen.scored && leaves(chosen)};
            if (this.placeOf(chosen.id) >= 0) {
                this.waiting.push(wish);
                this.layOut();
                this.waiting.pop();
                this.at = Math.min(this.at, this.total - 1);
                this.going = this.at >= 0 && !this.picture(this.at);
                this.arrive();
                wish.next = this.going || !this.chosen ? "" : this.chosen.id;
            }
            this.want(wish);
            this.tell(wish.leaves ? "pictures" : "chosen");
        }

        // Makes the chosen picture ready for being sent elsewhere, then calls back; not where something is wrong with it.
        send(ready) {
            if (this.chosen && !this.going) this.want({do: "send", id: this.chosen.id}, ready);
        }

        want(wish, then = null) {
            if (then) wish = {...wish, then};
            const last = this.waiting[this.waiting.length - 1];
            // Of several steps in a row only the last one counts, unless the program is at it already.
            if (this.waiting.length > this.asked && last.do === "show" && wish.do === "show") this.waiting.pop();
            this.waiting.push(wish);
            if (!this.granting) this.grant();
            this.tell("busy");
        }

        async grant() {
            this.granting = true; // also while listeners, or what was held, wish for more
            while (this.waiting.length) {
                // All that came meanwhile goes together: so the program keeps pace with whoever is quicker than its answers.
                const other = this.waiting.slice(0, MOST).findIndex((wish) => wish.then);
                this.asked = other < 0 ? Math.min(MOST, this.waiting.length) : Math.max(1, other);
                const asked = this.waiting.slice(0, this.asked);
                const wishes = asked.map(({then, leaves, ...wish}) => wish);
                let told = {picked: null, problem: ""};
                try {
                    told = await this.source.wish(wishes.length > 1 ? {do: "each", wishes} : wishes[0]);
                } catch (error) {
                    told.problem = error.message;
                    console.warn("ImageReward Curator:", error);
                }
                this.waiting.splice(0, this.asked);
                this.asked = 0;
                this.layOut();
                if (told.problem) this.stay(asked.some((wish) => wish.leaves));
                this.say(told.problem);
                for (const {then} of asked) if (then && !told.problem) then();
                if (!this.waiting.length) this.settle(told);
            }
            this.granting = false;
            this.tell("busy");
        }

        // A wish was not granted: what it was about is as it was.
        stay(wasToLeave) {
            const place = this.chosen && !this.going ? this.placeOf(this.chosen.id) : -1;
            if (place < 0) return;
            this.at = place;
            this.arrive();
            this.tell(wasToLeave ? "pictures" : "chosen");
        }

        // What went wrong is said until something goes well that was wished for after it.
        say(problem) {
            if (problem) this.older = this.waiting.length;
            else if (this.older > 0) return void (this.older -= 1);
            if (problem === this.problem) return;
            this.problem = problem;
            this.tell("problem");
        }

        // The program's choice in the end, where it is another one.
        settle({picked, problem}) {
            if (picked === null) picked = this.going && this.chosen ? this.placeOf(this.chosen.id) : this.at; // it did not answer
            const missed = this.going && (problem || picked !== this.at) ? this.held.splice(0).length : 0;
            if (picked !== this.at || this.going || (picked < 0) !== (this.chosen === null)) {
                this.at = picked;
                this.arrive();
                this.going = false;
                this.tell("chosen");
            }
            if (missed) this.say(`${problem || "The pictures changed meanwhile."} What you pressed since (${missed}) was not done.`);
            this.release();
        }
    }

    curator.Deck = Deck;
})();

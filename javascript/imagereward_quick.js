// Quick ranking: two to four pictures of one prompt side by side, one key says which is best, and the next question comes. Knows no page
// and no program: a page gives a source and the element it is put into.
//
//   const quick = new imagerewardCurator.Quick(source, root);
//   quick.open();
//
// A source has address(picture, size), as for a deck (imagereward_deck.js), and wish(request): a promise of {problem, quick}, problem being
// what went wrong in a sentence. Requests are
//   {do: "quick_begin", size: 2..4, across, anew}: begin; "across" puts pictures of all prompts side by side, "anew" begins with the prompt
//     of the picture that is chosen on the page
//   {do: "quick_answer", images: [id], winner: id or null}: the best of those shown, or a tie
//   {do: "quick_skip", images: [id]}, {do: "quick_undo"}: no answer; the last answer taken back, and its question again
//   {do: "quick_turn", by: 1 or -1}: another prompt
//   {do: "quick_ranks"}: quick is {ranks: [{rank, rank_low, rank_high, strength, error, best, shown, won, tied, + a picture}]}
//   {do: "quick_file", form: "csv" or "json"}: quick is {file: {name, text}}
//   {do: "rate", id, stars}: the stars that the picture has everywhere
// All but the last three give quick as {prompt, across, size, at, prompts, pictures, answers, question: [picture], why}: which of how many
// prompts it is, how many pictures it has, how many answers there are; "why" says why there is no question. A picture is {id, name, stars,
// width, height}. Scores are not shown: they would answer for whoever looks.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};
    const LETTERS = ["a", "s", "d", "f"];
    const ACTIONS = [
        {name: "choose", keys: LETTERS, shown: "A S D F", says: "This one is the best"},
        {name: "left", keys: ["ArrowLeft"], shown: "←", says: "Of two: the left one is better"},
        {name: "right", keys: ["ArrowRight"], shown: "→", says: "Of two: the right one is better"},
        {name: "tie", keys: ["t", "ArrowUp"], shown: "T ↑", says: "All equally good"},
        {name: "skip", keys: ["n", "ArrowDown"], shown: "N ↓", says: "Skip this question"},
        {name: "undo", keys: ["u", "Backspace"], shown: "U Backspace", says: "Take the last answer back"},
        {name: "stars", keys: ["0", "1", "2", "3", "4", "5"], shown: "0 … 5", says: "Give stars to the picture with the frame"},
        {name: "frame", keys: ["Tab"], shown: "Tab", says: "The frame goes to the next picture; it follows the pointer too"},
        {name: "zoom", keys: ["z"], shown: "Z", says: "All of each picture, and 1:1, in turn"},
        {name: "prompt_back", keys: ["PageUp"], shown: "PageUp", says: "The prompt before"},
        {name: "prompt_on", keys: ["PageDown"], shown: "PageDown", says: "The next prompt"},
        {name: "ranks", keys: ["r"], shown: "R", says: "The ranks so far"},
        {name: "help", keys: ["?"], shown: "?", says: "These keys"},
        {name: "close", keys: ["Escape"], shown: "Esc", says: "Close"},
    ];
    const ACROSS = {says: "Pictures of different prompts: what you say is taste alone, not how well a picture shows its prompt."};
    const ANSWERS = {says: "answers"};
    const HEAD = [
        {says: "Rank"}, {says: "In 9 of 10 cases between"}, {says: "Picture"}, {says: "Name"}, {says: "Strength"},
        {says: "Best + equal / shown"}, {says: "Stars"},
    ];
    const WITH_RANKS = ["ranks", "help", "close"]; // what keys mean while ranks are shown; others scroll them
    const NOTHING = {prompt: "", across: false, size: 2, at: 0, prompts: 0, pictures: 0, answers: 0, question: [], why: ""};
    const JUDGING = ["quick_answer", "quick_skip", "quick_undo", "rate"];

    class Quick {
        constructor(source, root) {
            this.source = source;
            this.told = NOTHING;
            this.size = 2;
            this.across = false;
            this.framed = 0; // which of the pictures shown has the frame
            this.asking = ""; // what is on its way
            this.byKey = curator.keys.index(ACTIONS);
            this.before = null; // what had the focus
            this.build(root);
            // Before anybody else: hosts, and the pictures below, have keys of their own.
            window.addEventListener("keydown", (event) => this.pressed(event), true);
        }

        get isOpen() {
            return !this.box.hidden;
        }

        // Whether something that was said is still on its way.
        get isJudging() {
            return JUDGING.includes(this.asking);
        }

        build(root) {
            const {make, button} = curator;
            const press = (name, key) => () => this.act(name, key);
            this.stage = make("div", {class: "imagereward-quick-stage"});
            this.prompt = make("p", {class: "imagereward-quick-prompt", dir: "auto"});
            this.count = make("span", {class: "imagereward-quick-count", role: "status"});
            this.line = make("p", {class: "imagereward-message imagereward-error", role: "alert", hidden: true});
            this.sizes = make(
                "span", {class: "imagereward-quick-sizes", role: "group"},
                ...[2, 3, 4].map((size) => button("size", String(size), press("size", size), {"data-size": size, "aria-label": `${size}`})),
            );
            this.warning = make(
                "p", {class: "imagereward-message", hidden: true},
                make("span", {}, ACROSS.says),
            );
            this.table = make("div", {class: "imagereward-quick-ranks", hidden: true, tabindex: 0});
            this.keys = make("div", {class: "imagereward-help", hidden: true}, make("table", {}, ...ACTIONS.map(({shown, says}) => make(
                "tr", {}, make("th", {}, make("kbd", {}, shown)), make("td", {}, says),
            ))));
            this.bar = make(
                "div", {class: "imagereward-bar", role: "toolbar"},
                button("undo", "Back", press("undo")),
                button("tie", "Equally good", press("tie")),
                button("skip", "Skip", press("skip")),
                this.sizes,
                button("prompt_back", "←", press("prompt_back"), {"aria-label": "The prompt before"}),
                this.count,
                button("prompt_on", "→", press("prompt_on"), {"aria-label": "The next prompt"}),
                button("across", "Across prompts", press("across"), {"aria-pressed": "false"}),
                button("ranks", "Ranks", press("ranks"), {"aria-pressed": "false"}),
                button("csv", "CSV", press("file", "csv")),
                button("json", "JSON", press("file", "json")),
                button("help", "?", press("help"), {"aria-label": "These keys"}),
                button("close", "Close", press("close")),
            );
            this.box = make(
                "div",
                {
                    class: "imagereward-quick", role: "dialog", "aria-modal": "true", "aria-label": "Quick ranking",
                    tabindex: -1, hidden: true,
                },
                this.prompt, this.warning, this.stage, this.table, this.line, this.bar, this.keys,
            );
            root.append(this.box);
        }

        open() {
            if (this.isOpen) return;
            this.before = document.activeElement;
            this.box.hidden = false;
            document.documentElement.classList.add("imagereward-covered");
            this.show({...NOTHING, size: this.size});
            this.box.focus({preventScroll: true});
            this.begin(true);
        }

        close() {
            this.box.hidden = true;
            this.keys.hidden = this.table.hidden = true;
            this.stage.hidden = false;
            document.documentElement.classList.remove("imagereward-covered");
            this.stage.replaceChildren();
            if (this.before && this.before.isConnected) this.before.focus({preventScroll: true});
        }

        begin(anew = false) {
            this.ask({do: "quick_begin", size: this.size, across: this.across, anew});
        }

        // Asks the program for something; what is pressed before it answers is about a question that nobody has seen.
        async ask(request) {
            if (this.asking) return null;
            this.asking = request.do;
            this.box.classList.add("imagereward-busy");
            let told = {problem: "", quick: null};
            try {
                told = await this.source.wish(request);
            } catch (error) {
                told.problem = error.message;
                console.warn("ImageReward Curator:", error);
            }
            this.asking = "";
            this.box.classList.remove("imagereward-busy");
            this.say(told.problem);
            if (told.quick && told.quick.question) this.show({...NOTHING, size: this.size, across: this.across, ...told.quick});
            return told;
        }

        say(problem) {
            this.line.textContent = problem || "";
            this.line.hidden = !problem;
        }

        show(told) {
            this.told = told;
            this.framed = 0;
            this.prompt.textContent = this.prompt.title = told.prompt;
            this.count.dataset.answers = told.answers;
            this.count.replaceChildren(
                told.prompts > 1 ? `${told.at + 1} / ${told.prompts} · ${told.answers} ` : `${told.answers} `,
                curator.make("span", {}, ANSWERS.says),
            );
            this.warning.hidden = !told.across;
            if (told.why) this.say(told.why);
            const many = told.question.length;
            this.stage.dataset.shown = many;
            this.stage.replaceChildren(...told.question.map((picture, place) => this.pane(picture, place)));
            for (const name of ["tie", "skip", "csv", "json", "ranks"]) this.part(name).disabled = !many;
            for (const name of ["prompt_back", "prompt_on"]) this.part(name).disabled = told.prompts < 2;
            for (const each of this.sizes.children) each.setAttribute("aria-pressed", String(Number(each.dataset.size) === this.size));
            this.part("across").setAttribute("aria-pressed", String(this.across));
            this.mark();
        }

        part(name) {
            return this.bar.querySelector(`[data-do=${name}]`);
        }

        pane(picture, place) {
            const {make, showFirst} = curator;
            const image = make("img", {alt: picture.name, draggable: "false"});
            const stars = make("span", {class: "imagereward-quick-stars"});
            const note = make("figcaption", {}, make("kbd", {}, LETTERS[place].toUpperCase()), " ", stars);
            const box = make("figure", {class: "imagereward-quick-pane", "data-place": place, role: "button", "aria-label": picture.name}, image, note);
            showFirst(image, [this.source.address(picture, "large"), this.source.address(picture, "small")]);
            box.addEventListener("click", () => this.act("choose", LETTERS[place]));
            box.addEventListener("pointermove", () => {
                if (this.framed === place) return;
                this.framed = place;
                this.mark();
            });
            return box;
        }

        mark() {
            [...this.stage.children].forEach((box, place) => {
                const {stars} = this.told.question[place];
                box.classList.toggle("imagereward-framed", place === this.framed);
                box.querySelector(".imagereward-quick-stars").textContent = stars === null ? "" : `${stars}★`;
            });
        }

        pressed(event) {
            if (!this.isOpen) return;
            const found = curator.keys.meaning(event, this.byKey);
            event.stopImmediatePropagation();
            if (event.key === "Tab" && event.shiftKey) return this.keepFocus(event); // to the buttons
            if (!found || found.name === "pan" || (this.ranksShown && !WITH_RANKS.includes(found.name))) return;
            event.preventDefault();
            if (!event.repeat) this.act(found.name, found.key);
        }

        // The buttons, one after the other, from the last one on.
        keepFocus(event) {
            const all = [...this.bar.querySelectorAll("button:not([disabled])")];
            const at = all.indexOf(document.activeElement);
            event.preventDefault();
            all[(at <= 0 ? all.length : at) - 1].focus();
        }

        act(name, key) {
            const does = {
                choose: () => this.choose(LETTERS.indexOf(key)),
                left: () => { if (this.told.question.length === 2) this.choose(0); },
                right: () => { if (this.told.question.length === 2) this.choose(1); },
                tie: () => this.answer(null),
                skip: () => this.answer(undefined),
                undo: () => { if (!this.ranksShown) this.ask({do: "quick_undo"}); },
                stars: () => this.rate(Number(key)),
                frame: () => {
                    this.framed = (this.framed + 1) % Math.max(1, this.told.question.length);
                    this.mark();
                },
                zoom: () => this.box.classList.toggle("imagereward-whole"),
                prompt_back: () => this.turn(-1),
                prompt_on: () => this.turn(1),
                size: () => {
                    if (this.asking) return;
                    this.size = key;
                    this.begin();
                },
                across: () => {
                    if (this.asking) return;
                    this.across = !this.across;
                    this.begin();
                },
                ranks: () => this.toggleRanks(),
                file: () => this.save(key),
                help: () => { this.keys.hidden = !this.keys.hidden; },
                close: () => this.leave(),
            };
            does[name]();
        }

        get ranksShown() {
            return !this.table.hidden;
        }

        choose(place) {
            const picture = this.told.question[place];
            if (picture) this.answer(picture.id);
        }

        // The best picture; null for a tie, undefined for no answer.
        answer(winner) {
            if (this.ranksShown || !this.told.question.length) return;
            const images = this.told.question.map((picture) => picture.id);
            this.ask(winner === undefined ? {do: "quick_skip", images} : {do: "quick_answer", images, winner});
        }

        turn(by) {
            if (this.told.prompts > 1 && !this.ranksShown) this.ask({do: "quick_turn", by});
        }

        async rate(stars) {
            const picture = this.told.question[this.framed];
            if (!picture || this.ranksShown) return;
            const told = await this.ask({do: "rate", id: picture.id, stars});
            if (!told || told.problem) return;
            picture.stars = stars;
            this.mark();
        }

        async toggleRanks() {
            if (this.ranksShown) return this.hideRanks();
            const told = await this.ask({do: "quick_ranks"});
            if (!told || !told.quick || !told.quick.ranks) return;
            const {make} = curator;
            const most = Math.max(...told.quick.ranks.map((row) => row.rank_high), 1);
            const head = HEAD.map(({says}) => make("th", {}, make("span", {}, says)));
            this.table.replaceChildren(make("table", {}, make("tr", {}, ...head), ...told.quick.ranks.map((row) => {
                const image = make("img", {alt: row.name, loading: "lazy"});
                curator.showFirst(image, [this.source.address(row, "small")]);
                const [left, width] = [row.rank_low - 1, row.rank_high - row.rank_low + 1].map((part) => `${100 * part / most}%`);
                const span = make("i", {class: "imagereward-quick-span"}, make("b", {style: `left:${left};width:${width}`}));
                return make(
                    "tr", {}, make("td", {}, String(row.rank)), make("td", {}, span, ` ${row.rank_low}–${row.rank_high}`), make("td", {}, image),
                    make("td", {dir: "auto"}, row.name), make("td", {}, `${row.strength.toFixed(2)} ± ${row.error.toFixed(2)}`),
                    make("td", {}, `${row.won} + ${row.tied} / ${row.shown}`), make("td", {}, row.stars === null ? "" : `${row.stars}★`),
                );
            })));
            this.stage.hidden = true;
            this.table.hidden = false;
            this.part("ranks").setAttribute("aria-pressed", "true");
            this.table.focus({preventScroll: true});
        }

        hideRanks() {
            this.table.hidden = true;
            this.stage.hidden = false;
            this.part("ranks").setAttribute("aria-pressed", "false");
            this.box.focus({preventScroll: true});
        }

        async save(form) {
            const told = await this.ask({do: "quick_file", form});
            if (!told || !told.quick || !told.quick.file) return;
            const {name, text} = told.quick.file;
            const address = URL.createObjectURL(new Blob([text], {type: form === "csv" ? "text/csv" : "application/json"}));
            const link = curator.make("a", {href: address, download: name});
            link.click();
            setTimeout(() => URL.revokeObjectURL(address), 10000);
        }

        // One step back: the help, then the ranks, then all of it.
        leave() {
            if (!this.keys.hidden) this.keys.hidden = true;
            else if (this.ranksShown) this.hideRanks();
            else this.close();
        }
    }

    curator.Quick = Quick;
})();

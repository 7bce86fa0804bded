// Looking through pictures: the grid, the large view, and the keys, joined. A page gives a source (see imagereward_deck.js), an element
// for the large view, and says when keys are meant for the pictures:
//
//   const culling = imagerewardCurator.culling({source, root, isShown});
//   culling.attach(gridElement, panelElement);   // again whenever the page has drawn them anew
//   culling.take(deck);                          // whenever the program sends a page of pictures
//
// This file and the four it joins know neither Gradio nor any WebUI.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};
    const LARGE_ONLY = ["zoom", "closer", "farther", "pan", "swap", "close"];

    function culling({source, root, isShown}) {
        const deck = new curator.Deck(source);
        const grid = new curator.Grid(deck, act);
        const viewer = new curator.Viewer(deck, act, root, () => grid.focus());

        function step(by) {
            if (deck.at < 0) return deck.go(deck.start);
            const at = deck.at + by;
            // Side by side the one that stays is not beside itself.
            const further = viewer.isPinned(deck.picture(at)) ? at + Math.sign(by) : at;
            if (further === at || (further >= 0 && further < deck.total)) deck.go(further);
        }

        const does = {
            back: () => step(-1),
            on: () => step(1),
            up: () => step(viewer.isOpen ? -1 : -grid.columns),
            down: () => step(viewer.isOpen ? 1 : grid.columns),
            first: () => deck.go(0),
            last: () => deck.go(deck.total - 1),
            page_back: () => step(-deck.size),
            page_on: () => step(deck.size),
            stars: (key) => deck.rate(Number(key)),
            no_stars: () => deck.rate(null),
            keep: () => deck.decide(true),
            reject: () => deck.decide(false),
            undecide: () => deck.decide(null),
            open: () => (viewer.isOpen ? viewer.toggleZoom() : viewer.open()),
            zoom: () => viewer.toggleZoom(),
            closer: () => viewer.scaleBy(curator.STEP),
            farther: () => viewer.scaleBy(1 / curator.STEP),
            pan: (key) => viewer.pan(key),
            compare: () => {
                viewer.open();
                if (viewer.isOpen) viewer.compare();
            },
            swap: () => viewer.swap(),
            full: () => {
                viewer.open();
                if (viewer.isOpen) viewer.toggleFull();
            },
            help: () => {
                if (!deck.chosen) step(0);
                viewer.open();
                if (viewer.isOpen) viewer.help(curator.keys.ACTIONS.map((action) => [action.shown, action.says]));
            },
            close: () => viewer.leave(),
        };

        function act(name, key) {
            // After a page was turned nothing on it is chosen: then the small picture that has the focus is meant.
            const focused = document.activeElement && document.activeElement.closest("[data-at]");
            const elsewhere = deck.at >= 0 && !deck.going && !deck.picture(deck.at);
            if (elsewhere && !viewer.isOpen && focused && grid.box.contains(focused)) deck.go(Number(focused.dataset.at));
            if (deck.at < 0 && name !== "help" && deck.total && !curator.keys.MOVING.includes(name)) deck.go(deck.start);
            does[name](key);
        }

        // Whether a key that was pressed there is meant for the pictures.
        function isMeant(target, name) {
            if (viewer.isOpen) return true;
            if (!isShown() || !deck.total || LARGE_ONLY.includes(name)) return false;
            if (grid.box.contains(target) || grid.panel.contains(target)) return true;
            // Where nothing has the focus, keys that scroll the page go on doing so.
            const nowhere = target === document.body || target === document.documentElement;
            return nowhere && deck.at >= 0 && (name === "back" || name === "on" || !curator.keys.MOVING.includes(name)) && name !== "open";
        }

        // Before anybody else: hosts have keys of their own, such as Escape, which ends a generation.
        window.addEventListener("keydown", (event) => {
            if (viewer.isOpen && event.key === "Tab") return viewer.keepFocus(event);
            const meant = curator.keys.meaning(event);
            if (!meant || !grid.box || !isMeant(event.target, meant.name)) return;
            event.preventDefault();
            event.stopImmediatePropagation();
            act(meant.name, meant.key);
        }, true);

        return {
            deck,
            viewer,
            attach: (box, panel) => grid.attach(box, panel),
            take: (given) => deck.take(given),
        };
    }

    curator.culling = culling;
})();

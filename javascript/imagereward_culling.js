// Looking through pictures: the grid, the large view, and the keys, joined. A page gives a source (see imagereward_deck.js), an element
// for the large view, and the part of the page whose keys are meant for the pictures, hidden or not:
//
//   const culling = imagerewardCurator.culling({source, root, part: () => element});
//   culling.attach(gridElement, panelElement);   // again whenever the page has drawn them anew
//   culling.take(deck);                          // whenever the program sends a page of pictures
//
// "without" names actions (imagereward_keys.js) that mean nothing on a page, such as stars where pictures are not to be judged.
//
// This file and the four it joins know neither Gradio nor any WebUI.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};
    const LARGE_ONLY = ["zoom", "closer", "farther", "pan", "swap", "difference", "close"];
    const AT_ONCE = ["zoom", "closer", "farther", "pan", "open", "full", "difference", "about"]; // whatever is still on its way
    const ABOUT_NONE = ["help", "close"]; // no picture is chosen by them

    // "grid" shows the small pictures: a page of them, unless it is given, such as curator.Rows for one long page. "strip": whether a strip
    // of small ones runs below the large one.
    function culling({source, root, part, without = [], grid: Shows = curator.Grid, strip = false}) {
        const actions = curator.keys.ACTIONS.filter(
            (action) => !without.includes(action.name) && (!action.needs || source[action.needs]),
        );
        const can = new Set(actions.map((action) => action.name));
        const deck = new curator.Deck(source);
        const grid = new Shows(deck, act);
        const viewer = new curator.Viewer(deck, act, root, () => grid.focus(), without, strip);

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
            page_back: () => step(-grid.page),
            page_on: () => step(grid.page),
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
            difference: () => viewer.toggleDifference(),
            about: () => {
                viewer.open();
                if (viewer.isOpen) viewer.toggleAbout();
            },
            full: () => {
                viewer.open();
                if (viewer.isOpen) viewer.toggleFull();
            },
            help: () => viewer.help(actions.map((action) => [action.shown, action.says])),
            close: () => viewer.leave(),
        };

        function act(name, key) {
            if (ABOUT_NONE.includes(name)) return does[name](key);
            // After a page was turned nothing on it is chosen: then the small picture that has the focus is meant.
            const focused = document.activeElement && document.activeElement.closest("[data-at]");
            const elsewhere = deck.at >= 0 && !deck.moves && !deck.isHere(deck.at);
            if (elsewhere && !viewer.isOpen && focused && grid.box.contains(focused)) deck.go(Number(focused.dataset.at));
            if (deck.at < 0 && deck.total && !curator.keys.MOVING.includes(name)) deck.go(deck.start);
            if (AT_ONCE.includes(name)) does[name](key);
            else deck.inTurn(() => does[name](key));
        }

        // Whether a key that was pressed there is meant for the pictures.
        function isMeant(target, {name, key}) {
            const shown = part();
            if (viewer.isOpen || (viewer.helps && ABOUT_NONE.includes(name))) return true;
            if (!shown || shown.offsetParent === null || !deck.total || LARGE_ONLY.includes(name)) return false;
            if (grid.box.contains(target) || grid.panel.contains(target)) return true;
            // Elsewhere on a page that is shown: where nothing has the focus that has a use for keys. What scrolls goes on doing so, and
            // nothing is said about a picture before one has the frame.
            const isFree = target === document.body || target === document.documentElement || shown.contains(target);
            if (!isFree || curator.keys.isControl(target)) return false;
            return name === "back" || name === "on" || (deck.at >= 0 && !curator.keys.MOVING.includes(name) && key !== " ");
        }

        // Before anybody else: hosts have keys of their own, such as Escape, which ends a generation.
        window.addEventListener("keydown", (event) => {
            if (viewer.isOpen && event.key === "Tab") return viewer.keepFocus(event);
            const meant = curator.keys.meaning(event);
            if (!meant || !can.has(meant.name) || !grid.box || event.defaultPrevented || !isMeant(event.target, meant)) return;
            event.preventDefault();
            event.stopImmediatePropagation();
            if (!event.repeat || curator.keys.REPEATED.includes(meant.name)) act(meant.name, meant.key);
        }, true);

        return {
            deck,
            grid,
            viewer,
            attach: (box, panel) => grid.attach(box, panel),
            take: (given) => deck.take(given),
            act,
        };
    }

    curator.culling = culling;
})();

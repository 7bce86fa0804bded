// The tab "ImageReward" in a WebUI: asks how far work is while it goes on, shades the histogram while a slider moves, applies the filter
// once it rests, and joins the pictures (imagereward_culling.js) to Gradio. Everything else is done by the program.

(function() {
    const POLL_EVERY = 700; // milliseconds between two looks at work that goes on
    const REST = 350; // milliseconds without a change after which the filter is applied
    const TAKEN = 20; // milliseconds after which Gradio has taken over what a widget holds
    const PATIENCE = 20000; // milliseconds after which a wish, or a filter, counts as lost
    let resting = null;
    let lastPoll = 0;
    let culling = null;
    let quick = null;
    let waiting = null; // for the answer to a wish: {number, serial of the page then, granted}
    let wishes = 0;
    let lastDeck = "";
    let filtering = null; // the filter that is being applied: {serial of the page then, since}

    function imagerewardPart(name) {
        return gradioApp().getElementById("imagereward_tab_" + name);
    }

    function imagerewardPress(name) {
        const button = imagerewardPart(name);
        if (button) button.click();
    }

    function imagerewardPoll() {
        const progress = imagerewardPart("progress");
        const running = progress && progress.querySelector("[data-running]");
        if (!running || Date.now() - lastPoll < POLL_EVERY) return;
        lastPoll = Date.now();
        imagerewardPress("poll");
    }

    function imagerewardNumber(name) {
        const field = imagerewardPart(name) && imagerewardPart(name).querySelector("input[type=number]");
        return field ? parseFloat(field.value) : NaN;
    }

    // How far a score lies from the left of the histogram, in percent.
    function imagerewardShare(histogram, score) {
        const low = parseFloat(histogram.dataset.low);
        const high = parseFloat(histogram.dataset.high);
        return high > low ? Math.min(100, Math.max(0, 100 * (score - low) / (high - low))) : 0;
    }

    function imagerewardShade() {
        const histogram = imagerewardPart("histogram") && imagerewardPart("histogram").querySelector(".imagereward-histogram");
        if (!histogram) return;
        const low = imagerewardNumber("low");
        const high = imagerewardNumber("high");
        const below = histogram.querySelector(".imagereward-below");
        const above = histogram.querySelector(".imagereward-above");
        if (!isNaN(low)) below.style.width = imagerewardShare(histogram, low) + "%";
        if (!isNaN(high)) above.style.width = 100 - imagerewardShare(histogram, high) + "%";
    }

    // Applies the filter, after what was wished before: both speak of the order the pictures have now. And after the filter before, since
    // answers may overtake each other, and what is shown is what came last.
    function imagerewardRefresh() {
        const deck = culling && culling.deck;
        const isOn = filtering && deck && deck.serial === filtering.serial && Date.now() - filtering.since < PATIENCE;
        if (isOn || (deck && deck.busy)) {
            resting = setTimeout(imagerewardRefresh, 50);
        } else {
            filtering = deck && {serial: deck.serial, since: Date.now()};
            imagerewardPress("refresh");
        }
    }

    function imagerewardApply(rest) {
        clearTimeout(resting);
        resting = setTimeout(imagerewardRefresh, rest);
    }

    function imagerewardChanged() {
        imagerewardShade();
        imagerewardApply(REST);
    }

    // Where the program's pages begin: a proxy may have put them below a path, and may speak to the program by another name.
    function imagerewardRoot() {
        const root = (window.gradio_config && window.gradio_config.root) || "";
        return new URL(root, location.href).pathname.replace(/\/+$/, "");
    }

    // What the pictures ask of the program goes through a hidden text field and a hidden button, and the answer through a hidden element.
    // One wish at a time: the next one goes when the one before is granted or lost.
    let last = Promise.resolve();
    const source = {
        address: (picture, size) => `${imagerewardRoot()}/imagereward/pictures/${size}/${picture.id}`,
        wish: (request) => {
            const turn = last.then(() => imagerewardWish(request));
            last = turn.catch(() => {});
            return turn;
        },
    };

    function imagerewardWish(request) {
        return new Promise((granted, lost) => {
            const number = ++wishes;
            const field = imagerewardPart("wish") && imagerewardPart("wish").querySelector("textarea, input");
            if (!field) return lost(new Error("The tab is not there."));
            const end = setTimeout(() => {
                waiting = null;
                lost(new Error("The WebUI does not answer. Is it still running?"));
            }, PATIENCE);
            waiting = {number, serial: culling.deck.serial, granted: (told) => {
                clearTimeout(end);
                granted(told);
            }};
            field.value = JSON.stringify({number, ...request});
            field.dispatchEvent(new Event("input", {bubbles: true}));
            setTimeout(() => imagerewardPress("do"), TAKEN);
        });
    }

    function imagerewardRead() {
        const deck = imagerewardPart("deck") && imagerewardPart("deck").querySelector("[data-deck]");
        const text = deck ? deck.dataset.deck : "";
        const isNew = text && text !== lastDeck;
        if (isNew) {
            lastDeck = text;
            culling.take(JSON.parse(text));
        }
        const answer = imagerewardPart("answer") && imagerewardPart("answer").querySelector("[data-answer]");
        if (!waiting || !answer || Number(answer.dataset.answer) !== waiting.number) return;
        if (answer.dataset.deck === "1" && culling.deck.serial === waiting.serial) return; // the page is still to come
        const {granted} = waiting;
        waiting = null;
        const {picked, problem, quick: told} = answer.dataset;
        granted({picked: Number(picked), problem, quick: told ? JSON.parse(told) : null});
    }

    // The host's own buttons send what the program has put into hidden widgets. So the program is asked for it first, then they are
    // pressed once more.
    function imagerewardSend(event) {
        const button = event.target.closest("button");
        if (!button || !culling || button.dataset.ready) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        culling.deck.send(() => setTimeout(() => { // Gradio takes the picture over first
            button.dataset.ready = "1";
            button.click();
            delete button.dataset.ready;
        }, 50));
    }

    // Begins something with a part of the page once, and again where Gradio has put another element into its place.
    function imagerewardOnce(name, begin) {
        const part = imagerewardPart(name);
        if (!part || part.dataset.imagereward) return;
        part.dataset.imagereward = "watched";
        begin(part);
    }

    function imagerewardWatch() {
        for (const name of ["low", "high", "percent", "top", "keep_stars", "text"]) {
            imagerewardOnce(name, (part) => part.addEventListener("input", imagerewardChanged));
        }
        const grid = imagerewardPart("gallery") && imagerewardPart("gallery").querySelector(".imagereward-grid");
        const panel = imagerewardPart("panel") && imagerewardPart("panel").querySelector(".imagereward-panel");
        if (grid && panel && window.imagerewardCurator && window.imagerewardCurator.culling && window.imagerewardCurator.Quick) {
            if (!culling) imagerewardBegin();
            imagerewardOnce("sending", (part) => part.addEventListener("click", imagerewardSend, true));
            for (const name of ["deck", "answer"]) {
                imagerewardOnce(name, (part) => new MutationObserver(imagerewardRead).observe(
                    part, {childList: true, subtree: true, attributes: true, characterData: true},
                ));
            }
            culling.attach(grid, panel);
            imagerewardRead();
        }
        imagerewardShade();
    }

    function imagerewardBegin() {
        const app = gradioApp();
        const root = app === document ? document.body : app;
        quick = new window.imagerewardCurator.Quick(source, root); // first, so that its keys come first while it is open
        culling = window.imagerewardCurator.culling({source, root, part: () => imagerewardPart("results")});
        // What is sent to another tab is what the program has; until it has what is shown, nothing can be sent.
        culling.deck.listen(() => {
            const sending = imagerewardPart("sending");
            if (sending) sending.inert = culling.deck.busy || !culling.deck.chosen;
        });
        // What was said about pictures is still on its way; the browser asks whether to leave.
        window.addEventListener("beforeunload", (event) => {
            if (culling.deck.isJudging || quick.isJudging) event.preventDefault();
        });
    }

    // Widgets whose changes only Gradio knows of tell them here, see tab/page.py.
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};
    curator.filterChanged = () => imagerewardApply(TAKEN);
    curator.openQuick = () => { if (quick) quick.open(); };

    onAfterUiUpdate(imagerewardWatch);
    onUiLoaded(() => setInterval(imagerewardPoll, 200));
})();

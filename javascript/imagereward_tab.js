// The tab "ImageReward": asks how far work is while it goes on, shades the histogram while a slider moves, and applies the filter
// once it rests. Everything else is done by the program.

(function() {
    const POLL_EVERY = 700; // milliseconds between two looks at work that goes on
    const REST = 350; // milliseconds without a change after which the filter is applied
    let resting = null;
    let lastPoll = 0;

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

    function imagerewardChanged() {
        imagerewardShade();
        clearTimeout(resting);
        resting = setTimeout(() => imagerewardPress("refresh"), REST);
    }

    // Arrow keys go from picture to picture while the gallery or the picture has the focus.
    function imagerewardKey(event) {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        const step = {ArrowLeft: "back", ArrowRight: "on"}[event.key];
        if (!step || event.target.matches("input, textarea, select")) return;
        event.preventDefault();
        event.stopPropagation();
        imagerewardPress(step);
    }

    function imagerewardWatch() {
        for (const name of ["low", "high", "percent", "top", "keep_stars", "text"]) {
            const part = imagerewardPart(name);
            if (part && !part.dataset.imagereward) {
                part.dataset.imagereward = "watched";
                part.addEventListener("input", imagerewardChanged);
            }
        }
        const gallery = imagerewardPart("gallery");
        if (gallery && !gallery.dataset.imagereward) {
            gallery.dataset.imagereward = "watched";
            gallery.addEventListener("keydown", imagerewardKey, true);
        }
        imagerewardShade();
    }

    onAfterUiUpdate(imagerewardWatch);
    onUiLoaded(() => setInterval(imagerewardPoll, 200));
})();

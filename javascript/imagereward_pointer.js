// Pointers over the pictures of the large view (imagereward_viewer.js): the wheel, dragging and clicking, a finger that sweeps to the next
// picture, two that pinch.

(function() {
    const curator = window.imagerewardCurator = window.imagerewardCurator || {};
    const SWEPT = 40; // pixels of the page that a finger moves aside to go to the next picture
    const STILL = 4; // and those within which it has not moved

    const place = ({clientX, clientY}) => [clientX, clientY];
    const middle = ([one, other]) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
    const apart = ([one, other]) => Math.max(1, Math.hypot(one[0] - other[0], one[1] - other[1]));

    // The point of a pane's picture (0..1) that is at a place of the page.
    function pointAt(pane, [across, down]) {
        const box = pane.image.getBoundingClientRect();
        return [(across - box.left) / box.width, (down - box.top) / box.height];
    }

    curator.watchPointer = (viewer) => {
        const {stage} = viewer;
        const down = new Map(); // where each finger is, by its id; the first two count
        let from = null; // of one: which it is, where it began, and what was seen then
        let pinch = null; // of two: {pane, point, scale, apart}
        let moved = false;

        const two = () => [...down.values()].slice(0, 2);

        // What the fingers that are down do from now on. What is left of a pinch neither clicks nor sweeps.
        function begin(pane, isPinched = false) {
            from = pinch = null;
            const [first] = down;
            if (down.size === 1) {
                from = {id: first[0], at: first[1], pane, zoom: {...viewer.zoom}, isPinched};
                moved = isPinched;
            } else if (down.size && pane) {
                pinch = {pane, point: pointAt(pane, middle(two())), scale: viewer.zoom.scale || pane.fit, apart: apart(two())};
            }
        }

        stage.addEventListener("wheel", (event) => {
            event.preventDefault();
            viewer.scaleBy(event.deltaY < 0 ? curator.STEP : 1 / curator.STEP, event);
        }, {passive: false});

        stage.addEventListener("pointerdown", (event) => {
            if (event.button) return;
            if (event.isPrimary) down.clear(); // the first one of what follows: the end of another may have been missed
            const pane = down.size ? (pinch || from || {}).pane : viewer.paneAt(event);
            down.set(event.pointerId, place(event));
            stage.setPointerCapture(event.pointerId);
            begin(pane);
        });

        stage.addEventListener("pointermove", (event) => {
            if (!down.has(event.pointerId)) return;
            down.set(event.pointerId, place(event));
            if (pinch) return viewer.hold(pinch.pane, pinch.point, pinch.scale * apart(two()) / pinch.apart, middle(two()));
            if (!from || !from.pane || from.id !== event.pointerId) return;
            const away = place(event).map((value, side) => value - from.at[side]);
            moved = moved || Math.abs(away[0]) + Math.abs(away[1]) > STILL;
            if (!moved || !from.zoom.scale) return;
            const [x, y] = away.map((value, side) => value / (from.pane.natural[side] * from.zoom.scale));
            viewer.moveTo(from.pane, from.zoom.x - x, from.zoom.y - y);
        });

        // A finger is gone: of two that pinched the other one goes on moving what is enlarged.
        function lift(id) {
            const pane = (pinch || from || {}).pane;
            if (down.delete(id)) begin(pane, true);
        }

        for (const lost of ["pointercancel", "lostpointercapture"]) stage.addEventListener(lost, (event) => lift(event.pointerId));

        stage.addEventListener("pointerup", (event) => {
            const begun = from && from.id === event.pointerId ? from : null;
            const isStill = !moved;
            lift(event.pointerId);
            if (!begun || !begun.pane) return;
            const aside = event.clientX - begun.at[0];
            const isSwept = !isStill && event.pointerType === "touch" && !begun.isPinched && !begun.zoom.scale && Math.abs(aside) > SWEPT;
            if (isSwept) return viewer.acts(aside < 0 ? "on" : "back");
            if (isStill) viewer.toggleZoom(...pointAt(begun.pane, place(event)));
        });
    };
})();

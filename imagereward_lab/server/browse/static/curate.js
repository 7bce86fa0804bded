// Curation: what would happen, doing it, and taking a run back.

import {ask, make, number, text} from "../shared/page.js";
import {part} from "./view.js";

export class Curate {
    constructor(view, deck) {
        this.view = view;
        this.deck = deck;
        this.number = 0; // of the preview that is shown
        this.running = 0; // number of the work that goes on
        this.box = part("curate");
        part("curate-button").addEventListener("click", () => this.open());
        part("curate-close").addEventListener("click", () => this.box.close());
        part("carry-out").addEventListener("click", () => this.begin("/open/carry-out", {number: this.number}));
        part("stop").addEventListener("click", () => ask("/open/stop", {}).catch(() => {}));
        for (const name of ["which", "how", "resort", "write_scores", "xmp"]) part(name).addEventListener("change", () => this.preview());
        // Keys mean what they mean in a form as long as it is open.
        this.box.addEventListener("keydown", (event) => event.stopPropagation());
    }

    open() {
        this.box.showModal();
        this.preview();
        this.list();
    }

    say(words) {
        part("curate-problem").textContent = words;
    }

    async preview() {
        const mine = this.asked = (this.asked || 0) + 1;
        this.number = 0;
        part("carry-out").disabled = true;
        try {
            const told = await ask("/open/preview", {
                ...this.view.asked(), which: part("which").value, how: part("how").value, resort: part("resort").checked,
                write_scores: part("write_scores").checked, xmp: part("xmp").checked ? "both" : "",
            });
            if (mine !== this.asked) return;
            this.say("");
            this.number = told.number;
            part("carry-out").disabled = this.running > 0 || !(told.steps || told.writes);
            const head = ["score", "picture", "goes_to"].map((name) => make("th", {}, text(name)));
            part("plan").replaceChildren(
                ...told.sentences.map((words) => make("p", {dir: "auto"}, words)),
                ...(told.examples.length ? [make("table", {}, make("tr", {}, ...head), ...told.examples.map((each) => make(
                    "tr", {title: each.reason}, make("td", {}, each.score === null ? "" : number(each.score, 3)),
                    make("td", {dir: "auto"}, each.file), make("td", {dir: "auto"}, each.target),
                )))] : []),
            );
        } catch (error) {
            if (mine !== this.asked) return;
            part("plan").replaceChildren();
            this.say(error.message);
        }
    }

    async list() {
        try {
            const {runs} = await ask("/open/runs", {});
            part("runs").replaceChildren(runs.length ? make("table", {}, ...runs.map((run) => make(
                "tr", {}, make("td", {}, new Date(run.when).toLocaleString()), make("td", {dir: "auto"}, run.title),
                make("td", {}, run.steps ? text("steps", {number: number(run.steps)}) : text("undone")),
                make("td", {}, ...(run.steps ? [make(
                    "button", {type: "button", "data-run": run.run, onclick: () => this.begin("/open/undo", {run: run.run})}, text("undo"),
                )] : [])),
            ))) : text("no_runs"));
        } catch (error) {
            this.say(error.message);
        }
    }

    async begin(what, told) {
        this.say("");
        try {
            const {job} = await ask(what, told);
            this.job(job, false);
        } catch (error) {
            this.say(error.message);
            this.preview();
        }
    }

    // How far the work is; ``before``: it began before this page was there.
    job(job, before) {
        if (!job || (job.finished && (before || job.number <= (this.last || 0)))) return;
        this.running = job.finished ? 0 : job.number;
        part("progress").hidden = false;
        part("stop").hidden = job.finished;
        part("progress").firstElementChild.style.width = `${job.finished ? 100 : job.total ? (100 * job.done) / job.total : 0}%`;
        part("progress").lastElementChild.textContent = job.finished ? job.result || job.problem : `${job.title} ${number(job.done)} / ${number(job.total || 0)}`;
        if (!job.finished) return;
        this.last = job.number;
        if (job.problem) this.say(job.problem);
        if (this.box.open) {
            this.preview();
            this.list();
        }
    }
}

// What the pages ask of the server. A request that finds no server is tried again: nothing that somebody did may be lost by a restart.

import {ask as once, hasText, text} from "/static/shared/page.js";

const ROOT = "/annotation/api";
const PICTURES = "/annotation/pictures";
const PAUSES = [300, 700, 1500, 3000]; // milliseconds between tries; the last one again and again
const LEAVING = 2000; // milliseconds
const AWAY = [0, 502, 503, 504]; // what says that the server is not there now

// The server's answer is that it cannot be done. "code" is a key of the service, "status" that of HTTP.
export class Refused extends Error {
    constructor(problem) {
        const {code, values} = problem.told;
        super(hasText(`error.${code}`) ? text(`error.${code}`, values) : problem.message);
        this.status = problem.status;
        this.code = code;
    }
}

const wait = (time) => new Promise((done) => setTimeout(done, time));
const listeners = [];
let reached = true;

// Calls listener(isReached) when the server is lost and when it is found again.
export const whenReached = (listener) => listeners.push(listener);

function tell(now) {
    if (now === reached) return;
    reached = now;
    for (const listener of listeners) listener(now);
}

// The server's answer, however long it takes to come back. What is asked twice is the same as once: the server sees to it.
export async function ask(path, method = "GET", body = undefined, {isWanted = () => true} = {}) {
    for (let tries = 0; isWanted(); tries++) {
        try {
            const told = await once(`${ROOT}/${path}`, body, {method, cache: "no-store"});
            tell(true);
            return told;
        } catch (problem) {
            // One without a status was cut off on its way.
            if (problem.status && !AWAY.includes(problem.status)) {
                tell(true);
                throw new Refused(problem);
            }
            tell(false);
            await wait(PAUSES[Math.min(tries, PAUSES.length - 1)]);
        }
    }
    return null;
}

// Where a picture is, small and large; and a task or a question with that for each of its pictures.
export const addresses = (id) => Object.fromEntries(["small", "large"].map((size) => [size, `${PICTURES}/${size}/${encodeURIComponent(id)}`]));
export const withAddresses = (given) => ({...given, images: given.images.map((image) => ({...image, ...addresses(image.id)}))});

// The unfinished document of a task, saved a moment after each change, one request at a time. What is not yet with the server lies in
// the browser's own store, so that a reload does not lose it either.
export class Draft {
    // told({faults, taken}, error): after each answer.
    constructor(task, told) {
        this.path = `tasks/${encodeURIComponent(task.id)}/draft`;
        this.key = `imagereward-draft-${task.id}`;
        this.told = told;
        this.timer = 0;
        this.running = null;
        this.wanted = null;
        this.ended = false;
    }

    // What a reload had kept from being sent.
    get left() {
        try {
            return JSON.parse(localStorage.getItem(this.key));
        } catch {
            return null;
        }
    }

    save(document) {
        if (this.ended) return;
        this.wanted = document;
        try {
            localStorage.setItem(this.key, JSON.stringify(document));
        } catch { /* a browser that keeps nothing */ }
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.send(), 150);
    }

    get isSaved() {
        return this.wanted === null && this.running === null;
    }

    async send() {
        if (this.running || this.wanted === null) return;
        const document = this.wanted;
        this.wanted = null;
        // Of what changed meanwhile only the latest goes.
        this.running = ask(this.path, "PUT", {document}, {isWanted: () => !this.ended && this.wanted === null});
        try {
            const told = await this.running;
            if (told && this.wanted === null && !this.ended) {
                this.forget();
                this.told(told);
            }
        } catch (error) {
            this.told({faults: []}, error);
        } finally {
            this.running = null;
        }
        if (this.wanted !== null && !this.ended) this.send();
    }

    forget() {
        try {
            localStorage.removeItem(this.key);
        } catch { /* as above */ }
    }

    // Ends it once it is with the server. Where that is away it is given up waiting for, and what was not sent stays in the browser.
    async leave() {
        clearTimeout(this.timer);
        for (const until = Date.now() + LEAVING; !this.isSaved && Date.now() < until;) {
            this.send();
            await wait(50);
        }
        await this.end();
    }

    // Nothing of it is sent any more; what is on its way has arrived, or never will.
    async end() {
        this.ended = true;
        clearTimeout(this.timer);
        this.wanted = null;
        if (this.running) await this.running.catch(() => {});
    }
}

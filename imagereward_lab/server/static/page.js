// What every page of the server shares: texts in the language chosen, asking the server, the theme. A module:
//
//   import {ask, data, make, text} from "/static/shared/page.js";

const told = JSON.parse(document.getElementById("told").textContent);

export const data = told.data; // what the page was told at once
export const language = told.language;

// The text of a key; {name} in it stands for a value.
export function text(key, values = {}) {
    const words = told.texts[key];
    if (words === undefined) throw new Error(`there is no text ${key}`);
    return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const hasText = (key) => key in told.texts;

// Numbers as the language writes them.
export const number = (value, digits = 0) => value.toLocaleString(language, {minimumFractionDigits: digits, maximumFractionDigits: digits});

// What went wrong, in a sentence for people; "status" is that of the answer, 0 where there was none, "told" what else it said.
export class Problem extends Error {
    constructor(words, status = 0, said = {}) {
        super(words);
        this.status = status;
        this.told = said;
    }
}

// Asks the server: GET without a body, POST with one. Returns what it said; throws a Problem.
export async function ask(address, body = undefined, options = {}) {
    let answer;
    try {
        answer = await fetch(address, {
            method: body === undefined ? "GET" : "POST",
            headers: body === undefined ? {} : {"Content-Type": "application/json"},
            body: body === undefined ? undefined : JSON.stringify(body),
            ...options,
        });
    } catch (error) {
        if (error.name === "AbortError") throw error;
        throw new Problem(text("no_answer"));
    }
    const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
    const said = isJson ? await answer.json() : {};
    if (!answer.ok) throw new Problem(said.problem || text("no_answer"), answer.status, said);
    return said;
}

// An element with attributes and children; on... are listeners, false and null leave an attribute out.
export function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (value === true) element.setAttribute(name, "");
        else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
}

function remember(name, value) {
    document.cookie = `imagereward-${name}=${value}; path=/; max-age=31536000; SameSite=Strict`;
}

// Dark or light, as the system has it until somebody chooses.
export function isDark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function changeTheme() {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    remember("theme", theme);
}

// A choice of language and a button for the theme, for the head of a page.
export function preferences() {
    const languages = make(
        "select", {"aria-label": text("language"), title: text("language"), onchange: (event) => {
            remember("language", event.target.value);
            location.reload();
        }},
        ...Object.entries(told.languages).map(([code, name]) => make("option", {value: code, selected: code === language}, name)),
    );
    const theme = make("button", {type: "button", "aria-label": text("theme"), title: text("theme"), onclick: changeTheme}, "◐");
    return make("span", {class: "preferences"}, languages, theme);
}

// A link with a token that is opened where somebody has come in already: from now on it is the person of the link who is there.
function takeToken() {
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    if (!token || document.getElementById("enter")) return; // the page of entry takes it itself (enter.js)
    history.replaceState(null, "", location.pathname + location.search);
    ask("/enter", {token}).then(() => location.reload(), () => {});
}
window.addEventListener("hashchange", takeToken);
takeToken();

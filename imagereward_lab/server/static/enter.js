// The page for who comes without a token: takes one from behind the address (#token=...), or from the field, and gets a cookie for it.

import {ask, text} from "./page.js";

const field = document.getElementById("token");
const problem = document.getElementById("problem");

function say(words) {
    problem.textContent = words;
    problem.hidden = !words;
}

async function enter(token) {
    try {
        await ask("/enter", {token});
    } catch (error) {
        return say(error.message);
    }
    location.reload();
}

// A token never stays in the address or in the history.
function takeFromAddress() {
    const given = new URLSearchParams(location.hash.slice(1)).get("token");
    if (given) history.replaceState(null, "", location.pathname + location.search);
    return given;
}

document.getElementById("enter").addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) enter(field.value.trim());
});

const given = takeFromAddress();
if (given) {
    enter(given);
} else {
    // Who followed a link on another site has the cookie, which was not sent with that step alone.
    fetch("/enter").then((answer) => {
        if (answer.status === 204) location.reload();
        else field.focus();
    }, () => say(text("no_answer")));
}

"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const main = document.getElementById("pictures");
  const tools = document.querySelector("form.tools");
  const field = (id) => document.getElementById(id);
  const least = field("least"), most = field("most"), further = field("further"), clear = field("clear");
  const bars = [...document.querySelectorAll(".histogram rect")];
  const picks = [...document.querySelectorAll("button.pick")];
  const names = new Intl.Collator(undefined, { numeric: true });
  const orders = {
    best: (a, b) => b.score - a.score || a.id - b.id,
    worst: (a, b) => a.score - b.score || b.id - a.id,
    stars: (a, b) => (b.stars ?? -1) - (a.stars ?? -1) || orders.best(a, b),
    name: (a, b) => names.compare(a.name, b.name) || a.id - b.id,
    input: (a, b) => a.id - b.id,
  };
  // So many cards are put on the page at a time; a page of a few hundred shows all at once, so that it can be searched and printed.
  const step = data.pictures.length > data.at_once ? 60 : data.at_once;
  document.documentElement.classList.add("scripted");

  const make = (tag, kind, text) => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const chosen = (name, otherwise) => {
    const input = tools.elements.namedItem(name);
    return input ? input.value : otherwise;
  };

  // The first cards stand on the page. The others lie in blocks of text, in the order of data.pictures, and are made when needed.
  const blocks = [...document.querySelectorAll("script.cards")];
  const texts = [];
  const reader = new DOMParser();
  data.pictures.forEach((picture, place) => {
    picture.place = place - data.at_once;
    if (picture.place < 0) picture.card = field("p" + picture.id);
  });
  function cardOf(picture) {
    if (!picture.card) {
      const number = Math.floor(picture.place / data.in_block);
      texts[number] ??= blocks[number].textContent.split("</article>");
      const text = texts[number][picture.place % data.in_block] + "</article>";
      picture.card = document.adoptNode(reader.parseFromString(text, "text/html").body.firstElementChild);
    }
    return picture.card;
  }

  // Frames take the usual shape of the batch, so that portraits are not lost in squares.
  const side = (image, name) => Number(image.getAttribute(name));
  const shapes = [...main.querySelectorAll("img")]
    .map((image) => side(image, "width") / side(image, "height"))
    .sort((a, b) => a - b);
  if (shapes.length) {
    const usual = Math.min(1.6, Math.max(0.66, shapes[shapes.length >> 1]));
    main.style.setProperty("--shape", usual.toFixed(3));
  }

  // The prompt as written, where all pictures of a group share it: then it stands once, above them.
  function writtenByAll(members) {
    const first = members[0].written;
    if (first === undefined || members.some((picture) => picture.written !== first)) return null;
    const all = members.slice(0, 60).map((picture) => cardOf(picture).querySelector(".written").textContent);
    return all.every((text) => text === all[0]) ? members[0].card.querySelector(".written") : null;
  }

  function heading(prompt, members, written) {
    const head = make("header", "group-head");
    const title = make("h2", "", prompt.seen || "No prompt");
    title.dir = "auto";
    head.append(title);
    if (prompt.cut) {
      const cut = make("p", "cut");
      cut.dir = "auto";
      cut.append(make("small", "", "Not read, too long:"), " ", make("span", "", prompt.cut));
      head.append(cut);
    }
    if (written) head.append(written.cloneNode(true));
    let [best, worst] = [-Infinity, Infinity];
    for (const { score } of members) [best, worst] = [Math.max(best, score), Math.min(worst, score)];
    const range =
      members.length > 1
        ? `${members.length} pictures, ${worst.toFixed(4)} to ${best.toFixed(4)}`
        : `1 picture, ${best.toFixed(4)}`;
    head.append(make("p", "hint", range));
    return head;
  }

  function searched(picture) {
    if (picture.words === undefined) {
      const prompt = data.prompts[picture.prompt];
      const made = [data.models[picture.model], ...(picture.loras ?? []).map((number) => data.loras[number])];
      picture.words = [picture.name, prompt.seen, prompt.cut, data.written[picture.written], picture.seed, ...made]
        .join("\n")
        .toLowerCase();
    }
    return picture.words;
  }

  // What must hold for a picture to be shown, as far as anything is asked for; the names are those of the fields.
  function conditions() {
    const asked = (id) => (field(id) ? field(id).value.trim() : "");
    const found = {};
    const terms = asked("text").toLowerCase().split(/\s+/).filter(Boolean);
    if (terms.length) found.text = (picture) => terms.every((term) => searched(picture).includes(term));
    const percentile = parseFloat(asked("percentile"));
    if (percentile > 0) found.percentile = (picture) => (picture.percentile ?? -1) >= percentile;
    for (const name of ["prompt", "model", "bucket"]) {
      const number = asked(name);
      if (number) found[name] = (picture) => (picture[name] ?? -1) === Number(number);
    }
    const lora = asked("lora");
    if (lora === "-1") found.lora = (picture) => !picture.loras;
    else if (lora) found.lora = (picture) => (picture.loras ?? []).includes(Number(lora));
    const stars = asked("stars");
    if (stars === "-1") found.stars = (picture) => picture.stars === undefined;
    else if (stars) found.stars = (picture) => (picture.stars ?? -1) >= Number(stars);
    return found;
  }

  let waitingCards = [];
  let grid = null;

  // Puts the next cards on the page, and says whether there are more.
  function showMore() {
    for (let left = step; left > 0 && waitingCards.length; ) {
      const group = waitingCards[0];
      if (!group.begun) {
        const section = make("section", "group");
        const written = group.key >= 0 ? writtenByAll(group.members) : null;
        if (group.key >= 0) section.append(heading(data.prompts[group.key], group.members, written));
        section.classList.toggle("written-above", written !== null);
        grid = make("div", "grid");
        section.append(grid);
        main.append(section);
        group.begun = true;
      }
      const next = group.members.slice(group.done, group.done + left);
      grid.append(...next.map(cardOf));
      group.done += next.length;
      left -= next.length;
      if (group.done === group.members.length) waitingCards.shift();
    }
    further.hidden = waitingCards.length === 0;
  }

  const near = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting) || further.hidden) return;
      showMore();
      // Observed anew, it reports again where the new cards have not filled the window.
      near.unobserve(further);
      near.observe(further);
    },
    { rootMargin: "1500px" },
  );

  function draw() {
    const byPrompt = chosen("group", "all") === "prompt";
    const show = chosen("show", "all");
    // Sliders round their value: without the slack the best picture would vanish at the upper end.
    const slack = least ? 1e-9 * (Number(least.max) - Number(least.min)) : 0;
    const limit = least ? Number(least.value) - slack : -Infinity;
    const top = most ? Number(most.value) + slack : Infinity;
    const everything = !least || (limit <= Number(least.min) && top >= Number(most.max));
    const asked = conditions();
    const tests = Object.values(asked);
    const pictures = data.pictures
      .filter((picture) => everything || (picture.score >= limit && picture.score <= top))
      .filter((picture) => show === "all" || picture.kept === (show === "kept"))
      .filter((picture) => tests.every((test) => test(picture)))
      .sort(orders[field("sort").value]);
    const groups = new Map();
    for (const picture of pictures) {
      const key = byPrompt ? picture.prompt : -1;
      if (!groups.has(key)) groups.set(key, { key, members: [], done: 0, begun: false });
      groups.get(key).members.push(picture);
    }
    waitingCards = [...groups.values()];
    main.classList.toggle("by-prompt", byPrompt);
    main.replaceChildren();
    showMore();
    near.unobserve(further);
    near.observe(further);
    for (const bar of bars) {
      const out = Number(bar.dataset.to) < limit || Number(bar.dataset.from) > top;
      bar.classList.toggle("out", !everything && out);
    }
    for (const pick of picks) {
      const menu = field(pick.dataset.kind);
      pick.setAttribute("aria-pressed", String(Boolean(menu) && menu.value === pick.dataset.value));
    }
    field("nothing").hidden = pictures.length > 0 || data.pictures.length === 0;
    field("count").textContent = `${pictures.length.toLocaleString()} of ${data.pictures.length.toLocaleString()} shown`;
    if (clear) clear.hidden = tests.length === 0 && everything;
    if (least) {
      const low = limit <= Number(least.min), high = top >= Number(most.max);
      const from = Number(least.value).toFixed(4), to = Number(most.value).toFixed(4);
      const text = low ? `up to ${to}` : high ? `${from} and above` : `${from} to ${to}`;
      field("range-text").textContent = everything ? "Move the ends to hide scores" : text;
    }
  }

  let waiting = 0;
  const soon = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(draw);
  };
  tools.addEventListener("change", soon);
  tools.addEventListener("input", soon);
  tools.addEventListener("submit", (event) => event.preventDefault());
  further.addEventListener("click", showMore);
  for (const slider of least ? [least, most] : []) {
    slider.addEventListener("input", () => {
      // The two ends do not pass each other.
      if (Number(least.value) > Number(most.value)) slider.value = (slider === least ? most : least).value;
      soon();
    });
  }
  if (clear) {
    clear.addEventListener("click", () => {
      for (const input of clear.parentElement.querySelectorAll("input, select")) input.value = "";
      if (least) [least.value, most.value] = [least.min, most.max];
      draw();
    });
  }
  // Of several box plots one at a time is shown.
  const plots = [...document.querySelectorAll(".plot-of")];
  const showPlot = () => {
    const wanted = document.querySelector('input[name="plot"]:checked');
    for (const plot of plots) plot.hidden = Boolean(wanted) && plot.dataset.kind !== wanted.value;
  };
  for (const input of document.querySelectorAll('input[name="plot"]')) input.addEventListener("change", showPlot);
  showPlot();
  for (const pick of picks) {
    const menu = field(pick.dataset.kind);
    pick.disabled = !menu || ![...menu.options].some((option) => option.value === pick.dataset.value);
    pick.addEventListener("click", () => {
      menu.value = menu.value === pick.dataset.value ? "" : pick.dataset.value;
      draw();
    });
  }
  draw();
})();

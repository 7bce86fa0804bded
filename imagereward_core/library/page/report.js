"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const main = document.getElementById("pictures");
  const tools = document.querySelector("form.tools");
  const least = document.getElementById("least");
  const bars = [...document.querySelectorAll(".histogram rect")];
  const names = new Intl.Collator(undefined, { numeric: true });
  const orders = {
    best: (a, b) => b.score - a.score || a.id - b.id,
    worst: (a, b) => a.score - b.score || b.id - a.id,
    name: (a, b) => names.compare(a.name, b.name) || a.id - b.id,
    input: (a, b) => a.id - b.id,
  };
  for (const picture of data.pictures) picture.card = document.getElementById("p" + picture.id);
  document.documentElement.classList.add("scripted");

  const make = (tag, kind, text) => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const chosen = (name, otherwise) => {
    const field = tools.elements.namedItem(name);
    return field ? field.value : otherwise;
  };

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
    const texts = members.map((picture) => picture.card.querySelector(".written"));
    return texts.every((text) => text && text.textContent === texts[0].textContent) ? texts[0] : null;
  }

  function heading(prompt, members) {
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
    const written = writtenByAll(members);
    if (written) head.append(written.cloneNode(true));
    const scores = members.map((picture) => picture.score);
    const best = Math.max(...scores).toFixed(4);
    const worst = Math.min(...scores).toFixed(4);
    const range = members.length > 1 ? `${members.length} pictures, ${worst} to ${best}` : `1 picture, ${best}`;
    head.append(make("p", "hint", range));
    return head;
  }

  function draw() {
    const byPrompt = chosen("group", "all") === "prompt";
    const show = chosen("show", "all");
    // Sliders round their value: without the slack the best picture would vanish at the upper end.
    const slack = least ? 1e-9 * (Number(least.max) - Number(least.min)) : 0;
    const limit = least ? Number(least.value) - slack : -Infinity;
    const everything = !least || limit <= Number(least.min);
    const pictures = data.pictures
      .filter((picture) => everything || picture.score >= limit)
      .filter((picture) => show === "all" || picture.kept === (show === "kept"))
      .sort(orders[document.getElementById("sort").value]);
    const groups = new Map();
    for (const picture of pictures) {
      const key = byPrompt ? picture.prompt : -1;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(picture);
    }
    const sections = [...groups].map(([key, members]) => {
      const section = make("section", "group");
      if (key >= 0) section.append(heading(data.prompts[key], members));
      section.classList.toggle("written-above", key >= 0 && writtenByAll(members) !== null);
      const grid = make("div", "grid");
      grid.append(...members.map((picture) => picture.card));
      section.append(grid);
      return section;
    });
    main.classList.toggle("by-prompt", byPrompt);
    main.replaceChildren(...sections);
    for (const bar of bars) bar.classList.toggle("out", !everything && Number(bar.dataset.to) < limit);
    document.querySelector(".nothing").hidden = pictures.length > 0 || data.pictures.length === 0;
    document.getElementById("count").textContent = `${pictures.length} of ${data.pictures.length} shown`;
    if (least) {
      const text = everything ? "Move to hide low scores" : `${limit.toFixed(4)} and above`;
      document.getElementById("least-text").textContent = text;
    }
  }

  let waiting = 0;
  const soon = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(draw);
  };
  tools.addEventListener("change", draw);
  tools.addEventListener("submit", (event) => event.preventDefault());
  if (least) {
    least.addEventListener("input", soon);
    least.addEventListener("change", draw);
  }
  draw();
})();

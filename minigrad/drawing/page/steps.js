"use strict";
(() => {
  const steps = JSON.parse(document.getElementById("data").textContent);
  const [phase, title, line, note, slider, count, play] =
    ["phase", "title", "line", "note", "slider", "count", "play"]
      .map((id) => document.getElementById(id));
  const stage = document.querySelector(".stage");
  const svg = stage.querySelector("svg");
  const boxes = group("[data-box]", (box) => box.dataset.box);
  const edges = group("[data-edge]", (edge) => edge.dataset.edge);
  const rows = [...svg.querySelectorAll("[data-row]")];
  const products = [...svg.querySelectorAll("[data-step]")];
  const last = steps.length - 1;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const PACE = 1400; // milliseconds a step
  let now = 0;
  let timer = 0;

  function group(selector, key) {
    return new Map([...svg.querySelectorAll(selector)].map((element) => [key(element), element]));
  }

  /** Show the state after step k: everything up to it, and it in colour. */
  function show(k) {
    now = Math.max(0, Math.min(last, k));
    const step = steps[now];
    const known = new Map();
    for (const { entries } of steps.slice(0, now + 1)) {
      for (const [box, row, lines] of entries) known.set(`${box} ${row}`, lines);
    }
    for (const text of rows) {
      const box = text.closest("[data-box]").dataset.box;
      const lines = known.get(`${box} ${text.dataset.row}`) || [];
      text.textContent = lines[Number(text.dataset.line)] || "";
    }
    for (const text of products) {
      text.style.visibility = Number(text.dataset.step) <= now ? "visible" : "hidden";
    }
    const flowed = new Set(steps.slice(0, now + 1).map((s) => String(s.edge)));
    for (const [key, edge] of edges) {
      edge.classList.toggle("flowed", flowed.has(key));
      edge.classList.toggle("now", key === String(step.edge));
    }
    for (const [key, box] of boxes) box.classList.toggle("now", key === step.box);

    document.body.className = step.phase;
    phase.textContent = step.word;
    title.textContent = step.title;
    line.textContent = step.line;
    note.textContent = step.note;
    slider.value = now;
    slider.setAttribute("aria-valuetext", `${now + 1} of ${last + 1}: ${step.title}`);
    count.textContent = `${now + 1} / ${last + 1}`;
    for (const id of ["first", "back"]) document.getElementById(id).disabled = now === 0;
    for (const id of ["next", "last"]) document.getElementById(id).disabled = now === last;
    reveal([boxes.get(step.box), edges.get(String(step.edge))].filter(Boolean));
  }

  /** Scroll the stage, and nothing around it, to what this step is about. */
  function reveal(elements) {
    if (!elements.length) return;
    const around = stage.getBoundingClientRect();
    const spots = elements.map((element) => element.getBoundingClientRect());
    const middle = (low, high) =>
      (Math.min(...spots.map((s) => s[low])) + Math.max(...spots.map((s) => s[high]))) / 2;
    stage.scrollBy({
      left: middle("left", "right") - (around.left + around.right) / 2,
      top: middle("top", "bottom") - (around.top + around.bottom) / 2,
      behavior: still.matches ? "auto" : "smooth",
    });
  }

  function toggle(running = !timer) {
    clearInterval(timer);
    timer = 0;
    if (running) {
      if (now === last) show(0);
      timer = setInterval(() => {
        show(now + 1);
        if (now === last) toggle(false);
      }, PACE);
    }
    play.setAttribute("aria-label", timer ? "Pause" : "Play");
    play.classList.toggle("running", Boolean(timer));
  }

  const go = (k) => { toggle(false); show(k); };
  const moves = { first: () => 0, back: () => now - 1, next: () => now + 1, last: () => last };
  for (const [id, to] of Object.entries(moves)) {
    document.getElementById(id).addEventListener("click", () => go(to()));
  }
  play.addEventListener("click", () => toggle());
  slider.addEventListener("input", () => go(Number(slider.value)));
  const keys = { ArrowLeft: moves.back, ArrowRight: moves.next, Home: moves.first, End: moves.last };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " && event.target.tagName !== "BUTTON") toggle();
    else if (event.key in keys) go(keys[event.key]());
    else return;
    event.preventDefault();
  });

  slider.max = last;
  show(0);
})();

"use strict";
(() => {
  const { lines, modules, boxes, edges, closed: first } =
    JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const view = new View(at("stage"));
  const closed = new Set(first);
  let now = foldedDot(lines, modules, closed); // what is drawn
  let chosen = ""; // the id of a box
  let hits = []; // the ids of boxes that were searched for
  let hit = -1;

  // ── drawing ────────────────────────────────────────────────────────────────────────────────────

  let engine; // a promise of Graphviz, once it was needed
  async function graphviz() {
    const packed = Uint8Array.from(atob(at("graphviz").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    script.remove();
    return Viz.instance();
  }

  /** Lay out what is open. The box or module with this title stays where it is in the window. */
  async function redraw(anchor) {
    const before = anchor && element(anchor);
    const spot = before && view.spot(before);
    at("status").textContent = "Laying out …";
    try {
      engine = engine || graphviz();
      const viz = await engine;
      await new Promise((shown) => setTimeout(shown)); // what is being done is said first
      now = foldedDot(lines, modules, closed);
      const drawn = viz.renderString(now.text, { format: "svg" });
      const svg = new DOMParser().parseFromString(drawn, "image/svg+xml").documentElement;
      at("stage").replaceChildren(document.importNode(svg, true));
      view.show(at("stage").firstElementChild, Boolean(spot));
      adorn();
      if (spot) view.bring(element(anchor) || element(home(anchor)), spot);
      const count = at("stage").querySelectorAll(".node").length;
      at("status").textContent = `Boxes: ${count}. Of them folded modules: ${now.folded.size}.`;
    } catch (error) {
      at("status").textContent = `This browser could not lay the drawing out: ${error.message}`;
    }
  }

  /** The group of a box or a module in the drawing. */
  function element(title) {
    const groups = [...at("stage").querySelectorAll(".node, .cluster")];
    return groups.find((group) => group.querySelector("title").textContent === title);
  }

  /** The box that stands for a box, or for a module that is folded. */
  function home(name) {
    if (name in modules) return now.home.get(modules[name].id) || modules[name].id;
    return now.home.get(name) || name;
  }

  /** Give boxes and titles of modules names, and places in the order of Tab. */
  function adorn() {
    for (const node of at("stage").querySelectorAll(".node")) {
      const id = node.querySelector("title").textContent;
      const module = now.folded.get(id);
      const { title, kind } = module ? { ...modules[module], kind: "folded module" } : boxes[id];
      role(node, `${title}, ${kind}`);
    }
    for (const cluster of at("stage").querySelectorAll(".cluster")) {
      const name = cluster.querySelector("title").textContent;
      role(cluster, `Fold ${modules[name].title}`);
      cluster.setAttribute("aria-expanded", "true");
    }
    mark();
  }

  function role(group, label) {
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    group.setAttribute("aria-label", label);
  }

  /** Light up what is chosen, its arrows, and what was searched for. */
  function mark() {
    const found = new Set(hits.map(home));
    at("stage").classList.toggle("searching", Boolean(at("search").value.trim()));
    for (const node of at("stage").querySelectorAll(".node")) {
      const id = node.querySelector("title").textContent;
      node.classList.toggle("chosen", Boolean(chosen) && id === home(chosen));
      node.classList.toggle("hit", found.has(id));
    }
    for (const edge of at("stage").querySelectorAll(".edge")) {
      const ends = edge.querySelector("title").textContent.split("->");
      edge.classList.toggle("near", Boolean(chosen) && ends.includes(home(chosen)));
    }
  }

  // ── folding ────────────────────────────────────────────────────────────────────────────────────

  async function fold(name) {
    closed.add(name);
    await redraw(name);
    choose(modules[name].id);
  }

  async function unfold(name) {
    closed.delete(name);
    await redraw(modules[name].id);
    choose(modules[name].id);
  }

  /** The modules around a box, the outermost first. */
  function around(id) {
    const open = [];
    for (const line of lines) {
      const text = line.trim();
      const opened = text.match(/^subgraph (\w+) \{$/);
      if (opened) open.push(opened[1]);
      else if (text === "}") open.pop();
      else if (text.startsWith(`${id} [label=`)) return open;
    }
    return [];
  }

  // ── the panel ──────────────────────────────────────────────────────────────────────────────────

  function choose(id) {
    chosen = id;
    const module = now.folded.get(home(id));
    const about = module ? modules[module] : boxes[id];
    at("title").textContent = about.title;
    at("kind").textContent = module ? "folded module" : about.kind;
    at("rows").replaceChildren(...about.rows.flatMap(([word, told]) => row(word, told)));
    if (!module) {
      at("rows").append(
        ...links("Computed from", edges.filter((e) => e[1] === id).map((e) => [e[0], e[2]])),
        ...links("Read by", edges.filter((e) => e[0] === id).map((e) => [e[1], e[2]])),
      );
    }
    const folds = around(id).filter((name) => !closed.has(name));
    at("actions").replaceChildren(
      ...(module ? [action(`Unfold ${about.title}`, () => unfold(module))] : []),
      ...(module ? [] : folds.map((name) => action(`Fold ${modules[name].title}`, () => fold(name)))),
    );
    at("panel").hidden = false;
    view.paint();
    mark();
    const box = element(home(id));
    if (box) view.reveal(box, at("panel"));
  }

  function row(word, told) {
    const term = document.createElement("dt");
    term.textContent = word;
    return [term, ...told.map((line) => {
      const told = document.createElement("dd");
      told.textContent = line;
      return told;
    })];
  }

  /** Buttons that lead to other boxes. */
  function links(word, ends) {
    if (!ends.length) return [];
    const [term, place] = row(word, [""]);
    place.append(...ends.map(([id, argument]) => {
      const { title } = boxes[id];
      return action(argument && argument !== title ? `${argument}: ${title}` : title, () => go(id));
    }));
    return [term, place];
  }

  function action(label, then) {
    const button = document.createElement("button");
    button.textContent = label;
    button.addEventListener("click", then);
    return button;
  }

  /** Open what hides a box, choose it, and bring it to the middle. */
  async function go(id) {
    const hiding = around(id).filter((name) => closed.has(name));
    hiding.forEach((name) => closed.delete(name));
    if (hiding.length) await redraw(hiding[0]);
    choose(id);
    view.bring(element(id), undefined, at("panel"));
  }

  function dismiss() {
    chosen = "";
    at("panel").hidden = true;
    view.paint();
    mark();
  }

  // ── searching ──────────────────────────────────────────────────────────────────────────────────

  function search() {
    const words = at("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const fits = ({ title, kind, operation, modules }) => {
      const text = [title, kind, operation, modules].join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    };
    hits = words.length ? Object.keys(boxes).filter((id) => fits(boxes[id])) : [];
    hit = -1;
    at("found").textContent = words.length ? `${hits.length} found` : "";
    mark();
  }

  async function next(step) {
    if (!hits.length) return;
    hit = (hit + step + hits.length) % hits.length;
    at("found").textContent = `${hit + 1} of ${hits.length}`;
    await go(hits[hit]);
  }

  // ── what the reader does ───────────────────────────────────────────────────────────────────────

  function press(target) {
    const cluster = target.closest(".cluster");
    const node = target.closest(".node");
    if (node) choose(node.querySelector("title").textContent);
    else if (cluster) fold(cluster.querySelector("title").textContent);
    return Boolean(node || cluster);
  }

  at("stage").addEventListener("click", (event) => {
    if (view.moved > 6) return;
    const inside = event.target.closest(".node") || event.target.closest(".cluster text");
    if (!inside) dismiss();
    else press(event.target);
  });
  at("stage").addEventListener("dblclick", (event) => {
    const node = event.target.closest(".node");
    const module = node && now.folded.get(node.querySelector("title").textContent);
    if (module) unfold(module);
  });
  at("stage").addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in steps) view.pan(...steps[event.key]);
    else if (event.key === "+" || event.key === "=") view.zoom(1.25);
    else if (event.key === "-") view.zoom(0.8);
    else if (event.key === "0") view.fit();
    else if (!["Enter", " "].includes(event.key) || !press(event.target)) return;
    event.preventDefault();
  });
  at("stage").addEventListener("focusin", (event) => {
    if (event.target.matches(".node:focus-visible")) view.bring(event.target);
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (at("search").value) { at("search").value = ""; search(); } else dismiss();
    } else if (event.key === "/" && event.target !== at("search")) {
      at("search").focus();
      event.preventDefault();
    }
  });
  at("search").addEventListener("input", search);
  at("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
  });
  at("in").addEventListener("click", () => view.zoom(1.25));
  at("out").addEventListener("click", () => view.zoom(0.8));
  at("fit").addEventListener("click", () => view.fit());
  at("close").addEventListener("click", dismiss);
  at("fold").addEventListener("click", () => {
    Object.keys(modules).forEach((name) => closed.add(name));
    dismiss();
    redraw();
  });
  at("unfold").addEventListener("click", () => { closed.clear(); dismiss(); redraw(); });
  for (const id of ["fold", "unfold"]) at(id).disabled = !Object.keys(modules).length;

  if (at("stage").firstElementChild) {
    view.show(at("stage").firstElementChild);
    adorn();
  } else redraw();
})();

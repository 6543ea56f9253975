"use strict";

/**
 * The DOT text of a drawing in which some modules are folded.
 *
 * The text has a statement a line. A folded module is one statement in place of all between its
 * "subgraph name {" and the "}" that belongs to it; arrows to and from what was inside lead to
 * that box, each pair once.
 *
 * @param {string[]} lines  the whole drawing
 * @param {Object} modules  name of a subgraph -> {id, statement} of its folded box
 * @param {Set} closed  the names of those that are folded
 * @return {{text: string, home: Map, folded: Map}}  the text; for each hidden box the one that
 *   stands for it; and for each such box the name of its module
 */
function foldedDot(lines, modules, closed) {
  const kept = [];
  const home = new Map();
  const folded = new Map();
  const seen = new Set();
  let inside = ""; // the folded module that this line is in
  let depth = 0; // and how many brackets deep
  for (const line of lines) {
    const text = line.trim();
    if (inside) {
      if (text.endsWith("{")) depth += 1;
      if (text === "}") depth -= 1;
      const made = text.match(/^(\w+) \[label=/);
      if (made) home.set(made[1], modules[inside].id);
      if (!depth) inside = "";
      continue;
    }
    const opened = text.match(/^subgraph (\w+) \{$/);
    if (opened && closed.has(opened[1])) {
      inside = opened[1];
      depth = 1;
      kept.push(modules[inside].statement);
      folded.set(modules[inside].id, inside);
      continue;
    }
    const arrow = text.match(/^(\w+) -> (\w+)( \[.*)?$/);
    if (!arrow) {
      kept.push(line);
      continue;
    }
    const [tail, head] = [1, 2].map((end) => home.get(arrow[end]) || arrow[end]);
    const moved = home.has(arrow[1]) || home.has(arrow[2]);
    if (moved && (tail === head || seen.has(`${tail} ${head}`))) continue;
    if (moved) seen.add(`${tail} ${head}`);
    // Where inner arguments meet in one box, their names say nothing.
    const facts = (arrow[3] || "").replace(home.has(arrow[2]) ? /(, )?label=<.*>/ : "", "");
    kept.push(`${tail} -> ${head}${facts}`);
  }
  return { text: kept.join("\n"), home, folded };
}

// The dialogue state as a table; what changed since the user last spoke is marked.

import { el, tell } from "./dom.js";

function flat(state) {
  const rows = new Map();
  const domains = new Set([
    ...Object.keys(state.slots), ...Object.keys(state.offered), ...Object.keys(state.booked),
  ]);
  for (const domain of domains) {
    for (const [slot, value] of Object.entries(state.slots[domain] ?? {})) {
      rows.set(JSON.stringify([domain, slot, "slot"]), value);
    }
    for (const kind of ["offered", "booked"]) {
      if (state[kind][domain]) rows.set(JSON.stringify([domain, kind, kind]), state[kind][domain]);
    }
  }
  return rows;
}

export class StateTable {
  constructor(name) {
    this.before = new Map();
    this.now = new Map();
    this.body = el("tbody");
    this.empty = el("p", { class: "quiet", text: "Nothing has been understood yet." });
    const heads = ["Domain", "Slot", "Value"].map((text) => el("th", { scope: "col", text }));
    this.table = el(
      "table",
      { hidden: true },
      el("caption", { class: "unseen", text: `Dialogue state of ${name}` }),
      el("thead", {}, el("tr", {}, ...heads)),
      this.body,
    );
    this.element = el("section", { class: "state" }, el("h3", { text: "Dialogue state" }), this.empty, this.table);
  }

  /** The user speaks: from now on changes count anew. */
  settle() {
    this.before = this.now;
    this.draw();
  }

  show(state, quiet = false) {
    this.domain = state.domain;
    this.now = flat(state);
    if (quiet) this.before = this.now;
    const fresh = this.draw();
    if (fresh.length && !quiet) tell(`Understood: ${fresh.join(", ")}`);
  }

  draw() {
    const fresh = [];
    let last = null;
    const rows = [...this.now].map(([key, value]) => {
      const [domain, slot, kind] = JSON.parse(key);
      const was = this.before.get(key);
      const changed = was !== value;
      if (changed) fresh.push(`${domain} ${slot} ${value}`);
      const first = domain !== last;
      last = domain;
      return el(
        "tr",
        { class: [first ? "first" : "", changed ? "changed" : "", kind].join(" ").trim() },
        el("th", { scope: "row", class: first ? "" : "again" }, el("span", { text: domain }),
           first && domain === this.domain ? el("span", { class: "badge", text: "now" }) : null),
        el("td", { class: "slot", text: slot }),
        el("td", { dir: "auto" }, el("span", { text: value }),
           changed ? el("span", { class: "badge fresh", text: was === undefined ? "new" : "changed" }) : null),
      );
    });
    this.body.replaceChildren(...rows);
    this.table.hidden = !rows.length;
    this.empty.hidden = Boolean(rows.length);
    return fresh;
  }
}

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
    this.empty = el("p", { class: "quiet", text: "Nothing has been understood yet." });
    const heads = ["Slot", "Value"].map((text) => el("th", { scope: "col", text }));
    this.table = el(
      "table",
      { hidden: true },
      el("caption", { class: "unseen", text: `Dialogue state of ${name}` }),
      el("thead", {}, el("tr", {}, ...heads)),
    );
    this.element = el(
      "section",
      { class: "state", tabindex: "0", "aria-label": `Dialogue state of ${name}` },
      el("h3", { text: "Dialogue state" }), this.empty, this.table,
    );
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
    const domains = new Map();
    for (const [key, value] of this.now) {
      const [domain, slot, kind] = JSON.parse(key);
      const was = this.before.get(key);
      if (was !== value) fresh.push(`${domain} ${slot} ${value}`);
      if (!domains.has(domain)) domains.set(domain, []);
      domains.get(domain).push({ slot, kind, value, was });
    }
    this.table.replaceChildren(...[...this.table.children].filter((one) => one.tagName !== "TBODY"));
    for (const [domain, rows] of domains) this.table.append(this.group(domain, rows));
    this.table.hidden = !domains.size;
    this.empty.hidden = Boolean(domains.size);
    const first = this.table.querySelector(".changed");
    if (first) this.element.scrollTop = first.offsetTop - this.element.clientHeight / 3;
    return fresh;
  }

  group(domain, rows) {
    const head = el("tr", {},
      el("th", { scope: "rowgroup", colspan: "2" }, el("span", { text: domain }), " ",
         domain === this.domain ? el("span", { class: "badge", text: "now" }) : null));
    const lines = rows.map(({ slot, kind, value, was }) => {
      const changed = was !== value;
      return el("tr", { class: changed ? "changed" : "" },
        el("th", { scope: "row" }, el("span", { class: `name ${kind}`, text: slot })),
        el("td", { dir: "auto", class: "value" }, el("span", { text: value }), " ",
           changed ? el("span", { class: "badge fresh", text: was === undefined ? "new" : "changed" }) : null));
    });
    return el("tbody", {}, head, ...lines);
  }
}

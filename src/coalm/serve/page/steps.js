// What the agent does between what you say and what it says: thoughts, calls, results.

import { block, el, follow } from "./dom.js";

function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export class Steps {
  constructor(name) {
    this.list = el("div", { class: "rounds" });
    this.element = el("section", { class: "steps", tabindex: "0", "aria-label": `Steps of ${name}` },
                      el("h3", { text: "Steps" }), this.list);
    this.groups = [];
    this.draft = null;
  }

  begin(round, said) {
    this.items = el("ol");
    this.begun = performance.now();
    const short = said.length > 60 ? said.slice(0, 60) + "…" : said;
    const group = el("section", { class: "round" }, el("h4", { text: `Turn ${round + 1}: ${short}` }), this.items);
    this.groups.push(group);
    this.draft = null;
    follow(this.element, () => this.list.append(group));
  }

  backTo(round) {
    for (const group of this.groups.splice(round)) group.remove();
  }

  /** A thought that is being written; the next one replaces it. */
  thinking(thought) {
    if (!thought) return;
    if (!this.draft) this.draft = this.add("thought", "Thought", el("p", { dir: "auto" }), undefined);
    follow(this.element, () => {
      this.draft.querySelector("p").textContent = "";
      this.draft.querySelector("p").append(el("span", { text: thought }));
    });
  }

  took(event) {
    this.draft?.remove();
    this.draft = null;
    if (event.thought) this.add("thought", "Thought", el("p", { dir: "auto", text: event.thought }), event.at);
    for (const call of event.calls ?? []) {
      const given = Object.entries(call.arguments ?? {}).map(([name, value]) =>
        el("div", {}, el("dt", { text: name }), el("dd", { dir: "auto", text: plain(value) })));
      const head = el("p", { class: "name" }, el("code", { text: call.name }));
      this.add("call", "Call", el("div", {}, head, given.length ? el("dl", {}, ...given) : null), event.at);
    }
  }

  observed(event) {
    const wrong = event.text.startsWith("error:");
    const label = wrong ? "Error" : "Result";
    const from = event.tool ? el("p", { class: "name" }, "from ", el("code", { text: event.tool })) : null;
    this.add(wrong ? "result wrong" : "result", label, el("div", {}, from, block(event.text)), event.at);
  }

  note(label, text, more = null, at = undefined) {
    this.draft?.remove();
    this.draft = null;
    this.add("note", label, el("div", {}, el("p", { text }), more), at);
  }

  add(kind, label, content, at) {
    // Of a conversation that is shown again nobody knows how long it took.
    const seconds = at === undefined ? "" : `${((performance.now() - this.begun) / 1000).toFixed(1)} s`;
    const head = el("p", { class: "label" }, el("span", { text: label }), el("span", { class: "at", text: seconds }));
    const item = el("li", { class: kind }, head, content);
    follow(this.element, () => this.items.append(item));
    return item;
  }
}

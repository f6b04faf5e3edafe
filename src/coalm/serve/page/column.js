// One conversation with one model: what was said, and beside it what happened in between.

import { Trouble, call, stream } from "./api.js";
import { asking, editing, introduction, judging } from "./cards.js";
import { button, el, follow, tell, words } from "./dom.js";
import { StateTable } from "./state.js";
import { Steps } from "./steps.js";

const ENDS = {
  steps: (event, about) => `Stopped after ${about.steps} steps without an answer.`,
  limit: (event) => `Stopped: ${event.why}.`,
  malformed: (event) => `The model's reply cannot be read: ${event.why}.`,
  unanswered: (event) => `No answer: ${event.why}.`,
  cancelled: () => "Stopped. What had happened by then stays in the conversation.",
};

export class Column {
  /** `rerun(round, text)` says a turn anew; `notice(text)` tells of what concerns all. */
  constructor(about, { rerun, notice }) {
    this.about = about;
    this.rerun = rerun;
    this.notice = notice;
    this.rounds = 0;
    this.busy = false;
    const name = about.model;
    this.log = el("div", { class: "log", role: "log", "aria-live": "off", tabindex: "0", "aria-label": `Conversation with ${name}` });
    this.state = new StateTable(name);
    this.steps = new Steps(name);
    this.behind = el("details", { open: true }, el("summary", {}, el("h2", { text: "Behind the scenes" })),
                     el("div", { class: "inside" }, this.state.element, this.steps.element));
    this.element = el(
      "section",
      { class: "column", "aria-label": `Model ${name}` },
      el("div", { class: "talk" }, el("h2", { class: "model", text: name }), this.log),
      el("aside", { "aria-label": `Behind the scenes of ${name}` }, this.behind),
    );
    this.log.append(introduction(about));
    this.state.show(about.state, true);
  }

  get path() {
    return `/${encodeURIComponent(this.about.id)}`;
  }

  // --- saying -----------------------------------------------------------------------------

  async say(text) {
    const round = this.begin(text);
    this.busy = true;
    this.state.settle();
    this.wait = this.add(el("p", { class: "waiting", text: "thinking" }));
    let last = null;
    let heard = false;
    try {
      for await (const event of stream(`${this.path}/say`, { text })) {
        heard = true;
        this.take(event, round);
        if (event.event === "ended" || event.event === "failed") last = event;
      }
      if (!last) throw new Trouble("The connection broke off before the reply was whole.", 0, "broken");
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      if (!heard && trouble.code !== "broken") {
        this.backTo(round); // it never began: the words go back to where they came from
        throw trouble;
      }
      this.remark(`${trouble.message} What is shown may not be all that happened.`, "wrong",
                  button("Show what the server has", () => this.again()));
    } finally {
      this.busy = false;
      this.wait.remove();
      this.card?.remove();
    }
  }

  begin(text) {
    const round = this.rounds++;
    const said = el("p", { dir: "auto" });
    words(said, text);
    const bubble = el("div", { class: "user" }, el("span", { class: "unseen", text: "You said:" }), said);
    bubble.append(button("Edit", () => this.edit(bubble, round, text), { class: "small", "aria-label": `Edit your turn ${round + 1}` }));
    this.round = el("div", { class: "exchange" }, bubble);
    this.round.dataset.round = round;
    follow(this.log, () => this.log.append(this.round), true);
    this.bubble = null;
    this.answered = "";
    this.cut = 0;
    this.steps.begin(round, text);
    this.round.scrollIntoView({ block: "end" });
    return round;
  }

  add(element) {
    follow(this.log, () => this.round.append(element), true);
    return element;
  }

  remark(text, kind = "", ...more) {
    this.wait?.remove();
    this.add(el("div", { class: `remark ${kind}` }, el("p", { text }), ...more));
    tell(text);
  }

  // --- events -----------------------------------------------------------------------------

  take(event, round) {
    switch (event.event) {
      case "writing":
        this.steps.thinking(event.thought);
        this.write(event.text);
        break;
      case "took":
        this.steps.took(event);
        this.write(event.text, true);
        if (event.calls.length) {
          const names = event.calls.map((one) => one.name).join(", ");
          this.waiting(`using ${names}`);
          tell(`Calls ${names}`);
        }
        break;
      case "observed":
        this.steps.observed(event);
        this.waiting("thinking");
        break;
      case "tracked":
        this.state.show(event.state);
        break;
      case "asking":
        this.ask(event);
        break;
      case "unreadable":
        this.bubble?.remove();
        this.bubble = null;
        this.steps.note("Unreadable", `It cannot be read (${event.why}), so the model is asked again.`,
                        el("pre", { dir: "auto", text: event.text.slice(0, 2000) }), event.at);
        break;
      case "trimmed":
        this.trimmed(event.rounds);
        break;
      case "untraced":
        this.notice(`The trace was not written: ${event.why}`);
        break;
      case "ended":
        this.ended(event, round);
        break;
      case "failed":
        this.remark(`The reply failed: ${event.why}`, "wrong");
        break;
    }
  }

  waiting(text) {
    this.wait.textContent = text;
    this.add(this.wait);
  }

  write(text, whole = false) {
    if (text.trim()) {
      if (!this.bubble) {
        this.words = el("p", { dir: "auto" });
        this.bubble = this.add(el("div", { class: "agent" }, el("span", { class: "unseen", text: `${this.about.model} said:` }), this.words));
      }
      follow(this.log, () => words(this.words, text), true);
      this.bubble.classList.toggle("writing", !whole);
      this.wait?.remove();
    }
    if (!whole) return;
    this.answered = text.trim();
    if (!this.answered) this.bubble?.remove();
    else tell(`${this.about.model}: ${this.answered}`);
    this.last = this.answered ? this.bubble : null;
    this.bubble = null;
  }

  trimmed(rounds) {
    if (rounds <= this.cut) return;
    this.cut = rounds;
    const which = rounds === 1 ? "The oldest turn does" : `The oldest ${rounds} turns do`;
    this.remark(`${which} not fit what the model can be shown any more; it answers without.`);
  }

  ended(event, round) {
    if (this.bubble) {
      this.bubble.remove(); // its turn never became one
      this.bubble = null;
    }
    const { completion_tokens: tokens } = event;
    if (tokens) this.steps.note("End", `${tokens} tokens written, ${event.prompt_tokens} read.`, null, event.at);
    if (event.how === "spoke") {
      if (!this.answered) this.remark("The model ended its turn without a word.");
      else if (event.cut) this.remark("The reply is cut off: the limit of tokens for one step is reached.");
    } else {
      const why = ENDS[event.how] ? ENDS[event.how](event, this.about) : `Ended: ${event.how}.`;
      this.remark(why, event.how === "cancelled" || event.how === "steps" ? "" : "wrong");
    }
    this.judge(round);
  }

  judge(round, given = null) {
    const send = (body) => call("POST", `${this.path}/feedback`, { reply: round, ...body });
    this.add(judging(`reply ${round + 1} of ${this.about.model}`, send, this.about.kept, given));
  }

  ask(event) {
    const spec = this.about.tools.find((tool) => tool.name === event.name);
    const decide = async (allowed, why) => {
      const said = allowed ? "You allowed it." : `You refused it${why ? `: ${why}` : ""}.`;
      this.steps.note("Asked", said, null, event.at);
      try {
        await call("POST", `${this.path}/decide`, { number: event.number, allowed, why });
        tell(said);
      } catch (trouble) {
        this.remark(trouble.message, "wrong");
      }
      card.remove();
      if (this.busy && !this.bubble) this.waiting("thinking");
      document.getElementById("words").focus();
    };
    const card = asking(event, Boolean(spec?.writes), decide);
    this.wait?.remove();
    this.card = this.add(card);
    tell(`May the agent use ${event.name}? Choose Allow or Refuse.`);
    card.scrollIntoView({ block: "nearest" });
    // Not on a button: whoever is writing must not say yes by the way.
    if (!document.getElementById("words").value) card.focus({ preventScroll: true });
  }

  async stop() {
    if (!this.busy) return;
    this.waiting("stopping");
    try {
      await call("POST", `${this.path}/cancel`, {});
    } catch (trouble) {
      this.remark(trouble.message, "wrong");
    }
  }

  // --- going back -------------------------------------------------------------------------

  edit(bubble, round, text) {
    if (this.busy || bubble.querySelector("form")) return;
    const done = this.log.querySelectorAll(".exchange").length - round - 1;
    const form = editing(text, round, done, (changed) => this.rerun(round, changed), () => {
      form.remove();
      bubble.classList.remove("edited");
      bubble.querySelector("button").focus();
    });
    bubble.classList.add("edited");
    bubble.append(form);
    form.querySelector("textarea").focus();
  }

  async takeBack(round) {
    const { state } = await call("POST", `${this.path}/back`, { turn: round });
    this.backTo(round);
    this.state.show(state, true);
  }

  backTo(round) {
    for (const exchange of this.log.querySelectorAll(".exchange")) {
      if (Number(exchange.dataset.round) >= round) exchange.remove();
    }
    this.steps.backTo(round);
    this.rounds = round;
  }

  /** Shows the conversation as the server has it. */
  async again() {
    try {
      this.replay(await call("GET", this.path));
    } catch (trouble) {
      this.notice(trouble.message);
    }
  }

  replay({ turns, feedback, state }) {
    this.backTo(0);
    let round = -1;
    const close = () => {
      if (round < 0) return;
      if (!this.answered) this.remark("This reply has no end.");
      this.judge(round, feedback.find((one) => one.reply === round));
    };
    for (const turn of turns) {
      if (turn.role === "user") {
        close();
        round = this.begin(turn.text);
      } else if (turn.role === "assistant") {
        this.steps.took({ thought: turn.thought, calls: turn.calls });
        this.write(turn.text ?? "", true);
      } else {
        this.steps.observed({ tool: turn.tool, text: turn.text });
        this.answered = "";
      }
    }
    close();
    this.state.show(state, true);
    this.log.scrollTop = this.log.scrollHeight;
  }
}

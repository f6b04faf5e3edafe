// Who is talked with, and what a person is asked for: leave to use a tool, other words, an opinion.

import { button, el, icon, tell } from "./dom.js";

let made = 0;

/** Who is talked with: the operator's words and the tools. */
export function introduction({ agent, policy, tools }) {
  const rows = tools.map((tool) =>
    el("li", {}, el("code", { text: tool.name }), " ",
       tool.writes ? el("span", { class: "badge", text: "writes" }) : null,
       tool.asks ? el("span", { class: "badge", text: "asks first" }) : null,
       el("span", { class: "quiet", text: ` ${tool.description}` })));
  const count = tools.length === 1 ? "one tool" : `${tools.length || "no"} tools`;
  return el("details", { class: "about" },
            el("summary", {}, el("span", { text: `About ${agent}: ${count}` })),
            policy ? el("p", { dir: "auto", text: policy }) : null, el("ul", {}, ...rows));
}

/** May this call run? `decide(allowed, why)` hears the answer. */
export function asking(event, writes, decide) {
  const id = `ask-${++made}`;
  const given = Object.entries(event.arguments).map(([name, value]) =>
    el("div", {}, el("dt", { text: name }),
       el("dd", { dir: "auto", text: typeof value === "string" ? value : JSON.stringify(value) })));
  const why = el("input", { id: `${id}-why`, type: "text", autocomplete: "off", dir: "auto", maxlength: "500" });
  const answered = (allowed) => {
    for (const one of card.querySelectorAll("button, input")) one.disabled = true;
    decide(allowed, allowed ? "" : why.value.trim());
  };
  const refuse = button("Refuse", () => answered(false));
  why.addEventListener("keydown", (key) => {
    if (key.key === "Enter" && !key.isComposing) {
      key.preventDefault();
      answered(false);
    }
  });
  const card = el(
    "div",
    { class: "card asking", role: "group", tabindex: "-1", "aria-labelledby": `${id}-title` },
    el("p", { id: `${id}-title`, class: "title" }, "May the agent use ", el("code", { text: event.name }), "?"),
    el("p", { class: "quiet", text: `${event.description}${writes ? " It changes something." : ""}` }),
    given.length ? el("dl", {}, ...given) : null,
    el("label", { for: `${id}-why`, text: "If not, why? The agent is told." }),
    why,
    el("div", { class: "row" }, button("Allow", () => answered(true), { class: "main" }), refuse),
  );
  return card;
}

/** Other words for a turn; `rerun(text)` says them, `leave()` leaves it as it was. */
export function editing(text, round, later, rerun, leave) {
  const id = `edit-${++made}`;
  const box = el("textarea", { id, rows: "3", dir: "auto" });
  box.value = text;
  const send = () => {
    if (box.value.trim()) rerun(box.value);
  };
  box.addEventListener("keydown", (key) => {
    if (key.key === "Enter" && !key.shiftKey && !key.isComposing) {
      key.preventDefault();
      send();
    } else if (key.key === "Escape") {
      key.stopPropagation();
      leave();
    }
  });
  const gone = later ? `This turn and the ${later === 1 ? "one" : later} after it are said anew.` : "This turn is said anew.";
  return el(
    "form",
    { class: "editing", "aria-label": `Edit your turn ${round + 1}`, on: { submit: (event) => { event.preventDefault(); send(); } } },
    el("label", { for: id, text: `Your turn ${round + 1}` }),
    box,
    el("p", { class: "quiet", text: `${gone} What tools have booked stays booked.` }),
    el("div", { class: "row" }, el("button", { type: "submit", class: "main", text: "Run again" }), button("Leave it", leave)),
  );
}

/** Thumbs, and what it should have said; `send({vote, correction, note})` keeps it. */
export function judging(name, send, kept, given = null) {
  const id = `judge-${++made}`;
  let vote = given?.vote ?? "none";
  const up = thumb("up", "Good", name);
  const down = thumb("down", "Bad", name);
  const said = el("span", { class: "quiet", text: given?.correction ? "Corrected." : "" });
  const better = el("textarea", { id: `${id}-better`, rows: "2", dir: "auto" });
  const note = el("input", { id: `${id}-note`, type: "text", autocomplete: "off", dir: "auto" });
  better.value = given?.correction ?? "";
  note.value = given?.note ?? "";
  const form = el(
    "form",
    { class: "correction", hidden: true, "aria-label": `Correction of ${name}` },
    el("label", { for: better.id, text: "What should it have said?" }), better,
    el("label", { for: note.id, text: "Note" }), note,
    el("div", { class: "row" }, el("button", { type: "submit", class: "main", text: "Save" }),
       button("Close", () => { form.hidden = true; down.focus(); })),
  );
  const drawn = () => {
    up.setAttribute("aria-pressed", vote === "up");
    down.setAttribute("aria-pressed", vote === "down");
  };
  const keep = async (words) => {
    try {
      const answer = await send({ vote, correction: vote === "down" ? better.value : "", note: vote === "down" ? note.value : "" });
      words += answer.untraced ? ` Not written: ${answer.untraced}` : vote === "none" || kept ? "" : " The server keeps no file of it; Download trace does.";
    } catch (trouble) {
      words = trouble.message;
    }
    said.textContent = words;
    tell(words);
  };
  const pressed = (which) => {
    vote = vote === which ? "none" : which;
    form.hidden = vote !== "down";
    drawn();
    keep(vote === "none" ? "Taken back." : "Thank you.");
    if (!form.hidden) better.focus();
  };
  up.addEventListener("click", () => pressed("up"));
  down.addEventListener("click", () => pressed("down"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await keep("Saved.");
    form.hidden = true;
    down.focus();
  });
  form.addEventListener("keydown", (key) => {
    if (key.key !== "Escape") return;
    key.stopPropagation();
    form.hidden = true;
    down.focus();
  });
  drawn();
  return el("div", { class: "judging", role: "group", "aria-label": `Opinion of ${name}` }, el("div", { class: "thumbs" }, up, down, said), form);
}

function thumb(which, word, name) {
  const one = el("button", { type: "button", class: "thumb", "aria-label": `${word}: ${name}`, title: `${word} reply` });
  one.append(icon(which));
  return one;
}

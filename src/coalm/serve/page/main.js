// The page: which conversations are open, and what is said to all of them.

import { call, file, keepKey } from "./api.js";
import { Column } from "./column.js";
import { button, el, tell } from "./dom.js";

const at = (id) => document.getElementById(id);
const OPEN = "coalm-open";
const THEMES = ["auto", "light", "dark"];
let columns = [];
let models = [];

// --- telling --------------------------------------------------------------------------------

function notice(text, ...more) {
  put(text, "notice", "alert", more);
}

function put(text, kind, role, more) {
  const line = el("div", { class: kind, role }, el("p", { text }), ...more,
                  button("Dismiss", () => line.remove(), { class: "small" }));
  for (const other of at("notices").children) {
    if (other.querySelector("p").textContent === line.querySelector("p").textContent) other.remove();
  }
  at("notices").append(line);
}

function trouble(error, again) {
  if (error.status === 401) {
    at("key-form").hidden = false;
    at("key").focus();
  } else if (error.over) {
    notice(`${error.message}.`, button("New conversation", anew, { class: "small" }));
  } else {
    notice(error.message, button("Try again", () => { at("notices").replaceChildren(); again(); }, { class: "small" }));
  }
}

function showBusy() {
  const busy = columns.some((one) => one.busy);
  at("stop").hidden = !busy;
  at("send").disabled = busy || !columns.length;
  for (const id of ["anew", "download"]) at(id).disabled = busy || !columns.length;
  document.body.classList.toggle("busy", busy);
}

// --- conversations --------------------------------------------------------------------------

function wanted() {
  const first = at("model").value || undefined;
  const rival = at("rival").value;
  return rival ? [first, rival] : [first];
}

async function start(kept = []) {
  try {
    const abouts = kept.length ? await Promise.all(kept.map((id) => call("GET", `/${encodeURIComponent(id)}`)))
      : await Promise.all(wanted().map((model) => call("POST", "", { model })));
    at("key-form").hidden = true;
    show(abouts);
    if (kept.length) columns.forEach((one, n) => one.replay(abouts[n]));
    const dropped = abouts.reduce((sum, one) => sum + (one.dropped ?? 0), 0);
    if (dropped) tell("The server closed the conversation that was idle longest.");
  } catch (error) {
    if (error.status === undefined) throw error;
    if (kept.length && error.over) {
      sessionStorage.removeItem(OPEN);
      await start();
    } else trouble(error, () => start(kept));
  }
  showBusy();
}

function show(abouts) {
  columns = abouts.map((about) => new Column(about, { rerun, notice }));
  at("columns").replaceChildren(...columns.map((one) => one.element));
  at("columns").dataset.count = columns.length;
  document.body.dataset.count = columns.length;
  if (columns.length > 1 && matchMedia("(max-width: 820px)").matches) {
    for (const one of columns) one.behind.open = false;
  }
  sessionStorage.setItem(OPEN, JSON.stringify(abouts.map((about) => about.id)));
  const [{ agent, words }] = abouts;
  models = abouts[0].models;
  at("agent").textContent = agent;
  document.title = `${agent} · coalm`;
  at("words").maxLength = words;
  choices(at("model"), models, abouts[0].model);
  choices(at("rival"), ["", ...models.filter((one) => one !== abouts[0].model)], abouts[1]?.model ?? "");
  at("rivals").hidden = models.length < 2;
}

function choices(select, names, chosen) {
  select.replaceChildren(...names.map((name) => el("option", { value: name, text: name || "nobody", selected: name === chosen })));
  select.value = chosen;
}

async function anew() {
  at("notices").replaceChildren();
  for (const one of columns) call("DELETE", one.path).catch(() => {}); // it goes by itself later
  columns = [];
  await start();
  if (columns.length) tell("A new conversation.");
  at("words").focus();
}

/** Another model is asked from the next conversation on; at once if there is none yet. */
function chosen() {
  const first = at("model").value;
  const rival = at("rival").value === first ? "" : at("rival").value;
  choices(at("rival"), ["", ...models.filter((one) => one !== first)], rival);
  if (columns.some((one) => one.busy || one.rounds)) {
    put("The models change with the next conversation.", "notice plain", "status",
         [button("Begin it now", anew, { class: "small" })]);
  } else anew();
}

// --- saying ---------------------------------------------------------------------------------

async function say(text) {
  const asked = columns.map((one) => one.say(text));
  showBusy();
  const ends = await Promise.allSettled(asked.map((one) => one.finally(showBusy)));
  const wrong = ends.filter((end) => end.status === "rejected");
  if (wrong.length && !at("words").value) at("words").value = text;
  for (const end of wrong) {
    if (end.reason.status === undefined) throw end.reason;
    trouble(end.reason, send);
  }
  showBusy();
}

function send() {
  const text = at("words").value;
  if (!text.trim() || columns.some((one) => one.busy)) return;
  if (!columns.length) {
    start().then(() => columns.length && send());
    return;
  }
  at("notices").replaceChildren();
  at("words").value = "";
  at("words").focus();
  say(text);
}

async function rerun(round, text) {
  try {
    await Promise.all(columns.filter((one) => one.rounds > round).map((one) => one.takeBack(round)));
  } catch (error) {
    trouble(error, () => rerun(round, text));
    return;
  }
  at("words").focus();
  say(text);
}

function stop() {
  for (const one of columns) one.stop();
  at("words").focus();
}

async function download() {
  for (const one of columns) {
    try {
      const [blob, name] = await file(`${one.path}/trace`);
      const link = el("a", { href: URL.createObjectURL(blob), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      tell(`Saved ${name}`);
    } catch (error) {
      trouble(error, download);
    }
  }
}

// --- wiring ---------------------------------------------------------------------------------

function theme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  at("theme").textContent = `Theme: ${name}`;
}

at("composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
at("words").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && columns.some((one) => one.busy)) stop();
});
at("stop").addEventListener("click", stop);
at("anew").addEventListener("click", anew);
at("download").addEventListener("click", download);
at("model").addEventListener("change", chosen);
at("rival").addEventListener("change", chosen);
at("theme").addEventListener("click", () => {
  const now = THEMES.indexOf(localStorage.getItem("coalm-theme") ?? "auto");
  const next = THEMES[(now + 1) % THEMES.length];
  localStorage.setItem("coalm-theme", next);
  theme(next);
});
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepKey(at("key").value.trim());
  at("key").value = "";
  start(JSON.parse(sessionStorage.getItem(OPEN) ?? "[]")).then(() => columns.length && at("words").focus());
});

theme(localStorage.getItem("coalm-theme") ?? "auto");
showBusy();
start(JSON.parse(sessionStorage.getItem(OPEN) ?? "[]"));

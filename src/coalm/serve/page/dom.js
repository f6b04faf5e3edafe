// Elements made from values. Text only ever enters as text: nothing that a model, a tool or a
// person wrote is read as markup.

const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text with a sign for each control character, which could hide or turn what is read. */
export function shown(text) {
  return String(text)
    .replaceAll("\r\n", "\n")
    .replace(CONTROLS, (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** An element; `class`, `text` and `on` (event -> listener) are special, the rest attributes. */
export function el(tag, given = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "text") made.textContent = shown(value);
    else if (name === "class") made.className = value;
    else if (name === "on") {
      for (const [kind, listener] of Object.entries(value)) made.addEventListener(kind, listener);
    } else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...inside.filter((one) => one !== null && one !== undefined));
  return made;
}

export function button(text, pressed, given = {}) {
  return el("button", { type: "button", text, ...given, on: { click: pressed } });
}

const SHAPES = {
  up: "M2 10h4v11H2zM8 10l5-8c1.6 0 2.4 1 2.1 2.6L14.3 9H20a2 2 0 0 1 2 2.4l-1.5 7.8A2.2 2.2 0 0 1 18.3 21H8z",
  down: "M2 3h4v11H2zM8 14l5 8c1.6 0 2.4-1 2.1-2.6L14.3 15H20a2 2 0 0 0 2-2.4l-1.5-7.8A2.2 2.2 0 0 0 18.3 3H8z",
};

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

const LONG = 280;
const MOST = 20_000;

/** A long text, folded; a short one as it is. JSON is laid out. */
export function block(text) {
  let laid = text;
  try {
    const value = JSON.parse(text);
    if (value && typeof value === "object") laid = JSON.stringify(value, null, 2);
  } catch {
    // Not JSON: shown as it is.
  }
  if (text.length <= LONG) return el("pre", { dir: "auto", text: laid.length > LONG ? text : laid });
  const count = text.length.toLocaleString("en");
  return el(
    "details",
    {},
    el("summary", {}, el("span", { class: "first", text: text.slice(0, 110) + "…" }),
       el("span", { class: "size", text: ` ${count} characters` })),
    el("pre", { dir: "auto", tabindex: "0", text: laid, "aria-label": "The whole text" }),
  );
}

/** Words in an element; very many only when they are asked for. */
export function words(element, text) {
  element.textContent = shown(text.slice(0, MOST));
  if (text.length <= MOST) return;
  const count = text.length.toLocaleString("en");
  const more = button(`Show all ${count} characters`, () => {
    element.textContent = shown(text);
  });
  element.append("… ", more);
}

/** Makes a change and keeps a scroller's end in sight, if it was; `page`: the page's as well. */
export function follow(scroller, change, page = false) {
  const scrolls = getComputedStyle(scroller).overflowY !== "visible";
  const near = scrolls
    ? scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80
    : page && scroller.getBoundingClientRect().bottom < innerHeight + 80;
  const made = change();
  if (near && scrolls) scroller.scrollTop = scroller.scrollHeight;
  else if (near) scroller.lastElementChild?.scrollIntoView({ block: "end" });
  return made;
}

let saying = 0;

/** Tells whoever listens instead of looking. */
export function tell(text) {
  const place = document.getElementById("told");
  const line = el("p", { text: text.slice(0, 2000) });
  // Old lines go, or they are read again with the new one.
  clearTimeout(saying);
  saying = setTimeout(() => place.replaceChildren(), 10_000);
  while (place.childElementCount > 3) place.firstChild.remove();
  place.append(line);
}

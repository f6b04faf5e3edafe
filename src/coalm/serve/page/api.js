// The server's sessions: JSON, and replies as server-sent events.

const KEY = "coalm-key";

/** What the server, or the way to it, has against a request. */
export class Trouble extends Error {
  constructor(message, status = 0, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** Whether the conversation is not there any more. */
  get over() {
    return this.status === 410 || this.code === "no_session";
  }
}

export function keepKey(key) {
  sessionStorage.setItem(KEY, key);
}

async function asked(method, path, body, signal) {
  const headers = { Accept: "application/json, text/event-stream" };
  const key = sessionStorage.getItem(KEY);
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`/agent/sessions${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch {
    throw new Trouble("The server cannot be reached. Is it still running?");
  }
  if (answer.ok) return answer;
  let error = {};
  try {
    error = (await answer.json()).error ?? {};
  } catch {
    // Something between us and the server answered: its status is all there is.
  }
  throw new Trouble(error.message ?? `The server answered ${answer.status}.`, answer.status, error.code ?? "");
}

export async function call(method, path, body) {
  return (await asked(method, path, body)).json();
}

/** A file of the server, as a blob and its name. */
export async function file(path) {
  const answer = await asked("GET", path);
  const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
  return [await answer.blob(), named ? named[1] : "trace.jsonl"];
}

/** The events of a reply, as they come. */
export async function* stream(path, body) {
  const answer = await asked("POST", path, body);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch {
      throw new Trouble("The connection broke off before the reply was whole.", 0, "broken");
    }
    if (part.done) break;
    left += part.value;
    const whole = left.split("\n\n");
    left = whole.pop();
    for (const event of whole) {
      const data = event.split("\n").filter((line) => line.startsWith("data: "));
      if (!data.length) continue;
      const told = JSON.parse(data.map((line) => line.slice(6)).join("\n"));
      if (told.error) throw new Trouble(told.error.message, 0, "broken");
      yield told;
    }
  }
}

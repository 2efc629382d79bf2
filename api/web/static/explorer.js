// Sends what is written to this very address and shows what comes back, once or as it comes.

const field = (id) => document.getElementById(id);
const form = field("explorer");
let running = null;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});
field("stop").addEventListener("click", () => running?.abort());

for (const id of ["query", "variables", "token"]) {
  // This tab only: a token must not outlive it.
  const kept = remembered(id);
  if (kept !== null) field(id).value = kept;
  field(id).addEventListener("input", () => remember(id, field(id).value));
}

async function run() {
  running?.abort();
  const mine = (running = new AbortController());
  field("stop").hidden = false;
  try {
    say("Running…");
    await send(mine.signal);
  } catch (error) {
    say(error.name === "AbortError" ? "Stopped." : String(error.message ?? error));
  } finally {
    if (running === mine) field("stop").hidden = true;
  }
}

async function send(signal) {
  const variables = JSON.parse(field("variables").value.trim() || "{}");
  const headers = {
    "content-type": "application/json",
    accept: "application/graphql-response+json, text/event-stream;q=0.9",
  };
  const token = field("token").value.trim();
  if (token) headers.authorization = `Bearer ${token}`;
  const began = performance.now();
  const body = JSON.stringify({ query: field("query").value, variables });
  const response = await fetch(location.pathname, { method: "POST", headers, body, signal });
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
    await follow(response.body);
    say("The subscription has ended.");
  } else {
    show(await response.json());
    say(`${response.status} in ${Math.round(performance.now() - began)} ms`);
  }
}

async function follow(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let count = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (text + value).split("\n\n");
    text = frames.pop();
    for (const frame of frames) {
      const data = frame.match(/^event: next\ndata: (.*)$/s)?.[1];
      if (data === undefined) continue;
      show(JSON.parse(data));
      say(`Live: ${++count} received`);
    }
  }
}

function show(answer) {
  field("answer").textContent = JSON.stringify(answer, null, 2);
}

function say(words) {
  field("outcome").textContent = words;
}

function remembered(id) {
  try {
    return sessionStorage.getItem(`explorer.${id}`);
  } catch {
    return null; // Storage may be forbidden.
  }
}

function remember(id, value) {
  try {
    sessionStorage.setItem(`explorer.${id}`, value);
  } catch {
    // As above.
  }
}

// The small explorer: sends what is written to this very address and shows what comes back, once
// or as it comes.

import { keep, kept, operations } from "./explorer-send.js";
import { Session } from "./explorer-session.js";

const field = (id) => document.getElementById(id);
// Whoever runs an operation that lets them in is in, and stays so.
const session = new Session((token) => {
  field("token").value = token;
});
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
field("examples").addEventListener("change", (event) => {
  const { document: text, variables } = operations.find(({ name }) => name === event.target.value);
  write("query", text);
  write("variables", JSON.stringify(variables, null, 2));
});

field("token").value = session.token;
field("token").addEventListener("input", () => session.use(field("token").value.trim()));
for (const id of ["query", "variables"]) {
  const written = kept(`explorer.${id}`);
  if (written) field(id).value = written;
  field(id).addEventListener("input", () => keep(field(id).value, `explorer.${id}`));
}

async function run() {
  running?.abort();
  const mine = (running = new AbortController());
  field("stop").hidden = false;
  try {
    say("Running…");
    await ask(mine.signal);
  } catch (error) {
    say(error.name === "AbortError" ? "Stopped." : String(error.message ?? error));
  } finally {
    if (running === mine) field("stop").hidden = true;
  }
}

async function ask(signal) {
  const variables = JSON.parse(field("variables").value.trim() || "{}");
  const request = { query: field("query").value, variables };
  const began = performance.now();
  const reply = await session.send(request, { signal });
  if (reply.events) {
    await follow(reply.events);
  } else {
    show(reply.answer);
    say(`${reply.response.status} in ${Math.round(performance.now() - began)} ms`);
  }
}

async function follow(events) {
  let count = 0;
  for await (const answer of events) {
    show(answer);
    say(`Live: ${++count} received`);
  }
  say("The subscription has ended.");
}

function write(id, text) {
  field(id).value = text;
  keep(text, `explorer.${id}`);
}

function show(answer) {
  field("answer").textContent = JSON.stringify(answer, null, 2);
}

function say(words) {
  field("outcome").textContent = words;
}

// A live page: takes each update and puts the differences on the screen.

import { Announcer } from "./announce.js";
import { ServerClock, tick } from "./countdown.js";
import { format, nameZone } from "./format.js";
import { morph } from "./morph.js";
import { follow } from "./stream.js";
import { keepAwake, recall, remember, setUpTools, showAllFigures } from "./tools.js";

const clock = new ServerClock();
const announcer = new Announcer(document.getElementById("announcements"));
const connection = document.getElementById("connection");
const version = new URL(import.meta.url).pathname.split("/").at(-2);
let asOf = document.querySelector("#colophon time").dateTime;

// `field` holds the data of an update; `factsOf` says what of it is worth reading aloud.
export function hang(field, factsOf) {
  clock.hear(asOf);
  refine(document);
  setUpTools();
  keepAwake();
  setInterval(() => tick(document, clock.now()), 1000);
  follow(`${location.pathname}/stream${location.search}`, {
    onUpdate: (update) => show(update, field, factsOf),
    onState: tellState,
  });
}

function show({ data, extensions }, field, factsOf) {
  if (extensions.version !== version && renew()) return;
  asOf = data[field].asOf;
  clock.hear(asOf);
  draw(extensions.html);
  announcer.tell(factsOf(data[field]));
}

// A screen hangs for months: when the server has become another, take its page.  But not more often
// than once a minute, or a roll-out, where old and new answer in turn, would make it flicker.
function renew() {
  if (Date.now() - Number(recall("renewed")) < 60_000) return false;
  remember("renewed", String(Date.now()));
  location.reload();
  return true;
}

function draw(html) {
  const parts = new DOMParser().parseFromString(html, "text/html").body;
  refine(parts);
  for (const part of parts.children) morph(document.getElementById(part.id), part);
  document.title = document.querySelector("main").dataset.title;
}

function refine(root) {
  format(root);
  nameZone(root);
  tick(root, clock.now());
  showAllFigures(root);
}

function tellState(state) {
  connection.dataset.state = state;
  const since = new Intl.DateTimeFormat(navigator.languages, { timeStyle: "short" });
  const words = {
    live: "Live",
    waiting: "Connecting…",
    reconnecting: "Reconnecting…",
    stale: `Not live since ${since.format(new Date(asOf))}`,
  };
  connection.querySelector("[data-text]").textContent = words[state];
  announcer.tellState(state, words[state]);
}

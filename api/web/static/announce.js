// Speaks to screen readers, seldom: only verdicts that changed, new breaches and a lost line, and
// never more often than every 15 seconds.  Numbers move too often to be read aloud.

const PAUSE = 15_000;
const word = (verdict) => verdict.toLowerCase().replace("_", " ");

export class Announcer {
  #region;
  #known = null;
  #waiting = new Map();
  #timer = 0;
  #wasStale = false;

  constructor(region) {
    this.#region = region;
  }

  tell(board) {
    const facts = factsOf(board);
    if (this.#known !== null) {
      for (const [key, sentence] of facts) {
        if (this.#known.get(key) !== sentence) this.#waiting.set(key, sentence);
      }
    }
    this.#known = facts;
    this.#speakSoon();
  }

  tellState(state, words) {
    if (state === "stale") this.#waiting.set("connection", `${words}.`);
    if (state === "live" && this.#wasStale) this.#waiting.set("connection", "Live again.");
    if (state === "live" || state === "stale") this.#wasStale = state === "stale";
    this.#speakSoon();
  }

  #speakSoon() {
    if (this.#timer !== 0 || this.#waiting.size === 0) return;
    this.#region.textContent = [...this.#waiting.values()].join(" ");
    this.#waiting.clear();
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#speakSoon();
    }, PAUSE);
  }
}

function factsOf(board) {
  const facts = new Map();
  for (const side of board.sides) {
    facts.set(side.side, `${side.teamName} is ${word(side.status)}.`);
    for (const { id, label, status } of side.commitments) {
      facts.set(id, `${label}: ${word(status)}.`);
    }
  }
  for (const { id, commitmentLabel } of board.breaches) {
    facts.set(id, `Breached: ${commitmentLabel}.`);
  }
  return facts;
}

// Speaks to screen readers, seldom: only facts that changed and a lost line, and never more often
// than every 15 seconds.  Numbers move too often to be read aloud.

const PAUSE = 15_000;

export class Announcer {
  #region;
  #known = null;
  #waiting = new Map();
  #timer = 0;
  #wasStale = false;

  constructor(region) {
    this.#region = region;
  }

  // Facts are sentences by their key; only those that changed are spoken.
  tell(facts) {
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

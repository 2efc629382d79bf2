// Running countdowns, by the server's clock rather than the screen's.

export class ServerClock {
  #ahead = Number.NEGATIVE_INFINITY;

  // An update can be late but never early.  So of all that was heard, the one that puts the server
  // furthest ahead was the quickest, and is right.  Monotonic time keeps a changed screen clock out.
  hear(asOf) {
    this.#ahead = Math.max(this.#ahead, Date.parse(asOf) - performance.now());
  }

  now() {
    return performance.now() + this.#ahead;
  }
}

export function tick(root, now) {
  for (const element of root.querySelectorAll("[data-countdown]")) {
    const left = Date.parse(element.dateTime) - now;
    const text = timeLeft(left);
    if (element.textContent !== text) element.textContent = text;
    if (left < 0) element.closest("[data-state]").dataset.state = "BREACHED";
  }
}

export function timeLeft(milliseconds) {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  return `${span(seconds)} ${milliseconds < 0 ? "overdue" : "left"}`;
}

function span(seconds) {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  if (days > 0) return `${days} d ${hours} h`;
  const clock = [Math.floor((seconds % 3600) / 60), seconds % 60]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  return hours > 0 ? `${hours}:${clock}` : clock;
}

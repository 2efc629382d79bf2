// A stream that does not give up.  The browser's own EventSource stops for good at the first HTTP
// error (a proxy's 502 during a restart) and never notices a line that died silently.

const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;
const SILENCE = 25_000; // the server pings every 10 seconds
const STALE_AFTER = 10_000;

export function follow(address, { onUpdate, onState }) {
  let source = null;
  let failures = 0;
  let retry = 0;
  let watchdog = 0;
  let staleness = 0;

  function connect() {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(address);
    source.addEventListener("next", (event) => {
      heard();
      onUpdate(JSON.parse(event.data));
    });
    source.addEventListener("ping", heard);
    source.addEventListener("complete", lost);
    source.addEventListener("error", lost);
    listen();
  }

  function listen() {
    clearTimeout(watchdog);
    watchdog = setTimeout(lost, SILENCE);
  }

  function heard() {
    failures = 0;
    clearTimeout(staleness);
    staleness = 0;
    onState("live");
    listen();
  }

  function lost(event) {
    clearTimeout(watchdog);
    clearTimeout(retry);
    source.close();
    if (staleness === 0) {
      onState("reconnecting");
      staleness = setTimeout(() => onState("stale"), STALE_AFTER);
    }
    retry = setTimeout(tryAgain, wait(failures++));
  }

  async function tryAgain() {
    if (failures > 1 && (await isRevoked(address))) return location.reload();
    connect();
  }

  onState("waiting");
  connect();
  addEventListener("online", connect);
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
}

// Half of each wait is left to chance, so that a hundred screens do not come back as one.
function wait(failures) {
  const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
  return longest / 2 + (Math.random() * longest) / 2;
}

// EventSource hides the status of a refusal, so the page asks once more by other means.
async function isRevoked(address) {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), 5000);
  try {
    const answer = await fetch(address, { signal: aborter.signal, cache: "no-store" });
    return answer.status === 404 && answer.headers.get("Board-Access") === "revoked";
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    aborter.abort();
  }
}

// Says numbers and instants again in the reader's own language and time zone.

const LANGUAGES = navigator.languages;
const ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const DAY = { day: "numeric", month: "short", timeZone: "UTC" };
const MOMENT_DAY = { day: "numeric", month: "short" };
const LOCAL_DAY = { ...MOMENT_DAY, year: "numeric" };
// 09:05 by a clock of 24 hours, so that times stand in a column, and 9:05 by one of 12.
const HOURS = new Intl.DateTimeFormat(LANGUAGES, { hour: "numeric" }).resolvedOptions().hourCycle;
const TIME = { hour: HOURS.startsWith("h2") ? "2-digit" : "numeric", minute: "2-digit" };
const made = new Map();

const FORMS = {
  count: (text) => number({ maximumFractionDigits: 0 }).format(text),
  points: (text) => number({ maximumFractionDigits: 1 }).format(text),
  share: (text) => number({ style: "percent", maximumFractionDigits: 1 }).format(text),
  money: (text, { currency }) =>
    number({ style: "currency", currency, maximumFractionDigits: 0 }).format(text),
  day: (text) => instant(DAY).format(new Date(text)),
  date: (text) => instant({ ...DAY, year: "numeric" }).format(new Date(text)),
  moment: (text, { since }) => {
    const [now, then] = [text, since].map((each) => each && new Date(each));
    const isSameDay = then && instant(LOCAL_DAY).format(now) === instant(LOCAL_DAY).format(then);
    return instant(isSameDay ? TIME : { ...MOMENT_DAY, ...TIME }).format(now);
  },
};

export function format(root) {
  for (const element of root.querySelectorAll("[data-format]")) {
    const exact = element.getAttribute("value") ?? element.dateTime ?? element.dataset.value;
    element.textContent = FORMS[element.dataset.format](exact, element.dataset);
  }
}

export function nameZone(root) {
  for (const element of root.querySelectorAll("[data-zone]")) {
    element.textContent = `Times are yours, in ${ZONE}.`;
  }
}

function number(options) {
  return once(Intl.NumberFormat, options);
}

function instant(options) {
  return once(Intl.DateTimeFormat, options);
}

// Making a formatter costs a thousand times what using one does.
function once(Format, options) {
  const key = Format.name + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Format(LANGUAGES, options));
  return made.get(key);
}

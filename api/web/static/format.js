// Says numbers and instants again in the reader's own language and time zone.

const LANGUAGES = navigator.languages;
const ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const DAY = { day: "numeric", month: "short", timeZone: "UTC" };
const made = new Map();

const FORMS = {
  count: (text) => number({ maximumFractionDigits: 0 }).format(text),
  points: (text) => number({ maximumFractionDigits: 1 }).format(text),
  share: (text) => number({ style: "percent", maximumFractionDigits: 0 }).format(text),
  money: (text, { currency }) =>
    number({ style: "currency", currency, maximumFractionDigits: 0 }).format(text),
  day: (text) => instant(DAY).format(new Date(text)),
  date: (text) => instant({ ...DAY, year: "numeric" }).format(new Date(text)),
  clock: (text) => instant({ timeStyle: "short" }).format(new Date(text)),
  moment: (text) =>
    instant({ day: "numeric", month: "short", hour: "numeric", minute: "2-digit" }).format(
      new Date(text),
    ),
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

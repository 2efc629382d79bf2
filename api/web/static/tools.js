// The buttons in the corner, each remembered on this screen.

const root = document.documentElement;
let figures = recall("figures") === "shown";

export function setUpTools() {
  button("theme", () => {
    const theme = isDark() ? "light" : "dark";
    root.dataset.theme = theme;
    remember("theme", theme);
  });
  const shown = button("figures", () => {
    figures = !figures;
    remember("figures", figures ? "shown" : "hidden");
    shown.setAttribute("aria-pressed", String(figures));
    for (const details of document.querySelectorAll("details")) details.open = figures;
  });
  shown.setAttribute("aria-pressed", String(figures));
  if (document.fullscreenEnabled) {
    button("full-screen", () =>
      document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen(),
    );
  }
}

export function showAllFigures(part) {
  if (!figures) return;
  for (const details of part.querySelectorAll("details")) details.open = true;
}

// A screen on a wall must not fall asleep.  Browsers let go of the lock whenever the page is hidden.
export function keepAwake() {
  if (!("wakeLock" in navigator)) return;
  const ask = () => {
    if (document.visibilityState !== "visible") return;
    navigator.wakeLock.request("screen").catch(() => {}); // refused on battery: let it sleep
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}

function button(id, onPress) {
  const element = document.getElementById(id);
  element.hidden = false;
  element.addEventListener("click", onPress);
  return element;
}

function isDark() {
  if (root.dataset.theme) return root.dataset.theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is forbidden
  }
}

export function remember(name, choice) {
  try {
    localStorage.setItem(name, choice);
  } catch {
    // Then the choice lasts until the next reload.
  }
}

// The frame around every page: theme, toasts, keyboard shortcuts.

const root = document.documentElement;

function showTheme() {
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === (localStorage.theme ?? "")));
  }
}

function chooseTheme(theme) {
  if (theme) {
    localStorage.theme = root.dataset.theme = theme;
  } else {
    delete localStorage.theme;
    delete root.dataset.theme;
  }
  showTheme();
  dispatchEvent(new Event("themechange"));
}

const toasts = document.getElementById("toasts");

export function toast(text, tone = "") {
  const box = document.createElement("div");
  box.className = `toast ${tone}`;
  box.append(Object.assign(document.createElement("p"), { textContent: text }));
  toasts.append(box);
  dress(box);
}

function dress(box) {
  const close = Object.assign(document.createElement("button"), { type: "button", className: "btn small plain", textContent: "×" });
  close.setAttribute("aria-label", toasts.dataset.close);
  close.addEventListener("click", () => box.remove());
  box.append(close);
  // An error stays until it was read and closed.
  if (!box.classList.contains("error")) setTimeout(() => box.remove(), 8000);
}

function pageLink(name) {
  return document.querySelector(`nav [data-page="${name}"]`);
}

const SHORTCUTS = {
  n: () => pageLink("new-search")?.click(),
  "g s": () => pageLink("searches")?.click(),
  "g d": () => pageLink("dashboard")?.click(),
  "/": () => document.querySelector("[data-filter]")?.focus(),
  "?": () => document.getElementById("shortcuts").showModal(),
};

let before = "";

function onKey(event) {
  const writing = event.target.closest?.("input, select, textarea, dialog, [contenteditable]");
  if (writing || event.ctrlKey || event.metaKey || event.altKey || localStorage.shortcuts === "off") return;
  const act = SHORTCUTS[`${before} ${event.key}`] ?? SHORTCUTS[event.key];
  before = event.key;
  setTimeout(() => (before = ""), 1000);
  if (!act) return;
  event.preventDefault();
  act();
}

// The server writes clock times in its own zone; a reader wants theirs.
function showLocalTimes() {
  for (const time of document.querySelectorAll("time[data-clock]:not([title])")) {
    const at = new Date(time.dateTime);
    time.textContent = at.toLocaleTimeString(root.lang, { hourCycle: "h23" });
    time.title = at.toLocaleString(root.lang);
  }
}

function openDialogs(event) {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
}

for (const button of document.querySelectorAll("[data-theme-choice]")) {
  button.addEventListener("click", () => chooseTheme(button.dataset.themeChoice));
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("themechange")));
showTheme();
for (const box of toasts.children) dress(box);
const switchBox = document.getElementById("shortcuts-on");
switchBox.checked = localStorage.shortcuts !== "off";
switchBox.addEventListener("change", () => (localStorage.shortcuts = switchBox.checked ? "on" : "off"));
document.addEventListener("keydown", onKey);
document.addEventListener("click", openDialogs);
showLocalTimes();
document.body.addEventListener("htmx:afterSettle", showLocalTimes);
document.body.addEventListener("htmx:sendError", () => toast(toasts.dataset.failed, "error"));

// The live page of a run: rows at first, then every event as it happens.

import { toast } from "nas/app";
import { morph, walk } from "nas/arch";
import { fitness, plane } from "nas/charts";
import { alpha } from "nas/alpha";
import { curves } from "nas/curves";
import { follow } from "nas/live";
import { announce, keepUnchanged } from "nas/parts";
import { traces } from "nas/trace";
import { trust } from "nas/trust";

const BETWEEN_REFRESHES = 2000;
const BETWEEN_LOOKS = 5000;
const MOST_CURVES = 8;

const page = document.getElementById("run");
const start = JSON.parse(document.getElementById("snapshot").textContent);
const words = JSON.parse(document.getElementById("words").textContent);

// The numbers of the charts, changed by events.
const points = start.points;
const seen = new Set(points.map((point) => point.evaluation));
const proposed = new Map();
const trainings = new Map(start.curves.map((one, slot) => [one.evaluation, { ...one, slot }]));
let slots = trainings.size;

const curvesBox = document.getElementById("curves");
const curvesEmpty = document.getElementById("curves-empty");
let measured = start.measured;
let startedAt = start.startedAt;
const drawFitness = fitness(document.getElementById("fitness"), points, start);
const planeBox = document.getElementById("plane");
const drawPlane = planeBox ? plane(planeBox, points, start) : () => {};
const trustBox = document.getElementById("trust");
const drawTrust = trustBox ? trust(trustBox, points, start) : () => {};
let drawCurves = null;

const addTrace = traces(document.getElementById("traces"), start.trace, {
  goal: start.goal,
  changed(any) {
    document.getElementById("traces-empty").hidden = any;
  },
});

const addAlpha = start.alpha ? alpha(start.alpha) : () => {};

// A long search is thinned on the server; say so, as a missing point would look like one that was not measured.
function showCount() {
  const text = words.shown.replace("{shown}", points.length.toLocaleString()).replace("{all}", measured.toLocaleString());
  document.getElementById("shown").textContent = points.length < measured ? text : "";
}

document.getElementById("axes").addEventListener("click", (event) => {
  const button = event.target.closest("[data-axis]");
  if (!button) return;
  for (const other of document.querySelectorAll("[data-axis]")) other.setAttribute("aria-pressed", String(other === button));
  drawFitness(button.dataset.axis);
});

function showCurves() {
  if (!curvesBox) return;
  const any = [...trainings.values()].some((one) => one.points.length > 0);
  curvesBox.hidden = !any;
  curvesEmpty.hidden = any;
  if (!any) return;
  if (drawCurves) drawCurves();
  else drawCurves = curves(curvesBox, trainings);
}

function training(data) {
  if (!trainings.has(data.evaluation)) {
    const { evaluation, candidate, stage, seed, epochs } = data;
    trainings.set(evaluation, { evaluation, candidate, stage, seed, epochs: epochs ?? 1, points: [], slot: slots++ });
    // What ended stays on the chart until its place is needed.
    const ended = [...trainings.values()].filter((one) => one.ended);
    for (const one of ended.slice(0, Math.max(0, trainings.size - MOST_CURVES))) trainings.delete(one.evaluation);
  }
  return trainings.get(data.evaluation);
}

function addPoint(data, metrics, at) {
  if (data.stage !== "search" || seen.has(data.evaluation)) return;
  seen.add(data.evaluation);
  const known = proposed.get(data.candidate);
  points.push({
    evaluation: data.evaluation,
    candidate: data.candidate,
    generation: known?.generation,
    parameters: metrics?.parameters ?? known?.parameters,
    seconds: startedAt ? (Date.parse(at) - Date.parse(startedAt)) / 1000 : undefined,
    metrics,
  });
  measured += 1;
  drawFitness();
  drawPlane();
  drawTrust();
  showCount();
}

function end(data) {
  const one = trainings.get(data.evaluation);
  if (!one) return;
  if (one.points.length > 1) one.ended = true;
  else trainings.delete(data.evaluation);
  // The search's curves and those of the final stage measure different things.
  for (const other of trainings.values()) if (other.stage !== data.stage && other.ended) trainings.delete(other.evaluation);
  showCurves();
}

const HEAR = {
  run(data, at) {
    if (data.status === "running") startedAt ??= at;
    refresh(true);
    addAlpha({});
    if (data.stage === "final") for (const one of trainings.values()) if (one.stage !== "final") trainings.delete(one.evaluation);
    showCurves();
  },
  proposed(data) {
    for (const one of data.candidates) proposed.set(one.number, one);
    refresh();
  },
  started(data) {
    training(data).points.length = 0;
    refresh();
  },
  epoch(data) {
    const one = training(data);
    one.epochs = data.epochs;
    // After a requeue the epochs since the last checkpoint come again.
    one.points = one.points.filter((point) => point.epoch < data.epoch);
    one.points.push(data);
    showCurves();
  },
  generation(data) {
    addTrace(data);
    addAlpha(data);
    if (data.alpha) refreshDiagram();
  },
  measured(data, at) {
    addPoint(data, data.metrics, at);
    end(data);
    if (data.best) refreshDiagram();
    refresh();
  },
  failed(data, at) {
    addPoint(data, null, at);
    end(data);
    refresh();
  },
  rejected(data) {
    end(data);
    refresh();
  },
  // It says that it begins anew, in the log.
  noted(data) {
    trainings.delete(data.evaluation);
    showCurves();
    refresh();
  },
  requeued(data) {
    trainings.delete(data.evaluation);
    showCurves();
    refresh();
  },
  cancelled(data) {
    trainings.delete(data.evaluation);
    showCurves();
    refresh();
  },
};

// Tiles, tables and the log come from the server, at most every two seconds, and once more after the last event.
let refreshed = 0;
let refreshTimer = null;

function refresh(now = false) {
  if (refreshTimer && !now) return;
  clearTimeout(refreshTimer);
  const wait = now ? 50 : Math.max(50, BETWEEN_REFRESHES - (Date.now() - refreshed));
  refreshTimer = setTimeout(() => {
    refreshTimer = null;
    refreshed = Date.now();
    htmx.ajax("GET", page.dataset.page, { swap: "none", source: page });
    htmx.trigger(document.body, "run:changed");
  }, wait);
}

// Pause and Resume are sent from the page as a whole: the form may be swapped away before the answer comes.
page.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-in-place]")) return;
  event.preventDefault();
  // Not `page` itself: behind a refresh of its own, htmx may drop what waits.
  htmx.ajax("POST", event.target.action, { swap: "none", source: document.body });
});

keepUnchanged();

document.body.addEventListener("htmx:afterSettle", () => {
  const title = document.getElementById("run-title");
  document.title = title.dataset.title;
  if (["completed", "failed", "cancelled"].includes(title.dataset.status)) finish();
  announce();
});

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const holder = new DOMParser().parseFromString(event.detail.serverResponse ?? "", "text/html");
  for (const box of holder.querySelectorAll("[data-toast]")) toast(box.textContent, box.dataset.toast);
});

// The diagram of the best: a new one is morphed in.
const best = document.getElementById("best");
const tableSwitch = document.getElementById("as-table");
walk(best);

function showTable() {
  const asTable = tableSwitch.getAttribute("aria-pressed") === "true";
  best.querySelector("[data-picture]")?.toggleAttribute("hidden", asTable);
  best.querySelector("[data-rows]")?.toggleAttribute("hidden", !asTable);
}

tableSwitch.addEventListener("click", () => {
  tableSwitch.setAttribute("aria-pressed", String(tableSwitch.getAttribute("aria-pressed") !== "true"));
  showTable();
});

async function refreshDiagram() {
  const answer = await fetch(page.dataset.diagram).catch(() => null);
  if (!answer?.ok) return;
  const next = document.createElement("template");
  next.innerHTML = await answer.text();
  const current = best.querySelector("svg.arch");
  const wanted = next.content.querySelector("svg.arch");
  if (!current || !wanted) {
    best.replaceChildren(next.content);
  } else {
    morph(current, wanted);
    best.querySelector("[data-rows]").replaceChildren(...next.content.querySelector("[data-rows]").childNodes);
    best.querySelector("footer").replaceWith(next.content.querySelector("footer"));
  }
  showTable();
}

const connection = document.getElementById("connection");

function show(state) {
  connection.dataset.state = state;
  connection.textContent = words[state];
}

function finish() {
  stop?.();
  stop = null;
  clearInterval(looking);
  show("over");
}

let stop = null;
// Time goes on and workers fall silent without any event.
const looking = setInterval(() => document.hidden || refresh(), BETWEEN_LOOKS);
showCurves();
showCount();
if (["completed", "failed", "cancelled"].includes(start.status)) {
  finish();
} else {
  stop = follow(page.dataset.socket, start.seq, { hear: ({ kind, data, at }) => HEAR[kind]?.(data, at), show });
}

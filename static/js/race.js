// The live page of a race: means with bands, and the parts that the server writes.

import { chart, colour, layout } from "nas/charts";
import { follow } from "nas/live";
import { announce, keepUnchanged } from "nas/parts";

const BETWEEN_REFRESHES = 1000;
const BETWEEN_LOOKS = 5000;
const BANDS = { all: 0.4, least: 0.05, most: 0.16 };

const page = document.getElementById("race");
const words = JSON.parse(document.getElementById("words").textContent);
const legend = document.getElementById("legend");
let race = JSON.parse(document.getElementById("curves").textContent);

const isShown = (one) => legend.querySelector(`[value="${one.name}"]`).checked;

/** The same colour, the thinner the more bands lie over each other. */
function pale(name, count) {
  const opacity = Math.min(BANDS.most, Math.max(BANDS.least, BANDS.all / count));
  return colour(name).replace("rgb(", "rgba(").replace(")", `, ${opacity})`);
}

function traces(column, unit) {
  const x = race.evaluations;
  const shown = race.strategies.filter((one) => one[column] && isShown(one));
  const edge = { type: "scatter", mode: "lines", x, line: { width: 0 }, hoverinfo: "skip" };
  const bands = shown.flatMap((one) => [
    { ...edge, y: one[column].low },
    { ...edge, y: one[column].high, fill: "tonexty", fillcolor: pale(one.colour, shown.length) },
  ]);
  const lines = shown.map((one) => ({
    type: "scatter",
    mode: "lines",
    name: one.title,
    x,
    y: one[column].mean,
    hovertemplate: `%{y:.5~g}${unit ? ` ${unit}` : ""}`,
    line: { width: 2, color: colour(one.colour), dash: one.dashed ? "dash" : "solid" },
  }));
  return [...bands, ...lines];
}

/** Leave out the fall of the first tenth, and bands of the first half, beside which nothing later would be told apart. */
function worthSeeing(data) {
  const last = race.evaluations.at(-1);
  const from = (share) => race.evaluations.findIndex((at) => at >= share * last);
  const values = data.flatMap((trace) => trace.y.slice(from(trace.name ? 0.1 : 0.5)));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.04 * (high - low || Math.abs(high) || 1);
  return [low - room, high + room];
}

function curves(element, column) {
  return chart(element, () => {
    const data = traces(column, element.dataset.unit);
    const wanted = layout(words.told, "");
    wanted.showlegend = false;
    wanted.hovermode = "x unified";
    wanted.xaxis.tickformat = "d";
    if (data.length) wanted.yaxis.range = worthSeeing(data);
    return { data, layout: wanted };
  });
}

const draws = ["best", "report"].flatMap((column) => {
  const element = document.getElementById(`chart-${column}`);
  return element ? [curves(element, column)] : [];
});
const drawAll = () => draws.forEach((draw) => draw());
legend.addEventListener("change", drawAll);

async function fetchCurves() {
  const answer = await fetch(page.dataset.curves).catch(() => null);
  if (!answer?.ok) return;
  race = await answer.json();
  drawAll();
}

// Tiles and standings come from the server, at most once a second.
let refreshed = 0;
let refreshTimer = null;

function refresh() {
  if (refreshTimer) return;
  refreshTimer = setTimeout(() => {
    refreshTimer = null;
    refreshed = Date.now();
    htmx.ajax("GET", page.dataset.page, { swap: "none", source: page });
  }, Math.max(50, BETWEEN_REFRESHES - (Date.now() - refreshed)));
}

keepUnchanged();
document.body.addEventListener("htmx:afterSettle", () => {
  const { lanes, closed } = document.getElementById("race-state").dataset;
  if (Number(lanes) !== race.lanes) fetchCurves();
  if (closed === "yes") finish();
  announce();
});

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
// Time goes on and workers fall silent without any change of the race.
const looking = setInterval(() => document.hidden || refresh(), BETWEEN_LOOKS);
if (document.getElementById("race-state").dataset.closed === "yes") {
  finish();
} else {
  const seen = JSON.parse(document.getElementById("seq").textContent);
  stop = follow(page.dataset.socket, seen, { hear: refresh, show });
}

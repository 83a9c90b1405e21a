// What the strategy says of itself: a small chart per name, by generation, or by evaluations where there is one only.

import { chart, colour, layout } from "nas/charts";

const words = JSON.parse(document.getElementById("words").textContent);
const SCALES = ["told", "generation"];

/** Draw `rows` into `box`; returns a function that takes another row in. */
export function traces(box, rows, { goal, changed }) {
  const drawn = new Map();

  function draw() {
    const names = new Set(rows.flatMap((row) => Object.keys(row)).filter((name) => !SCALES.includes(name)));
    for (const name of names) {
      if (drawn.has(name)) drawn.get(name)();
      else drawn.set(name, small(box, rows, name));
    }
    changed(names.size > 0);
  }

  draw();
  return ({ told, trace }) => {
    const row = { told, ...trace };
    for (const name of words.scores) if (goal === "max" && name in row) row[name] = -row[name];
    // A generation that goes on is told again with every evaluation of it.
    if (row.generation > 1) keepLatest(rows, row);
    rows.push(row);
    draw();
  };
}

function keepLatest(rows, row) {
  const latest = new Map(rows.map((one) => [one.generation, one]));
  latest.delete(row.generation);
  rows.splice(0, rows.length, ...latest.values());
}

function small(box, rows, name) {
  const figure = document.createElement("figure");
  const title = Object.assign(document.createElement("figcaption"), { textContent: called(name) });
  const element = Object.assign(document.createElement("div"), { className: "chart tiny" });
  figure.append(title, element);
  box.append(figure);
  return chart(element, () => {
    const by = rows.some((row) => row.generation > 1) ? "generation" : "told";
    const shown = rows.filter((row) => Number.isFinite(row[name]));
    const wanted = layout(words[by], "");
    wanted.xaxis.tickformat = "d";
    wanted.xaxis.nticks = 4;
    wanted.yaxis.nticks = 4;
    wanted.yaxis.title = undefined;
    wanted.showlegend = false;
    wanted.font.size = 11;
    return {
      data: [
        {
          type: "scatter",
          mode: shown.length === 1 ? "markers" : "lines",
          name: title.textContent,
          x: shown.map((row) => row[by]),
          y: shown.map((row) => row[name]),
          hovertemplate: "%{x}: %{y:.4g}<extra></extra>",
          line: { width: 2, color: colour("--linear") },
          marker: { color: colour("--linear") },
        },
      ],
      layout: wanted,
    };
  });
}

function called(name) {
  const rung = name.match(/^rung (\d+) epochs$/);
  if (rung) return words.rung.replace("{count}", rung[1]);
  return words.traces[name] ?? name[0].toUpperCase() + name.slice(1);
}

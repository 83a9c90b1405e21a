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
    rows.push(row);
    draw();
  };
}

/** Where generations follow each other, each is told again with every evaluation of it, and its last row counts. */
function scaled(rows) {
  const follow = rows.every((row, at) => at === 0 || row.generation >= rows[at - 1].generation);
  if (!follow || rows.at(-1)?.generation === 1) return { by: "told", shown: rows };
  return { by: "generation", shown: [...new Map(rows.map((row) => [row.generation, row])).values()] };
}

function small(box, rows, name) {
  const figure = document.createElement("figure");
  const title = Object.assign(document.createElement("figcaption"), { textContent: called(name) });
  const element = Object.assign(document.createElement("div"), { className: "chart tiny" });
  figure.append(title, element);
  box.append(figure);
  return chart(element, () => {
    const { by, shown: all } = scaled(rows);
    const shown = all.filter((row) => Number.isFinite(row[name]));
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
  const rung = name.match(/^rung (\d+) (.+)$/);
  if (rung) return words.rungs[rung[2]].replace("{count}", rung[1]);
  return words.traces[name] ?? name[0].toUpperCase() + name.slice(1);
}

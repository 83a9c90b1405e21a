// What a search by gradient prefers: the operations of one edge by epoch, all edges in one epoch, and what it derived.

import { chart, colour, layout } from "nas/charts";

const words = JSON.parse(document.getElementById("words").textContent);
const TOKENS = ["--line-strong", "--pool", "--conv", "--ok", "--bad", "--merge", "--linear", "--io"];
const BETWEEN_LOOKS = 150;

const element = (id) => document.getElementById(id);

/** Draw `rows`, {epoch, alpha} each; returns a function that takes another in, or without one looks again. */
export function alpha({ rows }) {
  const slider = element("alpha-epoch");
  const select = element("alpha-edge");
  const latest = element("alpha-latest");
  let followed = true;
  let draw = null;
  let timer = null;
  let asking = false;
  let asked = null;

  // A long search is thinned: the nearest epoch before the chosen one is drawn.
  const chosen = () => rows.findLast((row) => row.epoch <= Number(slider.value)) ?? rows[0];

  function begin() {
    element("alpha-empty").hidden = true;
    element("alpha-parts").hidden = false;
    select.replaceChildren(...Object.keys(rows[0].alpha).map((edge) => new Option(edge, edge)));
    const drawLines = lines(element("alpha-lines"), rows, () => select.value, () => chosen().epoch);
    const drawMap = map(element("alpha-map"), chosen, () => select.value, pick);
    draw = () => {
      drawLines();
      drawMap();
    };
  }

  function pick(edge) {
    select.value = edge;
    draw();
  }

  function turn() {
    element("alpha-number").textContent = slider.value;
    latest.setAttribute("aria-pressed", String(followed));
    draw();
    if (asked === slider.value) return;
    timer ??= setTimeout(() => {
      timer = null;
      look();
    }, BETWEEN_LOOKS);
  }

  // One question at a time, however fast the epochs come or the slider moves; the latest is asked last.
  async function look() {
    if (asking) {
      asked = null;
      return;
    }
    asking = true;
    asked = slider.value;
    const answer = await fetch(`${element("alpha").dataset.epochs}${asked}/`).catch(() => null);
    if (answer?.ok) show(await answer.text());
    asking = false;
    if (asked !== slider.value) look();
  }

  function show(text) {
    const box = element("alpha-detail");
    const open = box.querySelector("details")?.open;
    box.innerHTML = text;
    if (open) box.querySelector("details").open = true;
  }

  slider.addEventListener("input", () => {
    followed = slider.value === slider.max;
    turn();
  });
  select.addEventListener("change", () => draw?.());
  latest.addEventListener("click", () => {
    followed = true;
    slider.value = slider.max;
    turn();
  });

  function extend() {
    if (!rows.length) return;
    if (!draw) begin();
    slider.max = String(rows.at(-1).epoch);
    if (followed) slider.value = slider.max;
    turn();
  }

  extend();
  return ({ told, alpha: weights }) => {
    if (!weights && rows.length) look(); // what may be done with an epoch has changed
    if (!weights || rows.some((row) => row.epoch === told)) return;
    rows.push({ epoch: told, alpha: weights });
    extend();
  };
}

/** The probabilities of one edge, stacked: they sum to one in every epoch. */
function lines(box, rows, edge, epoch) {
  return chart(box, () => {
    const wanted = layout(words.epoch, words.probability);
    wanted.xaxis.tickformat = "d";
    wanted.xaxis.dtick = rows.length <= 10 ? 1 : undefined;
    wanted.yaxis.range = [0, 1];
    wanted.hovermode = "x unified";
    wanted.uirevision = edge();
    const at = epoch();
    wanted.shapes = [{ type: "line", x0: at, x1: at, y0: 0, y1: 1, line: { width: 1.5, dash: "dot", color: colour("--text") } }];
    return {
      data: Object.keys(rows[0].alpha[edge()]).map((operation, index) => ({
        type: "scatter",
        mode: rows.length === 1 ? "lines+markers" : "lines",
        name: operation,
        stackgroup: "all",
        x: rows.map((row) => row.epoch),
        y: rows.map((row) => row.alpha[edge()][operation]),
        hovertemplate: `${operation}: %{y:.3f}<extra></extra>`,
        line: { width: 1, color: colour(TOKENS[index % TOKENS.length]) },
      })),
      layout: wanted,
    };
  });
}

/** Every edge against every operation in one epoch; a click on a row picks its edge. */
function map(box, row, edge, pick) {
  const changed = chart(box, () => {
    const { alpha: weights } = row();
    const edges = Object.keys(weights);
    const operations = Object.keys(weights[edges[0]]);
    const wanted = layout("", "");
    wanted.yaxis.autorange = "reversed";
    wanted.yaxis.title = wanted.xaxis.title = undefined;
    wanted.yaxis.type = wanted.xaxis.type = "category";
    const at = edges.indexOf(edge());
    wanted.shapes = [
      { type: "rect", x0: -0.5, x1: operations.length - 0.5, y0: at - 0.5, y1: at + 0.5, line: { width: 2, color: colour("--text") } },
    ];
    return {
      data: [
        {
          type: "heatmap",
          x: operations,
          y: edges,
          z: edges.map((name) => operations.map((operation) => weights[name][operation])),
          zmin: 0,
          zmax: 1,
          xgap: 2,
          ygap: 2,
          colorscale: [[0, colour("--surface-2")], [1, colour("--accent")]],
          colorbar: { thickness: 10, outlinewidth: 0, tickformat: ".0%", nticks: 3 },
          hovertemplate: "%{y}: %{x} %{z:.1%}<extra></extra>",
        },
      ],
      layout: wanted,
    };
  });
  const listen = () => {
    if (box.on) box.on("plotly_click", ({ points }) => pick(points[0].y));
    else setTimeout(listen, 300);
  };
  listen();
  return changed;
}

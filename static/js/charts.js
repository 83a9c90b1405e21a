// The charts of a run: each keeps its own numbers and is drawn again at most four times a second.

const BETWEEN_DRAWS = 250;
const MOST_SVG_MARKERS = 3000;

const words = JSON.parse(document.getElementById("words").textContent);

const ready = new Promise((done) => {
  if (globalThis.Plotly) done();
  else document.getElementById("plotly").addEventListener("load", done);
}).then(() => {
  if (words.language === "en") return;
  Plotly.register({ moduleType: "locale", name: words.language, dictionary: words.plotly, format: {} });
});

const colours = new Map();
addEventListener("themechange", () => colours.clear());

/** The colour of a token now: a probe resolves light-dark(), which reading the property would not. */
function colour(token) {
  if (!colours.has(token)) colours.set(token, resolve(token));
  return colours.get(token);
}

function resolve(token) {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  probe.hidden = true;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function layout(x, y) {
  const line = colour("--line");
  const axis = (title) => ({
    title: { text: title, standoff: 8 },
    gridcolor: line,
    linecolor: line,
    zeroline: false,
    automargin: true,
  });
  return {
    xaxis: axis(x),
    yaxis: axis(y),
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("--muted") },
    margin: { l: 8, r: 8, t: 8, b: 8 },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    hovermode: "closest",
    hoverlabel: { bgcolor: colour("--surface"), bordercolor: line, font: { color: colour("--text") } },
    uirevision: "keep",
  };
}

const config = {
  responsive: true,
  displaylogo: false,
  locale: words.language,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  toImageButtonOptions: { format: "svg" },
};

/** Draw `figure()` into an element, soon after `changed()` is called; returns `changed`. */
function chart(element, figure) {
  let waiting = false;
  let drawn = -Infinity;

  function draw() {
    waiting = false;
    drawn = performance.now();
    const { data, layout: wanted } = figure();
    if (data.every((trace) => trace.x.length === 0)) {
      // Axes of nothing would show made-up numbers.
      wanted.xaxis.visible = wanted.yaxis.visible = false;
      wanted.showlegend = false;
      wanted.annotations = [{ text: words.empty, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5, font: { size: 15 } }];
    }
    Plotly.react(element, data, wanted, config);
    element.dataset.points = String(data.reduce((sum, trace) => sum + trace.x.length, 0));
  }

  function changed() {
    if (waiting) return;
    waiting = true;
    const wait = Math.max(0, BETWEEN_DRAWS - (performance.now() - drawn));
    ready.then(() => setTimeout(() => requestAnimationFrame(draw), wait));
  }

  addEventListener("themechange", changed);
  // A neighbour in the same row may grow; Plotly itself only looks at the window.
  new ResizeObserver(() => element.data && element.offsetParent && Plotly.Plots.resize(element)).observe(element);
  changed();
  return changed;
}

const markers = (points) => (points.length > MOST_SVG_MARKERS ? "scattergl" : "scatter");
const better = (goal, a, b) => (goal === "max" ? a > b : a < b);

/** Every candidate's value by number, the best so far as a line, failed ones as crosses on the baseline. */
export function fitness(element, points, { metric, goal }) {
  return chart(element, () => {
    const alive = points.filter((point) => point.metrics?.[metric] !== undefined);
    const failed = points.filter((point) => !point.metrics);
    const values = alive.map((point) => point.metrics[metric]);
    const bottom = values.length ? Math.min(...values) : 0;
    const steps = bestSoFar(alive, metric, goal);
    const wanted = layout(words.number, words.value);
    wanted.xaxis.tickformat = "d";
    wanted.xaxis.dtick = points.length <= 10 ? 1 : undefined;
    return {
      data: [
        {
          type: markers(alive),
          mode: "markers",
          name: words.candidate,
          x: alive.map((point) => point.candidate),
          y: values,
          customdata: alive.map((point) => point.generation),
          hovertemplate: `${words.candidate} %{x}: %{y:.4g}<br>${words.generation} %{customdata}<extra></extra>`,
          marker: { size: 7, color: colour("--accent"), opacity: 0.65 },
        },
        {
          type: "scatter",
          mode: "lines",
          name: words.best,
          x: steps.map((step) => step.x),
          y: steps.map((step) => step.y),
          hoverinfo: "skip",
          line: { shape: "hv", width: 2, color: colour("--ok") },
        },
        {
          type: "scatter",
          mode: "markers",
          name: words.failed,
          x: failed.map((point) => point.candidate),
          y: failed.map(() => bottom),
          hovertemplate: `${words.candidate} %{x}: ${words.failed}<extra></extra>`,
          showlegend: failed.length > 0,
          marker: { size: 9, symbol: "x-thin", line: { width: 2, color: colour("--bad") } },
        },
      ],
      layout: wanted,
    };
  });
}

function bestSoFar(alive, metric, goal) {
  const steps = [];
  let best;
  for (const point of [...alive].sort((a, b) => a.candidate - b.candidate)) {
    const value = point.metrics[metric];
    if (best === undefined || better(goal, value, best)) best = value;
    steps.push({ x: point.candidate, y: best });
  }
  return steps;
}

/** Every candidate's value against its parameters, with the front of those that no other beats in both. */
export function size(element, points, { sizeMetric }) {
  const goal = sizeMetric === "accuracy" ? "max" : "min";
  return chart(element, () => {
    const alive = points.filter((point) => point.metrics?.[sizeMetric] !== undefined);
    const front = paretoFront(alive, sizeMetric, goal);
    const trace = (shown) => ({
      x: shown.map((point) => point.parameters),
      y: shown.map((point) => point.metrics[sizeMetric]),
      customdata: shown.map((point) => point.candidate),
      hovertemplate: `${words.candidate} %{customdata}: %{y:.4g}, %{x:.3s} ${words.parameters}<extra></extra>`,
    });
    const wanted = layout(words.parameters, words.sizeValue);
    wanted.xaxis.tickformat = "~s";
    wanted.xaxis.nticks = 6;
    return {
      data: [
        {
          ...trace(alive),
          type: markers(alive),
          mode: "markers",
          name: words.candidate,
          marker: { size: 6, color: colour("--line-strong"), opacity: 0.7 },
        },
        {
          ...trace(front),
          type: "scatter",
          mode: "lines+markers",
          name: words.front,
          line: { shape: "hv", width: 2, color: colour("--pool") },
          marker: { size: 9, symbol: "diamond" },
        },
      ],
      layout: wanted,
    };
  });
}

function paretoFront(points, metric, goal) {
  const front = [];
  const order = (a, b) => a.parameters - b.parameters || (better(goal, a.metrics[metric], b.metrics[metric]) ? -1 : 1);
  for (const point of [...points].sort(order)) {
    const last = front.at(-1);
    if (!last || better(goal, point.metrics[metric], last.metrics[metric])) front.push(point);
  }
  return front;
}

/** One line per training: validation accuracy by epoch, or the training loss where nothing is held back to validate. */
export function curves(element, trainings) {
  const tokens = ["--conv", "--pool", "--linear", "--merge", "--bad", "--io"];
  return chart(element, () => {
    const all = [...trainings.values()];
    const has = (one, name) => one.points.some((point) => point[name] !== null);
    const field = all.some((one) => has(one, "valid_accuracy")) ? "valid_accuracy" : "train_loss";
    const shown = all.filter((one) => has(one, field));
    const validates = field === "valid_accuracy";
    const wanted = layout(words.epoch, validates ? words.accuracy : words.loss);
    const longest = Math.max(1, ...shown.map((one) => one.epochs));
    wanted.xaxis.range = [0.5, longest + 0.5];
    wanted.xaxis.dtick = longest <= 12 ? 1 : undefined;
    wanted.xaxis.tickformat = "d";
    // A new set of trainings is a new picture: a zoom into the old one would hide it.
    wanted.uirevision = `${field} ${longest}`;
    return {
      data: shown.map((one, index) => ({
        type: "scatter",
        mode: "lines+markers",
        name: trainingName(one),
        x: one.points.map((point) => point.epoch),
        y: one.points.map((point) => point[field]),
        line: { width: 2, color: colour(tokens[(one.slot ?? index) % tokens.length]), dash: one.candidate ? "solid" : "dot" },
        marker: { size: 5 },
        opacity: one.ended ? 0.4 : 1,
        showlegend: true,
      })),
      layout: wanted,
    };
  });
}

function trainingName(one) {
  const name = one.candidate === 0 ? words.baseline : `${words.candidate} ${one.candidate}`;
  return one.stage === "final" ? `${name}, ${words.seed} ${one.seed}` : name;
}

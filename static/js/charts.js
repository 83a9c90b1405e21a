// The charts of a run: each keeps its own numbers and is drawn again at most four times a second.

import { fullest, training } from "nas/training";

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
export function colour(token) {
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

export function layout(x, y) {
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
export function chart(element, figure) {
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

/** A trace of points that are there but not measured: hollow, so that they read as a reference. */
const reference = (name, x, y) => ({
  type: "scatter",
  mode: "lines",
  name,
  x,
  y,
  hoverinfo: "skip",
  line: { width: 1.5, dash: "dash", color: colour("--muted") },
});

const AXES = {
  number: { of: (point) => point.candidate, title: () => words.number },
  time: { of: (point) => point.seconds, title: () => words.seconds },
  generation: { of: (point) => point.generation, title: () => words.generation },
};

/**
 * Every candidate's value, the best so far as a line, failed ones as crosses on the baseline, and the best that is
 * possible where a table knows it. What is far worse than most stands at the edge. Returns a function that draws,
 * which may be given the axis: number, time, generation.
 */
export function fitness(element, points, { metric, goal, optimum, alpha, rungs }) {
  let axis = "number";
  const changed = chart(element, () => {
    const { of, title } = AXES[axis];
    const placed = points.filter((point) => Number.isFinite(of(point)));
    const measured = placed.filter((point) => point.metrics?.[metric] !== undefined);
    const failed = placed.filter((point) => !point.metrics);
    const edge = edged(measured.map((point) => point.metrics[metric]), goal);
    // The legend shows the marker of the first point, which should be none at the edge.
    // A line goes from left to right instead.
    const isLater = alpha ? of : (point) => edge.isOff(point.metrics[metric]);
    const alive = measured.sort((a, b) => isLater(a) - isLater(b));
    const values = alive.map((point) => point.metrics[metric]);
    const bottom = values.length ? edge.shown(values.reduce((worst, value) => (better(goal, worst, value) ? value : worst))) : 0;
    // The epochs of one supernet: a way that is gone, not tries of which the best counts.
    const isFull = alpha ? () => true : fullest(alive, rungs);
    const steps = alpha ? [] : bestSoFar(alive.filter(isFull), metric, goal, of);
    const wanted = layout(title(), words.value);
    wanted.xaxis.tickformat = axis === "time" ? undefined : "d";
    wanted.xaxis.dtick = axis !== "time" && points.length <= 10 ? 1 : undefined;
    wanted.uirevision = axis;
    const ends = steps.length ? [steps[0].x, steps.at(-1).x] : [];
    return {
      data: [
        {
          type: markers(alive),
          mode: alpha ? "lines+markers" : "markers",
          name: words.candidate,
          x: alive.map(of),
          y: values.map(edge.shown),
          customdata: alive.map((point, at) => [point.candidate, point.generation, training(point, rungs), values[at]]),
          hovertemplate: `${words.candidate} %{customdata[0]}: %{customdata[3]:.4g}<br>${words.generation} %{customdata[1]}%{customdata[2]}<extra></extra>`,
          marker: {
            size: 7,
            color: colour("--accent"),
            opacity: alive.map((point) => (isFull(point) ? 0.7 : 0.25)),
            symbol: values.map(edge.symbol),
          },
        },
        {
          type: "scatter",
          mode: "lines",
          name: words.best,
          x: steps.map((step) => step.x),
          y: steps.map((step) => edge.shown(step.y)),
          hoverinfo: "skip",
          line: { shape: "hv", width: 2, color: colour("--ok") },
        },
        ...(Number.isFinite(optimum) ? [reference(words.optimum, ends, ends.map(() => optimum))] : []),
        {
          type: "scatter",
          mode: "markers",
          name: words.failed,
          x: failed.map(of),
          y: failed.map(() => bottom),
          customdata: failed.map((point) => point.candidate),
          hovertemplate: `${words.candidate} %{customdata}: ${words.failed}<extra></extra>`,
          showlegend: failed.length > 0,
          marker: { size: 9, symbol: "x-thin", line: { width: 2, color: colour("--bad") } },
        },
      ],
      layout: wanted,
    };
  });
  return (wanted = axis) => {
    axis = wanted;
    changed();
  };
}

/**
 * Where a chart ends on the worse side: Tukey's fence, or the worst value where none is beyond it. A network that did
 * not learn would squeeze all others into a line; it stands at the edge, as a triangle that points to where it is.
 */
function edged(values, goal) {
  const sorted = [...values].sort((a, b) => a - b);
  const quartile = (share) => sorted[Math.round(share * (sorted.length - 1))];
  const reach = 1.5 * (quartile(0.75) - quartile(0.25));
  const fence = goal === "max" ? quartile(0.25) - reach : quartile(0.75) + reach;
  const isOff = (value) => better(goal, fence, value);
  return {
    isOff,
    shown: (value) => (isOff(value) ? fence : value),
    symbol: (value) => (isOff(value) ? (goal === "max" ? "triangle-down" : "triangle-up") : "circle"),
  };
}

function bestSoFar(alive, metric, goal, of) {
  const steps = [];
  let best;
  for (const point of [...alive].sort((a, b) => of(a) - of(b) || a.candidate - b.candidate)) {
    const value = point.metrics[metric];
    if (best === undefined || better(goal, value, best)) best = value;
    steps.push({ x: of(point), y: best });
  }
  return steps;
}

// A size is known from the architecture, before anything of it was measured.
const inPlane = (point, metric) => (metric === "parameters" ? point.parameters : undefined) ?? point.metrics[metric];

/** Every candidate in the plane of two metrics, with the front of those that no other beats in all axes of it. */
export function plane(element, points, { plane: { x, y, axes, front: known } }) {
  return chart(element, () => {
    const alive = points.filter((point) => point.metrics && axes.every(({ metric }) => Number.isFinite(inPlane(point, metric))));
    const front = paretoFront(alive.filter(fullest(alive)), axes, x);
    const edge = edged(alive.map((point) => inPlane(point, y)), goalOf(axes, y));
    const trace = (drawn, place = edge.shown) => ({
      x: drawn.map((point) => inPlane(point, x)),
      y: drawn.map((point) => place(inPlane(point, y))),
      customdata: drawn.map((point) => [point.candidate, inPlane(point, y)]),
      hovertemplate: `${words.candidate} %{customdata[0]}: %{customdata[1]:.4g}, %{x:.4s}<extra></extra>`,
    });
    const wanted = layout(words.planeX, words.planeY);
    wanted.xaxis.tickformat = "~s";
    wanted.xaxis.nticks = 6;
    // A front in more than two dimensions is no line in this plane.
    const mode = axes.length > 2 ? "markers" : "lines+markers";
    const there = alive.length ? known : [];
    return {
      data: [
        {
          ...trace(alive),
          type: markers(alive),
          mode: "markers",
          name: words.candidate,
          marker: { size: 6, color: colour("--line-strong"), opacity: 0.7, symbol: alive.map((point) => edge.symbol(inPlane(point, y))) },
        },
        ...(there.length ? [{ ...reference(words.knownFront, there.map((one) => one[x]), there.map((one) => one[y])), ...knownAs(axes) }] : []),
        {
          ...trace(front, (value) => value), // a trade-off is shown as it is
          type: "scatter",
          mode,
          name: words.front,
          line: { shape: stairs(axes, x), width: 2, color: colour("--pool") },
          marker: { size: 9, symbol: "diamond", color: colour("--pool") },
        },
      ],
      layout: wanted,
    };
  });
}

const goalOf = (axes, metric) => axes.find((axis) => axis.metric === metric).goal;
// What lies between two points of a front is reached by the one that is worse in x.
const stairs = (axes, x) => (goalOf(axes, x) === "min" ? "hv" : "vh");
const knownAs = (axes) =>
  axes.length > 2
    ? { mode: "markers", marker: { size: 5, symbol: "diamond-open", color: colour("--muted") } }
    : { line: { width: 1.5, dash: "dash", color: colour("--muted"), shape: stairs(axes, axes.at(-1).metric) } };

function paretoFront(points, axes, x) {
  const scores = points.map((point) => axes.map(({ metric, goal }) => (goal === "max" ? -1 : 1) * inPlane(point, metric)));
  const order = points.map((_, index) => index).sort((a, b) => compare(scores[a], scores[b]));
  const kept = [];
  for (const index of order) {
    // Sorted by score, so only one that was kept can be ahead.
    if (!kept.some((other) => scores[other].every((score, at) => score <= scores[index][at]))) kept.push(index);
  }
  return kept.map((index) => points[index]).sort((a, b) => inPlane(a, x) - inPlane(b, x));
}

function compare(a, b) {
  const at = a.findIndex((score, index) => score !== b[index]);
  return at < 0 ? 0 : a[at] - b[at];
}

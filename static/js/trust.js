// A proxy against what was measured: every candidate as a point.

import { chart, colour, layout } from "nas/charts";
import { fullest } from "nas/training";

const words = JSON.parse(document.getElementById("words").textContent);
const LOG_FROM = 100;

const valueOf = (point, name) => point.metrics?.[name] ?? (name === "parameters" ? point.parameters : undefined);

/** Values that differ by orders of magnitude would lie on top of each other on a plain axis. */
const spreads = (values) => Math.min(...values) > 0 && Math.max(...values) > LOG_FROM * Math.min(...values);

/** Draw the proxy that #trust-proxy names; returns a function that draws again. */
export function trust(element, points, { metric, rungs }) {
  const picker = document.getElementById("trust-proxy");
  const changed = chart(element, () => {
    const name = picker.value;
    const alive = points.filter((point) => point.metrics);
    const there = alive.filter(fullest(alive, rungs)).filter((point) => Number.isFinite(valueOf(point, name)) && Number.isFinite(point.metrics[metric]));
    const x = there.map((point) => valueOf(point, name));
    const wanted = layout(picker.selectedOptions[0].text, words.value);
    if (spreads(x)) wanted.xaxis.type = "log";
    return {
      data: [
        {
          type: "scatter",
          mode: "markers",
          name: words.candidate,
          x,
          y: there.map((point) => point.metrics[metric]),
          customdata: there.map((point) => point.candidate),
          hovertemplate: `${words.candidate} %{customdata}: %{y:.4g}, %{x:.4~g}<extra></extra>`,
          marker: { size: 7, color: colour("--accent"), opacity: 0.7 },
        },
      ],
      layout: { ...wanted, showlegend: false, uirevision: name },
    };
  });
  picker.addEventListener("change", changed);
  return changed;
}

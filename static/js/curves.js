// Learning curves: one line per training.

import { chart, colour, layout } from "nas/charts";

const words = JSON.parse(document.getElementById("words").textContent);

/** One line per training: validation accuracy by epoch, of numbers the loss, or the training loss where nothing validates. */
export function curves(element, trainings) {
  const tokens = ["--conv", "--pool", "--linear", "--merge", "--bad", "--io"];
  return chart(element, () => {
    const all = [...trainings.values()];
    const has = (one, name) => one.points.some((point) => point[name] !== null);
    const fields = ["valid_accuracy", "valid_loss"];
    const field = fields.find((name) => all.some((one) => has(one, name))) ?? "train_loss";
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
  if (one.candidate === null) return words.supernet;
  const name = one.candidate === 0 ? words.baseline : `${words.candidate} ${one.candidate}`;
  return one.stage === "final" ? `${name}, ${words.seed} ${one.seed}` : name;
}

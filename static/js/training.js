// How much each candidate was trained: for how many epochs, and on which rung where rungs are of something else.

const words = JSON.parse(document.getElementById("words").textContent);

/** Tell who was trained most, on the highest rung for the most epochs: numbers after less training do not compare. */
export function fullest(alive, rungs) {
  const highest = (name, of) => of.reduce((so, { metrics }) => Math.max(so, metrics[name] ?? 0), 0);
  const rung = rungs === "epochs" ? 0 : highest(rungs, alive);
  const isHighest = ({ metrics }) => rungs === "epochs" || (metrics[rungs] ?? rung) >= rung;
  const epochs = highest("epochs", alive.filter(isHighest));
  return (point) => isHighest(point) && (point.metrics.epochs ?? epochs) >= epochs;
}

/** How much a candidate was trained, for the box beside its point. */
export function training({ metrics }, rungs) {
  const epochs = metrics.epochs ? `<br>${words.epoch} ${metrics.epochs}` : "";
  return metrics[rungs] === undefined || rungs === "epochs" ? epochs : `${epochs}<br>${words.rungs[`% ${rungs}`].replace("{count}", metrics[rungs])}`;
}

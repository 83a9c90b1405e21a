"""The part of a model card that only the end of the final stage knows: strategy, seeds, cost, comparison, mistakes."""

from collections.abc import Mapping, Sequence

from nas.final import Final
from nas.jobs import final_seeds
from nas.mistakes import mistakes
from nas.reference import TITLES
from nas.selection import summary

# Title, how a value is written, in the order of the table.
ROWS: dict[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "{:.2f} %"),
    "precision": ("Precision (macro)", "{:.2f} %"),
    "recall": ("Recall (macro)", "{:.2f} %"),
    "f1": ("F1 (macro)", "{:.2f} %"),
    "roc_auc": ("ROC AUC (macro)", "{:.2f} %"),
    "calibration_error": ("Calibration error", "{:.2f} %"),
    "rmse": ("Root mean squared error", "{:,.4g}"),
    "mae": ("Mean absolute error", "{:,.4g}"),
    "r2": ("R²", "{:.4f}"),
    "loss": ("Loss", "{:.4f}"),
    "parameters": ("Parameters", "{:,.0f}"),
    "multiply_adds": ("Multiply-adds", "{:,.0f}"),
    "latency_ms": ("Latency, median", "{:.3f} ms"),
    "training_seconds": ("Training time", "{:.1f} s"),
}
PAGE = """
## Search
- Strategy: {strategy}, seed {seed}, {budget:,} {unit}; objectives: {objectives}; limits: {limits}.
- Devices worked {hours:.3f} hours for search and final stage ({parts}).

## Comparison
{means}, on the test split. The baseline, {baseline}, trained {budgeted}.

| | Winner | Baseline |
|---|---|---|
{rows}

{verdict}
{mistakes}
## Intended use
Inputs like those it was trained on, with a person or a test of your own behind every decision that matters. It was
not tested for other data, for attacks, or for how it treats groups of people.
"""


def comparison(final: Final, spent: Mapping[tuple[str, str], float]) -> str:
    """Return the part as Markdown; `spent` are the seconds of evaluations by stage and device."""
    plan, found = final.plan, final.verdict
    ours, theirs = summary(final.metrics(final.winner)), summary(final.metrics(0))
    known = [name for name in ROWS if name in ours]
    parts = (f"{stage} on {device}: {seconds / 3600:.3f}" for (stage, device), seconds in spent.items())
    return PAGE.format(
        strategy=plan.strategy,
        seed=plan.seed,
        budget=plan.budget,
        unit="epochs of a supernet" if plan.is_gradient else "candidates",
        objectives=", ".join(f"{one.goal} {one.metric}" for one in plan.objectives),
        limits=", ".join(f"{one.metric} {one.bound:g}" for one in plan.limits) or "none",
        hours=sum(spent.values()) / 3600,
        parts="; ".join(parts) or "not measured",
        means=_means(len(final.metrics(final.winner)), final_seeds(plan)),
        baseline=TITLES.get(plan.baseline.network, plan.baseline.network),
        budgeted="as long as the winner" if plan.baseline.budget == "time" else "as many epochs",
        rows="\n".join(f"| {ROWS[name][0]} | {_cell(name, ours)} | {_cell(name, theirs)} |" for name in known),
        verdict="\n".join(f"{said}" for said in found.sentences) if found else "The baseline was not measured.",
        mistakes=mistakes(final),
    )


def _means(count: int, seeds: Sequence[int]) -> str:
    told = ", ".join(map(str, seeds))
    return f"Mean ± standard deviation over {count} seeds ({told})" if count > 1 else "One training each"


def _cell(name: str, about: Mapping[str, Mapping[str, float]]) -> str:
    if name not in about:
        return "-"
    form, one = ROWS[name][1], about[name]
    return f"{form.format(one['mean'])} ± {form.format(one['sd'])}" if one["count"] > 1 else form.format(one["mean"])

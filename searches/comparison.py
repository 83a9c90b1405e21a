"""The final stage as a table: the hand-made baseline against the winner, over the seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

from nas import selection
from searches.figures import FIGURES, Words, write
from searches.models import Evaluation, Run

ROWS = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "top5_accuracy",
    "calibration_error",
    "generalisation_gap",
    "rmse",
    "mae",
    "r2",
    "loss",
    "parameters",
    "multiply_adds",
    "latency_ms",
    "latency_p95_ms",
    "file_kb",
    "peak_memory_mb",
    "training_seconds",
    "energy_joules",
)
SAME_FOR_ALL_SEEDS = ("parameters", "multiply_adds", "file_kb", "peak_memory_mb")


@dataclass(frozen=True)
class Cell:
    """Mean and standard deviation over the seeds, as written."""

    mean: str
    spread: str
    better: bool


@dataclass(frozen=True)
class Row:
    """One metric of both networks; `by_seed` has the baseline's values, then the winner's."""

    title: Words
    lower_is_better: bool
    baseline: Cell | None
    winner: Cell | None
    by_seed: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """All rows, and how many of the trainings are done."""

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    done: int
    asked: int
    failed: tuple[Evaluation, ...]


def compare(run: Run) -> Comparison | None:
    """Return the table of the final stage as far as it is measured; None before that stage."""
    final = list(run.evaluations.filter(stage=Run.Stage.FINAL).select_related("candidate").order_by("seed"))
    if not final:
        return None
    measured = [one for one in final if one.status == Evaluation.Status.MEASURED]
    baseline = [one for one in measured if one.of.is_baseline]
    winner = [one for one in measured if not one.of.is_baseline]
    seeds = tuple(sorted({one.seed for one in final}))
    known = [name for name in ROWS if any(name in one.metrics for one in measured)]
    return Comparison(
        rows=tuple(_row(name, baseline, winner, seeds) for name in known),
        seeds=seeds if len(seeds) > 1 else (),
        done=len(measured),
        asked=len(final),
        failed=tuple(one for one in final if one.status == Evaluation.Status.FAILED),
    )


def _row(name: str, baseline: list[Evaluation], winner: list[Evaluation], seeds: Sequence[int]) -> Row:
    figure = FIGURES[name]
    sign = 1 if figure.goal == "max" else -1
    left, right = _mean(name, baseline), _mean(name, winner)
    ahead = 0.0 if left is None or right is None else sign * (right - left)
    return Row(
        title=figure.title,
        lower_is_better=figure.goal == "min",
        baseline=_cell(name, baseline, better=ahead < 0),
        winner=_cell(name, winner, better=ahead > 0),
        by_seed=tuple(_of_seed(name, side, seed) for side in (baseline, winner) for seed in seeds),
    )


def _mean(name: str, evaluations: list[Evaluation]) -> float | None:
    found = selection.summary([one.metrics for one in evaluations if name in one.metrics])
    return found[name]["mean"] if name in found else None


def _cell(name: str, evaluations: list[Evaluation], *, better: bool) -> Cell | None:
    mean = _mean(name, evaluations)
    if mean is None:
        return None
    several = len(evaluations) > 1 and name not in SAME_FOR_ALL_SEEDS
    spread = selection.summary([one.metrics for one in evaluations if name in one.metrics])[name]["sd"]
    return Cell(
        mean=write(name, mean),
        spread=write(name, spread) if several else "",
        better=better,
    )


def _of_seed(name: str, evaluations: Sequence[Evaluation], seed: int) -> str:
    return write(name, next((one.metrics.get(name) for one in evaluations if one.seed == seed), None))

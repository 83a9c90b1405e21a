"""The final stage as a table: the baseline against the finalists over the seeds, and what the difference means."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from nas import selection
from nas.final import Final
from nas.objectives import VALIDATION
from searches.contestants import Contestant, contestants
from searches.figures import FIGURES, Words, duration, write
from searches.finals import final_of, spent
from searches.learning import learning
from searches.models import Evaluation, Run
from searches.say import say

ROWS = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "top5_accuracy",
    "calibration_error",
    "rmse",
    "mae",
    "r2",
    "generalisation_gap",
    "loss",
    "parameters",
    "multiply_adds",
    "file_kb",
    "latency_ms",
    "latency_p95_ms",
    "images_per_second",
    "peak_memory_mb",
    "training_seconds",
    "energy_joules",
)
SAME_FOR_ALL_SEEDS = ("parameters", "multiply_adds", "file_kb", "peak_memory_mb")
Rows = list[dict[str, float]]


@dataclass(frozen=True)
class Cell:
    """Mean and standard deviation over the seeds, as written."""

    mean: str
    spread: str
    better: bool


@dataclass(frozen=True)
class Row:
    """One metric of the contestants, the baseline first; `by_seed` has each one's values, seed by seed."""

    title: Words
    lower_is_better: bool
    cells: tuple[Cell | None, ...]
    by_seed: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """All rows, and how many of the trainings are done; `verdict` says what the difference means.

    The contestants are the columns, the baseline first, then the winner so far.
    """

    contestants: tuple[Contestant, ...]
    rows: tuple[Row, ...]
    on_validation: tuple[Row, ...]
    seeds: tuple[int, ...]
    done: int
    asked: int
    failed: tuple[Evaluation, ...]
    verdict: tuple[str, ...]
    cost: str
    curves: tuple[SafeString, ...]


def compare(run: Run) -> Comparison | None:
    """Return the table of the final stage as far as it is measured; None before that stage."""
    final = final_of(run)
    if final is None:
        return None
    stage = list(run.evaluations.filter(stage=Run.Stage.FINAL).select_related("candidate").order_by("seed"))
    seeds = tuple(sorted({one.seed for one in stage}))
    known = tuple(sorted(contestants(run, final), key=lambda one: one.number != 0))
    columns = tuple(one.number for one in known)
    names = {name for number in columns for row in final.metrics(number) for name in row}
    measured = {(one.of.number, one.seed): one.metrics for one in stage if one.metrics}

    def rows(prefix: str = "") -> tuple[Row, ...]:
        return tuple(_row(name, prefix, final, columns, seeds, measured) for name in ROWS if prefix + name in names)

    verdict = final.verdict
    return Comparison(
        contestants=known,
        rows=rows(),
        on_validation=rows(VALIDATION),
        seeds=seeds if len(seeds) > 1 else (),
        done=sum(one.status == Evaluation.Status.MEASURED for one in stage),
        asked=len(stage) if any(one.of.is_baseline for one in stage) else len(stage) + len(seeds),
        failed=tuple(one for one in stage if one.status == Evaluation.Status.FAILED),
        verdict=tuple(say(one) for one in verdict.sentences) if verdict else (),
        cost=_cost(run),
        curves=learning(stage, known),
    )


def _row(
    name: str,
    prefix: str,
    final: Final,
    columns: Sequence[int],
    seeds: Sequence[int],
    measured: dict[tuple[int, int], dict[str, float]],
) -> Row:
    figure = FIGURES[name]
    sign = 1 if figure.goal == "max" else -1
    found = {number: _summary(prefix + name, final.metrics(number)) for number in columns}
    means = [sign * about["mean"] for about in found.values() if about]
    best = sign * max(means) if len({*means}) > 1 else None
    return Row(
        title=figure.title,
        lower_is_better=figure.goal == "min",
        cells=tuple(_cell(name, about, about.get("mean") == best) for about in found.values()),
        by_seed=tuple(
            write(name, measured.get((number, seed), {}).get(prefix + name)) for number in columns for seed in seeds
        ),
    )


def _summary(name: str, rows: Rows) -> dict[str, float]:
    return selection.summary([{name: row[name]} for row in rows if name in row]).get(name, {})


def _cell(name: str, about: dict[str, float], better: bool) -> Cell | None:
    if not about:
        return None
    several = about["count"] > 1 and name not in SAME_FOR_ALL_SEEDS
    return Cell(write(name, about["mean"]), write(name, about["sd"]) if several else "", better)


def _cost(run: Run) -> str:
    """Say how long devices worked for the search, and for which."""
    found = spent(run)
    by_device: dict[str, float] = {}
    for (_stage, device), seconds in found.items():
        by_device[device] = by_device.get(device, 0.0) + seconds
    searched = sum(seconds for (stage, _device), seconds in found.items() if stage == Run.Stage.SEARCH)
    devices = _(", ").join(f"{device}: {duration(seconds)}" for device, seconds in sorted(by_device.items()))
    values = {"total": duration(sum(found.values())), "search": duration(searched), "devices": devices}
    return _("Time of devices: %(total)s, of it %(search)s for the search (%(devices)s).") % values

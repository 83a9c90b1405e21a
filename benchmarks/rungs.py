"""Rungs of 12 and 200 epochs against training everything for 200: the same quality for how many epochs?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean

from nas.commandline import DEFAULTS
from nas.plan import Plan
from nas.race.contest import BASELINE, Lane, Race
from nas.race.running import run
from nas.race.standings import spread
from nas.rehearsal import on_table

FULL = 50  # evaluations at 200 epochs that the rungs are held against
EPOCHS = 200
STRATEGIES = ("asha", "hyperband")


def saved_epochs(seeds: int) -> Iterator[str]:
    """Yield a table: the best after a third of the epochs, and the share of epochs at which the mean is as good."""
    full = _lanes(BASELINE, FULL, seeds)
    goal, budget = spread([lane.best[-1] for lane in full]), FULL * EPOCHS
    yield (
        f"Rungs of 12 and 200 epochs (cifar10.valid_accuracy.200ep, {seeds} seeds); random search with {FULL} "
        f"evaluations at 200 epochs, {budget:,} epochs: {goal.mean:.2f} ± {goal.error:.2f}."
    )
    yield ""
    yield "| strategy | best after a third of those epochs | as good as random after |"
    yield "|---|---|---|"
    for name in STRATEGIES:
        lanes = _lanes(name, 6 * FULL, seeds)
        third = spread([_after(lane, budget / 3) for lane in lanes])
        reached = next(
            (share for share in range(5, 101) if _mean_after(lanes, budget * share / 100) >= goal.mean), None
        )
        yield f"| {name} | {third.mean:.2f} ± {third.error:.2f} | {reached or '> 100'} % of the epochs |"
    yield ""


def _lanes(name: str, budget: int, seeds: int) -> list[Lane]:
    plan: Plan = on_table(
        replace(DEFAULTS, strategy=name, budget=budget),
        "nasbench201",
        objectives=["cifar10.valid_accuracy.200ep"],
        report=["cifar10.test_accuracy.200ep"],
    )
    race = Race(plan, (name,), tuple(range(1, seeds + 1)))
    return [lane for lane in run(race) if lane.strategy == name]


def _mean_after(lanes: Sequence[Lane], epochs: float) -> float:
    return fmean(_after(lane, epochs) for lane in lanes)


def _after(lane: Lane, epochs: float) -> float:
    """Return the best that a lane has after so many epochs, the worst that any network has before its first one."""
    return next((best for best, spent in zip(lane.best[::-1], lane.epochs[::-1], strict=True) if spent <= epochs), 0.0)

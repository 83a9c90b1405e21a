"""How strategies stand against each other and against random search after a number of evaluations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median, quantiles, stdev

from nas.objectives import Objective
from nas.race.contest import BASELINE, Lane

TENTH, MEDIAN, NINETIETH = 0, 4, 8


@dataclass(frozen=True)
class Spread:
    """Mean over seeds with its standard error, and the 10 %, 50 % and 90 % quantiles."""

    mean: float
    error: float
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Standing:
    """One strategy after `evaluations`: what it selected on, what was read of that, and how it compares with random.

    `gain` is by how many percent the mean is better than random's, `p_value` that of a two-sided Mann-Whitney U test
    of the seeds against random's; both None of random itself. `epochs` is the mean training spent.
    """

    strategy: str
    evaluations: int
    seeds: int
    best: Spread
    report: Spread
    epochs: float
    gain: float | None = None
    p_value: float | None = None


def standings(lanes: Sequence[Lane], objective: Objective, marks: Sequence[int]) -> tuple[Standing, ...]:
    """Return a standing per strategy and mark, the strategies in the order in which they first appear."""
    by_strategy: dict[str, list[Lane]] = {}
    for lane in lanes:
        if lane.best:
            by_strategy.setdefault(lane.strategy, []).append(lane)
    return tuple(
        _standing(name, own, by_strategy.get(BASELINE, []), objective, mark)
        for mark in marks
        for name, own in by_strategy.items()
    )


def default_marks(budget: int) -> tuple[int, ...]:
    """Return the quarters of a budget."""
    return tuple(sorted({max(1, budget * quarter // 4) for quarter in (1, 2, 3, 4)}))


def evaluations_to(lane: Lane, value: float, objective: Objective) -> int | None:
    """Return after how many evaluations a lane was as good as `value`, None where it never was."""
    sign = -1 if objective.goal == "max" else 1
    return next((at for at, best in enumerate(lane.best, start=1) if sign * best <= sign * value), None)


def median_to(lanes: Sequence[Lane], value: float, objective: Objective) -> float | None:
    """Return the median number of evaluations to a value, None where fewer than half of the lanes reached it."""
    never = float("inf")
    found = median(evaluations_to(lane, value, objective) or never for lane in lanes)
    return None if found == never else found


def spread(values: Sequence[float]) -> Spread:
    """Return mean, standard error and quantiles of one number per seed."""
    if len(values) == 1:
        return Spread(values[0], 0.0, values[0], values[0], values[0])
    tenths = quantiles(values, n=10, method="inclusive")
    error = stdev(values) / len(values) ** 0.5
    return Spread(fmean(values), error, tenths[TENTH], tenths[MEDIAN], tenths[NINETIETH])


def _standing(name: str, own: Sequence[Lane], random: Sequence[Lane], objective: Objective, mark: int) -> Standing:
    at = mark - 1
    best = [lane.best[at] for lane in own]
    found = Standing(
        name,
        mark,
        len(own),
        spread(best),
        spread([lane.report[at] for lane in own]),
        fmean(lane.epochs[at] for lane in own),
    )
    if name == BASELINE or not random:
        return found
    theirs = [lane.best[at] for lane in random]
    return replace(found, gain=_gain(fmean(best), fmean(theirs), objective), p_value=_p_value(best, theirs))


def _gain(mean: float, baseline: float, objective: Objective) -> float | None:
    if baseline == 0:
        return None
    difference = mean - baseline if objective.goal == "max" else baseline - mean
    return 100 * difference / abs(baseline)


def _p_value(own: Sequence[float], theirs: Sequence[float]) -> float:
    # SciPy's statistics take a while to load, which only a race should pay.
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(own, theirs, alternative="two-sided").pvalue)

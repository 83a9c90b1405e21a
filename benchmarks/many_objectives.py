"""NSGA-II on accuracy, parameters and the latency of one device: how much of the true front's hypervolume it finds."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from statistics import fmean, stdev

import numpy as np

from nas.commandline import DEFAULTS
from nas.pareto import hypervolume
from nas.plan import Plan, table
from nas.race.contest import BASELINE
from nas.rehearsal import on_table
from nas.search import Search

COLUMNS = ("max:cifar10.valid_accuracy.12ep", "min:cifar10.parameters", "min:latency.pixel3")
BUDGET = 1000
MARKS = (250, 500, 1000)
STRATEGIES = ("nsga2", BASELINE)
REFERENCE = (1.0, 1.0, 1.0)  # the worst of the table in each objective, after scaling


def hypervolume_shares(seeds: int) -> Iterator[str]:
    """Yield a table of the shares after some evaluations, in percent, mean and standard error."""
    yield f"`nsga2` on {', '.join(COLUMNS)}: share of the true front's hypervolume, {seeds} seeds."
    yield ""
    yield f"| strategy | {' | '.join(map(str, MARKS))} |"
    yield f"|---|{'---|' * len(MARKS)}"
    with ProcessPoolExecutor() as pool:
        for name in STRATEGIES:
            rows = list(pool.map(shares, [name] * seeds, range(1, seeds + 1)))
            cells = [f"{fmean(column):.2f} ± {stdev(column) / seeds**0.5:.2f} %" for column in zip(*rows, strict=True)]
            yield f"| {name} | {' | '.join(cells)} |"
    yield ""


def shares(name: str, seed: int) -> list[float]:
    """Return the share in percent at each mark."""
    asked = on_table(
        replace(DEFAULTS, strategy=name, budget=BUDGET, seed=seed), "nasbench201", objectives=COLUMNS, report=()
    )
    low, high = _bounds(asked)
    whole = hypervolume(_scaled(_all(asked), low, high).tolist(), REFERENCE)
    found = [line["scores"] for line in Search(asked).candidates()]
    return [100 * hypervolume(_scaled(np.array(found[:mark]), low, high).tolist(), REFERENCE) / whole for mark in MARKS]


def _all(asked: Plan) -> np.ndarray:
    values = table(asked).values
    columns = [(-1 if one.goal == "max" else 1) * values[one.metric].astype(float) for one in asked.objectives]
    return np.stack(columns, axis=1)


def _bounds(asked: Plan) -> tuple[np.ndarray, np.ndarray]:
    scores = _all(asked)
    return scores.min(0), scores.max(0)


def _scaled(scores: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return (scores - low) / (high - low)

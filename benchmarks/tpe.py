"""The best peer we know on these tables: Optuna's multivariate TPE, asked for as many unique architectures."""

import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import optuna

from nas.plan import Plan, table
from nas.race.contest import Lane
from nas.tables.table import Table

MOST_REPEATS = 20


def tpe_lanes(plan: Plan, seeds: int) -> list[Lane]:
    """Return a lane per seed, 1 to `seeds`."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_lane, [plan] * seeds, range(1, seeds + 1)))


def _lane(plan: Plan, seed: int) -> Lane:
    """Tell repeated proposals their known value without counting them, as for our own strategies."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    rows, column, started = table(plan), plan.objectives[0].metric, time.monotonic()
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    search = optuna.create_study(direction="maximize", sampler=sampler)
    found: dict[int, float] = {}
    best: list[int] = []
    for _ in range(MOST_REPEATS * plan.budget):
        asked = search.ask()
        row = rows.row(_choices(asked, [decision.options for decision in rows.decisions]))
        assert row is not None
        value = rows.value(column, row)
        search.tell(asked, value)
        if row not in found:
            found[row] = value
            best.append(min((row, *best[-1:]), key=lambda one: (-found[one], _sizes(rows, one))))
        if len(found) == plan.budget:
            break
    best += best[-1:] * (plan.budget - len(best))
    return Lane(
        "tpe",
        seed,
        best=tuple(rows.value(column, row) for row in best),
        report=tuple(rows.value(plan.report[0], row) for row in best),
        epochs=tuple(float(plan.epochs * at) for at in range(1, len(best) + 1)),
        seconds=time.monotonic() - started,
    )


def _sizes(rows: Table, row: int) -> tuple[float, ...]:
    """Return what tells equals apart, as for our own strategies."""
    return rows.value("cifar10.parameters", row), rows.value("cifar10.mega_flops", row)


def _choices(asked: optuna.Trial, options: Sequence[Sequence[str]]) -> list[int]:
    return [asked.suggest_categorical(f"decision{at}", range(len(names))) for at, names in enumerate(options)]

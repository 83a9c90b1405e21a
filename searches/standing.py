"""What a table knows beforehand about a search on it: the best there is, the front, and where the winner stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas import plan as plans
from nas.objectives import Goal
from nas.plan import Plan
from nas.sentences import Refused
from nas.tables.table import Table
from searches.columns import figure_of
from searches.figures import Figure, decimals, write
from searches.models import Run

Axis = tuple[str, Goal]
MOST_OF_FRONT = 300


@dataclass(frozen=True)
class Standing:
    """A network in one column of its table: the value, the best of all `of` networks within the limits, its rank."""

    figure: Figure
    value: float
    best: float
    rank: int
    of: int

    @property
    def regret(self) -> str:
        """How far it is from the best, as written; units of percent are points here."""
        distance = abs(self.best - self.value)
        return decimals(distance, 2) if self.figure.unit == "%" else write(self.figure, distance)


def standings(run: Run) -> tuple[Standing, ...]:
    """Return where the winner of a rehearsal stands, in its objectives and its report; none before there is one."""
    if run.winner is None or not run.plan.is_rehearsal:
        return ()
    try:
        table = plans.table(run.plan)
    except Refused:
        return ()
    row = table.row(run.winner.choices)
    asked = [*((one.metric, one.goal) for one in run.plan.objectives), *((name, "") for name in run.plan.report)]
    found: dict[str, Standing] = {}
    for name, goal in asked:
        if row is not None and name in table.columns and name not in found:
            found[name] = _standing(run.plan, table, row, name, goal or table.columns[name].goal)
    return tuple(found.values())


def _standing(plan: Plan, table: Table, row: int, name: str, goal: str) -> Standing:
    sign = -1 if goal == "max" else 1
    values = table.values[name]
    scores = sign * values[_admitted(plan, table)].astype(float)
    mine = sign * float(values[row])
    best = sign * float(scores.min(initial=mine))
    rank = 1 + int((scores < mine).sum())
    return Standing(figure_of(plan, name), float(values[row]), best, rank, len(scores))


def optimum(plan: Plan) -> float | None:
    """Return the best value of the main objective that any network of the table has within the limits."""
    if not plan.is_rehearsal:
        return None
    aim = plan.objectives[0]
    try:
        table = plans.table(plan)
    except Refused:
        return None
    values = table.values[aim.metric][_admitted(plan, table)] if aim.metric in table.columns else np.array([])
    if not len(values):
        return None
    return float(values.max() if aim.goal == "max" else values.min())


def knows_size(plan: Plan) -> bool:
    """Tell whether the table has the parameters of its networks."""
    try:
        return _column(plans.table(plan), "parameters") is not None
    except Refused:
        return False


def known_front(plan: Plan, axes: Sequence[Axis]) -> list[dict[str, float]]:
    """Return the networks of the table that no other beats in all the axes, as {axis: value}, by the first axis."""
    if not plan.is_rehearsal:
        return []
    try:
        table = plans.table(plan)
    except Refused:
        return []
    columns = [_column(table, name) for name, _goal in axes]
    if None in columns:
        return []
    rows = np.flatnonzero(_admitted(plan, table))
    values = np.stack([table.values[str(column)][rows].astype(float) for column in columns], axis=1)
    signs = np.array([-1.0 if goal == "max" else 1.0 for _name, goal in axes])
    kept = _front(values * signs)
    kept = kept[:: max(1, -(-len(kept) // MOST_OF_FRONT))]
    return [{name: float(values[at, index]) for index, (name, _goal) in enumerate(axes)} for at in kept]


def _front(scores: NDArray[Any]) -> list[int]:
    rest = np.lexsort(scores.T[::-1])
    kept: list[int] = []
    while len(rest):
        ahead, rest = rest[0], rest[1:]
        kept.append(int(ahead))
        # Sorted by the first score, so what comes later can never beat what was kept.
        rest = rest[~(scores[rest] >= scores[ahead]).all(axis=1)]
    return kept


def _admitted(plan: Plan, table: Table) -> NDArray[np.bool_]:
    within = np.ones(len(table), bool)
    for limit in plan.limits:
        column = _column(table, limit.metric)
        if column is not None:
            goal = limit.goal or table.columns[column].goal
            values = table.values[column]
            within &= values >= limit.bound if goal == "max" else values <= limit.bound
    return within


def _column(table: Table, metric: str) -> str | None:
    """A metric that is known from the graph, as parameters are, is the table's first column of that name."""
    if metric in table.columns:
        return metric
    return next((name for name in table.columns if name.rpartition(".")[2] == metric), None)

"""A search on a table instead of a dataset: the columns to bring up or down, and those to read at the end."""

from collections.abc import Sequence
from dataclasses import replace

from nas import objectives as objective_texts
from nas.objectives import Limit, Objective
from nas.plan import Plan, metrics
from nas.sentences import Refused
from nas.spaces.table import Tabulated
from nas.tables import places
from nas.tables.table import Table, stem


def on_table(
    plan: Plan, name: str, *, objectives: Sequence[str] = (), report: Sequence[str] = (), limits: Sequence[str] = ()
) -> Plan:
    """Return the plan on a table; without objectives and report it takes the first that fit.

    Raises Refused for a table that cannot be read or a metric that it does not have.
    """
    table = places.table(name)
    space = replace(plan.space, kind=Tabulated.name, settings={"table": name})
    plan = replace(plan, evaluator="table", space=space)
    among = metrics(plan)
    aims = tuple(objective_texts.objective(text, among) for text in objectives or (selecting(table),))
    read = tuple(report) or reporting(table, aims[0])
    for column in read:
        objective_texts.known(column, among)
    bounds: tuple[Limit, ...] = tuple(objective_texts.limit(text, among) for text in limits)
    epochs = among_epochs(table, aims[0].metric)
    return replace(
        plan,
        objectives=aims,
        limits=bounds,
        report=read,
        epochs=epochs,
        final_epochs=max((among_epochs(table, column) for column in read), default=epochs),
    )


def selecting(table: Table) -> str:
    """Return the column to search on: validation before any other split, and the longest training of it."""
    trained = [(about.split != "valid", -about.epochs, name) for name, about in table.columns.items() if about.split]
    if not trained:
        names = [name for name, about in table.columns.items() if about.goal == "max"] or list(table.columns)
        if not names:
            raise Refused("The table {table} has no metric.", table=table.title)
        return names[0]
    return min(trained, key=lambda one: one[:2])[2]


def reporting(table: Table, objective: Objective) -> tuple[str, ...]:
    """Return the test column beside a validation column, or the nearest to it, or nothing where there is none."""
    twin, about = objective.metric.replace("valid_", "test_"), table.columns.get(objective.metric)
    if twin == objective.metric or about is None:
        return ()
    if twin in table.columns:
        return (twin,)
    same = [name for name, one in table.columns.items() if (one.dataset, one.split) == (about.dataset, "test")]
    return (max(same, key=lambda name: (stem(name) == stem(twin), table.columns[name].epochs)),) if same else ()


def among_epochs(table: Table, column: str) -> int:
    """Return the number of epochs of a column, 1 where it does not depend on training."""
    return table.columns[column].epochs if column in table.columns and table.columns[column].epochs else 1

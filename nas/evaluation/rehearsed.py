"""The evaluator that looks networks up in a table of trained ones."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from nas.architecture import Architecture
from nas.evaluation.protocol import Job
from nas.events import Ended, Event, Measured, Prepared
from nas.sentences import Refused, Sentence
from nas.spaces.catalogue import build, plain
from nas.spaces.graph import Task
from nas.spaces.table import Tabulated

ANY = Task((1,), 1)  # a table has its own


@dataclass(frozen=True)
class Rehearsed:
    """Answers a job from the table of its space, at the table's number of epochs; there is nothing random in it."""

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield the measurement, after the simulated training time, or how it ended; never raises Refused."""
        try:
            yield from _evaluate(job)
        except Refused as error:
            yield Ended("invalid", error.sentence)


def _evaluate(job: Job) -> Iterator[Event]:
    space, architecture = plain(build(job.space, ANY), Architecture(job.space.kind, job.choices))
    if not isinstance(space, Tabulated):
        raise Refused("A rehearsal needs the space table, not {space}.", space=job.space.kind)
    table = space.rows
    yield Prepared(table.fingerprint, "table")
    if job.fingerprint and job.fingerprint != table.fingerprint:
        yield Ended("data", Sentence("{title} has changed since the run began.", {"title": table.title}))
        return
    epochs = job.until or job.epochs
    if job.rehearsal.seconds_per_epoch:
        time.sleep(epochs * job.rehearsal.seconds_per_epoch)
    yield Measured(_metrics(space, architecture, job, epochs))


def _metrics(space: Tabulated, architecture: Architecture, job: Job, epochs: int) -> dict[str, float]:
    table = space.rows
    row = table.row(architecture.choices)
    if row is None:
        raise Refused("The table {table} has no such architecture.", table=table.title)
    own = [column for column in job.columns if column in table.columns]
    values = {column: table.value(table.at(column, epochs) if job.until else column, row) for column in own}
    # What no column says is a cost that the graph knows; the sizes tell equals apart, where the table has them.
    costs = space.graph(architecture).costs
    sizes = {name: costs[name] for name in ("parameters", "multiply_adds") if costs[name]}
    return values | sizes | {name: costs[name] for name in job.columns if name in costs} | {"epochs": float(epochs)}

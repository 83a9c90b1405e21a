"""Run the lanes of a race, on all cores."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from nas import plan as planning
from nas import selection
from nas.architecture import Architecture
from nas.plan import Plan
from nas.race.contest import Lane, Race
from nas.search import Search

# More threads inside a lane would only fight with the lanes beside it.
SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run(race: Race, data_dirs: Sequence[Path] = (), processes: int = 0) -> Iterator[Lane]:
    """Yield lanes as they end, on as many processes as there are cores unless told otherwise."""
    race.check()
    os.environ.update(dict.fromkeys(SINGLE_THREADED, "1"))
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes or os.cpu_count() or 1, mp_context=fresh) as pool:
        running = [pool.submit(lane, race.lane_plan(*start), tuple(data_dirs)) for start in race.starts]
        try:
            for ended in as_completed(running):
                yield ended.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def lane(plan: Plan, data_dirs: tuple[Path, ...] = ()) -> Lane:
    """Run the search stage of a plan and return how its best rose."""
    search = Search(plan, data_dirs)
    steps: list[_Step] = []
    ahead: _Step | None = None
    epochs = 0.0
    for line in search.candidates():
        metrics = line.get("metrics", {})
        epochs += metrics.get("epochs", plan.epochs)
        place = selection.rank(plan, metrics) if metrics else None
        if place is not None and (ahead is None or place < ahead.rank):
            ahead = _Step(place, metrics[plan.objectives[0].metric], _report(plan, line["choices"]))
        if ahead is not None:
            steps.append(replace(ahead, epochs=epochs))
    steps += steps[-1:] * (plan.budget - len(steps))
    return Lane(
        plan.strategy,
        plan.seed,
        best=tuple(step.best for step in steps),
        report=tuple(step.best if step.report is None else step.report for step in steps),
        epochs=tuple(step.epochs for step in steps),
        seconds=search.seconds,
    )


@dataclass(frozen=True)
class _Step:
    rank: tuple[float, ...]
    best: float
    report: float | None
    epochs: float = 0.0


def _report(plan: Plan, choices: Sequence[int]) -> float | None:
    if not plan.report:
        return None
    row = planning.row_of(plan, Architecture(plan.space.kind, tuple(choices)))
    return None if row is None else planning.table(plan).value(plan.report[0], row)

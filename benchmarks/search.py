"""Every strategy on NAS-Bench-201, random search and Optuna's TPE beside them; the tables of docs/performance.md.

    NAS_DATA_DIR=folder-of-nasbench201.npz python -m benchmarks.search [--seeds 100] [--only genetic,tpe] [--write]

With --only and --write the rows of those strategies are put in the place of the ones that stand there.
Seeds 1 to n, unique evaluations, the default settings of every strategy, the same for both datasets; selected by
validation accuracy after 12 epochs, reported is the test accuracy after 12 epochs.
"""

import argparse
import json
import os
import platform
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import fmean, median

from benchmarks.many_objectives import hypervolume_shares
from benchmarks.rungs import saved_epochs
from benchmarks.warm_start import spared_evaluations
from nas import codec
from nas.commandline import DEFAULTS
from nas.plan import Plan, search_space, strategy, table, terms
from nas.race.contest import BASELINE, Lane, Race
from nas.race.running import run
from nas.race.standings import Standing, median_to, standings
from nas.rehearsal import on_table
from nas.strategies.catalogue import STRATEGIES
from nas.strategies.protocol import Scored

TABLE = "nasbench201"
DATASETS = {"CIFAR-10": "cifar10", "CIFAR-100": "cifar100"}
MARKS = (50, 100, 150)
RANDOM_MARK = 500
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- search: begin -->", "<!-- search: end -->"
FULL = tuple(name for name in STRATEGIES if name not in ("hyperband", "asha", "nsga2", BASELINE))


def main() -> None:
    """Measure, print, and write into the page where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--only", default="", help="strategies, separated by commas")
    parser.add_argument("--processes", type=int, default=0, help="as many as there are cores unless told otherwise")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    options = parser.parse_args()
    names = tuple(name for name in options.only.split(",") if name) or (*FULL, "tpe")
    lines = [*_races(names, options.seeds, options.processes)]
    if not options.only:
        lines += [
            *_engine(),
            *_own_time(),
            "",
            *hypervolume_shares(20),
            *saved_epochs(options.seeds),
            *spared_evaluations(30),
        ]
    text = "\n".join(lines)
    print(text)
    if options.write:
        _exchange(lines) if options.only else _write(text)


def plan(dataset: str, budget: int, name: str = BASELINE) -> Plan:
    """Return the rehearsal on one dataset of the table."""
    columns = [f"{dataset}.{split}_accuracy.12ep" for split in ("valid", "test")]
    return on_table(replace(DEFAULTS, budget=budget, strategy=name), TABLE, objectives=columns[:1], report=columns[1:])


def _races(names: Sequence[str], seeds: int, processes: int) -> Iterator[str]:
    for title, dataset in DATASETS.items():
        ours = [name for name in names if name != "tpe"]
        lanes = [*run(Race(plan(dataset, max(MARKS)), tuple(ours), tuple(range(1, seeds + 1))), processes=processes)]
        lanes = [lane for lane in lanes if lane.strategy != BASELINE]
        lanes += [*run(Race(plan(dataset, RANDOM_MARK), (), tuple(range(1, seeds + 1))), processes=processes)]
        if "tpe" in names:
            # Optuna is for this alone; the other strategies are measured without it too.
            from benchmarks.tpe import tpe_lanes

            lanes += tpe_lanes(plan(dataset, max(MARKS)), seeds)
        yield from _table(title, dataset, lanes)


def _table(title: str, dataset: str, lanes: Sequence[Lane]) -> Iterator[str]:
    asked = plan(dataset, RANDOM_MARK)
    objective, rows = asked.objectives[0], table(asked)
    optimum = float(rows.values[objective.metric].max())
    random = [lane for lane in lanes if lane.strategy == BASELINE]
    bar = fmean(lane.report[-1] for lane in random)
    found = standings(lanes, objective, MARKS)
    about = f"validation / test, mean ± standard error, {len(random)} seeds; random's test at 500 is {bar:.2f}."
    yield f"**{title}**, {about}"
    yield ""
    yield "| strategy | 50 | 100 | 150 | first mean over random's 500 | median to the optimum | ms per evaluation |"
    yield "|---|---|---|---|---|---|---|"
    for name in dict.fromkeys(one.strategy for one in found):
        own = [lane for lane in lanes if lane.strategy == name]
        cells = [_cell(next(one for one in found if (one.strategy, one.evaluations) == (name, mark))) for mark in MARKS]
        reached = next((at for at, column in _columns(own) if fmean(column) >= bar), None)
        to = median_to(own, optimum, objective)
        spent = 1000 * fmean(lane.seconds / len(lane.best) for lane in own)
        yield f"| {name} | {' | '.join(cells)} | {reached or '-'} | {'-' if to is None else f'{to:g}'} | {spent:.1f} |"
    yield ""


def _columns(lanes: Sequence[Lane]) -> Iterator[tuple[int, tuple[float, ...]]]:
    yield from enumerate(zip(*(lane.report for lane in lanes), strict=True), start=1)


def _cell(one: Standing) -> str:
    return f"{one.best.mean:.2f} ± {one.best.error:.2f} / {one.report.mean:.2f} ± {one.report.error:.2f}"


def _engine() -> Iterator[str]:
    """Time 10,000 evaluations of the genetic algorithm, on nothing but the table."""
    asked = replace(plan("cifar10", 10_000, "genetic"), strategy_settings={"population": 100, "generations": 10_000})
    rounds = []
    for _ in range(3):
        started = time.perf_counter()
        count = sum(1 for _ in _loop(asked))
        rounds.append(time.perf_counter() - started)
    yield f"Engine alone: {count:,} table evaluations with `genetic` in {median(rounds):.1f} s (median of 3)."
    yield ""


def _own_time(evaluations: int = 1000, timed: int = 20) -> Iterator[str]:
    """Time every strategy around its 1,000th evaluation as a run pays for it."""
    how = f"state from JSON, tell, ask, state to JSON (median of {timed})"
    yield f"Own time per proposal at {evaluations:,} evaluations, {how}:"
    yield ""
    for name in STRATEGIES:
        asked = plan("cifar10", evaluations + timed, name)
        times = [seconds for _, seconds in _loop(asked, through_json=evaluations)][-timed:]
        yield f"- `{name}` {1000 * median(times):.1f} ms"
    yield ""


def _loop(asked: Plan, through_json: int | None = None) -> Iterator[tuple[int, float]]:
    """Yield the number of each evaluation and the time that the strategy took for it.

    After `through_json` evaluations the state is text between two steps, as it is in a run's row.
    """
    space, stepped, rows = search_space(asked), strategy(asked), table(asked)
    column = asked.objectives[0].metric
    state, number = stepped.begin(asked.seed, terms(asked)), 0
    while number < asked.budget:
        started = time.perf_counter()
        state, proposals = stepped.ask(space, state, 1)
        if through_json is not None and number >= through_json:
            state = codec.load(stepped.state, json.loads(json.dumps(codec.dump(state))))
        spent = time.perf_counter() - started
        if not proposals:
            return
        for proposal in proposals:
            number += 1
            row = rows.row(proposal.architecture.choices)
            assert row is not None
            scores = (-rows.value(rows.at(column, proposal.fidelity), row),)
            outcome = Scored(proposal.number, proposal.architecture, proposal.fidelity, scores)
            started = time.perf_counter()
            state = stepped.tell(space, state, outcome)
            yield number, spent + time.perf_counter() - started


def _exchange(lines: Sequence[str]) -> None:
    """Put the rows of some strategies into the tables that stand in the page."""
    page, new, table = PAGE.read_text(encoding="utf-8"), dict[tuple[str, str], str](), ""
    for line in lines:
        table = line.split(",")[0] if line.startswith("**") else table
        if line.startswith("| "):
            new[table, line.split("|")[1]] = line
    kept = []
    for line in page.split("\n"):
        table = line.split(",")[0] if line.startswith("**") else table
        kept.append(new.get((table, line.split("|")[1]), line) if line.startswith("| ") else line)
    PAGE.write_text("\n".join(kept), encoding="utf-8")


def _write(text: str) -> None:
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    about = f"{date.today()}, {machine}; `make bench-search`."
    page = PAGE.read_text(encoding="utf-8")
    block = f"{BEGIN}\n{about}\n\n{text}\n{END}"
    PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: block, page, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()

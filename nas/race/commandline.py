"""`python -m nas race`: what its options mean, and what it prints."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from nas import codec
from nas.commandline import plan_of
from nas.race.contest import Lane, Race
from nas.race.page import page
from nas.race.running import run
from nas.race.standings import Standing, default_marks, standings
from nas.sentences import Refused


def race_of(options: argparse.Namespace) -> Race:
    """Return the race that parsed options ask for; raises Refused with a sentence."""
    names = tuple(name.strip() for name in options.strategies.split(",") if name.strip())
    if not names:
        raise Refused("--strategies names no strategy.")
    if not 1 <= options.seeds <= 10_000:
        raise Refused("seeds is {value}; it must be between {low} and {high}.", value=options.seeds, low=1, high=10_000)
    plan = plan_of(vars(options))
    if plan.strategy_settings and len(names) > 1:
        raise Refused(
            "--set {name} is for one strategy, but {count} race; leave it out or race one against random.",
            name=next(iter(plan.strategy_settings)),
            count=len(names),
        )
    seeds = tuple(range(options.seed, options.seed + options.seeds))
    return Race(replace(plan, strategy=names[0]), names, seeds)


def show(race: Race, options: argparse.Namespace, data_dirs: Sequence[Path]) -> int:
    """Run it under a bar, print the standings and write the report."""
    marks = _marks(options.marks, race.plan.budget)
    race.check()  # here too, so that no bar is drawn above the sentence that refuses it
    lanes: list[Lane] = []
    bar = tqdm(run(race, data_dirs, options.processes), total=len(race.starts), desc="lanes", unit="", file=sys.stderr)
    for lane in bar:
        lanes.append(lane)
    lanes.sort(key=lambda one: (race.entrants.index(one.strategy), one.seed))
    found = standings(lanes, race.plan.objectives[0], marks)
    for one in found:
        print(json.dumps(codec.dump(one)) if options.json else _line(one))
    options.html.write_text(page(race, lanes, found), encoding="utf-8")
    print(f"The report is in {options.html}.", file=sys.stderr)
    return 0


def _marks(text: str, budget: int) -> tuple[int, ...]:
    if not text:
        return default_marks(budget)
    try:
        marks = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError as error:
        raise Refused("--marks cannot be {text}; it must be whole numbers with commas.", text=text) from error
    if not 1 <= marks[0] <= marks[-1] <= budget:
        raise Refused("--marks {text} must lie between 1 and the budget of {budget}.", text=text, budget=budget)
    return marks


def _line(one: Standing) -> str:
    best, report = one.best, one.report
    compared = f"  {one.gain:+7.2f} %  p {one.p_value:.1e}" if one.gain is not None and one.p_value is not None else ""
    return (
        f"{one.evaluations:6d}  {one.strategy:18s} {best.mean:10.3f} ± {best.error:.3f}"
        f"  [{best.low:.2f} {best.middle:.2f} {best.high:.2f}]  report {report.mean:.3f} ± {report.error:.3f}{compared}"
    )

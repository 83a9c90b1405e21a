"""`python -m nas`: search without a database, and list what there is."""

import os

# NumPy's linear algebra reads it once, when it is imported. Threads on matrices as small as a strategy's only get into
# each other's way; torch has others.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nas import codec
from nas.checks import check
from nas.commandline import add_search_options, plan_of
from nas.datasets.known import DATASETS
from nas.evaluation.catalogue import ABOUT as EVALUATOR_TEXTS
from nas.evaluation.catalogue import SETTINGS as EVALUATOR_SETTINGS
from nas.events import EpochEnded
from nas.gradient import ABOUT as GRADIENT_TEXTS
from nas.gradient import GRADIENT
from nas.progress import Follower
from nas.search import Search
from nas.sentences import Refused
from nas.settings import settings_of
from nas.spaces.catalogue import ABOUT as SPACE_TEXTS
from nas.spaces.catalogue import SEARCHABLE, SPACES
from nas.strategies.catalogue import ABOUT as STRATEGY_TEXTS
from nas.strategies.catalogue import STRATEGIES
from nas.tables.places import tables


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 where it did what was asked, 2 where it was refused."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except Refused as error:
        print(f"nas: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("nas: stopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nas", description=__doc__)
    commands = parser.add_subparsers(required=True)
    search = commands.add_parser("search", help="search, then train the winner and the baseline fully")
    add_search_options(search)
    search.add_argument("--json", action="store_true", help="print one JSON object per evaluation and a last one")
    search.add_argument("--keep", type=Path, help="folder for the winner's files")
    search.set_defaults(command=_search)
    race = commands.add_parser("race", help="run strategies side by side with many seeds, random among them")
    add_search_options(race)
    race.add_argument("--strategies", required=True, help="names, separated by commas")
    race.add_argument("--seeds", type=int, default=20, help="seeds per strategy, counted from --seed")
    race.add_argument("--marks", default="", help="evaluations to compare at, separated by commas; default: quarters")
    race.add_argument("--html", type=Path, default=Path("race.html"), help="where the report is written")
    race.add_argument("--processes", type=int, default=0, help="default: one per core")
    race.add_argument("--json", action="store_true", help="print one JSON object per standing")
    race.set_defaults(command=_race)
    listing = commands.add_parser("list", help="print datasets, spaces, strategies and evaluators with their settings")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command=_list)
    return parser


def _search(options: argparse.Namespace) -> int:
    plan = plan_of(vars(options))
    # Here too, so that no bars are drawn above the sentence that refuses it.
    check(plan)
    search = Search(plan, _data_dirs(), options.keep)
    follower = Follower(plan, as_json=options.json)
    last: dict[str, Any] | None = None
    try:
        for item in search.run():
            if isinstance(item, EpochEnded):
                follower.epoch(item.epoch, item.epochs, item.valid_accuracy)
            else:
                follower.line(item)
                last = item if "best" in item else None
    finally:
        follower.close(last)
    return 0


def _race(options: argparse.Namespace) -> int:
    # SciPy and Plotly take a while to load, which a search should not pay.
    from nas.race.commandline import race_of, show

    return show(race_of(options), options, _data_dirs())


def _data_dirs() -> tuple[Path, ...]:
    return tuple(Path(place) for place in os.environ.get("NAS_DATA_DIR", "").split(os.pathsep) if place)


def _list(options: argparse.Namespace) -> int:
    catalogue = {
        "datasets": {name: {"title": known.title, "about": known.about} for name, known in DATASETS.items()},
        "spaces": _described(SPACES, SPACE_TEXTS, [*SEARCHABLE, "table"]),
        "strategies": _described(STRATEGIES, STRATEGY_TEXTS, STRATEGIES),
        "gradient": _described(GRADIENT, GRADIENT_TEXTS, GRADIENT),
        "evaluators": _described(EVALUATOR_SETTINGS, EVALUATOR_TEXTS, EVALUATOR_SETTINGS),
        "tables": {table.name: {"title": table.title, "about": f"{len(table)} networks"} for table in tables()},
    }
    if options.json:
        print(json.dumps(catalogue))
        return 0
    for title, entries in catalogue.items():
        print(f"\n{title}")
        for name, entry in entries.items():
            print(f"  {name}: {entry['about']}")
            for key, item in entry.get("settings", {}).items():
                print(f"      {key} = {_shown(item)}: {item['help']}")
    return 0


def _described(kinds: Mapping[str, type], texts: Mapping[str, str], names: Iterable[str]) -> dict[str, dict[str, Any]]:
    return {name: {"about": texts[name], "settings": _settings(kinds[name])} for name in names}


def _shown(item: Mapping[str, Any]) -> str:
    """Return the default of a setting and its bounds or options, as a person would type them."""
    default = ",".join(map(str, item["default"])) if item["many"] else item["default"]
    if item["options"]:
        return f"{default} ({', '.join(map(str, item['options']))})"
    bounds = [item["low"], item["high"]]
    return f"{default} ({bounds[0]:g} to {bounds[1]:g})" if None not in bounds else f"{default}"


def _settings(kind: type) -> dict[str, Any]:
    found = {}
    for item in settings_of(kind):
        about = codec.dump(item)
        about["kind"] = item.kind.__name__
        found[about.pop("name")] = about
    return found


if __name__ == "__main__":
    sys.exit(main())

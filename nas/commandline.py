"""The options of `search`, the same with and without the database, and the plan they make."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nas.datasets import DATASETS, dataset
from nas.evaluation.protocol import Split, Training
from nas.objectives import Limit, known, objective
from nas.plan import Plan, default_limits
from nas.sentences import Refused
from nas.settings import configure
from nas.spaces.catalogue import SEARCHABLE, SpaceSpec
from nas.strategies.catalogue import STRATEGIES

DEFAULTS = Plan(Split("digits"), SpaceSpec("chain", {}), "genetic")
COUNTS = ("budget", "epochs", "final_epochs", "final_seeds", "candidate_seconds", "seed")


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """Add every option that shapes a search."""
    parser.add_argument("--dataset", default="digits", help=f"one of {', '.join(DATASETS)}")
    parser.add_argument("--space", default="chain", help=f"one of {', '.join(SEARCHABLE)}")
    parser.add_argument("--strategy", default="genetic", help=f"one of {', '.join(STRATEGIES)}")
    for name in COUNTS:
        default = getattr(DEFAULTS, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"default {default}")
    parser.add_argument("--split-seed", type=int, default=0, help="which images validate")
    parser.add_argument("--objective", action="append", default=[], help="accuracy, min:loss, ...; may be repeated")
    parser.add_argument(
        "--limit", action="append", default=[], metavar="METRIC=BOUND", help="instead of: no larger than the baseline"
    )
    parser.add_argument("--no-limits", action="store_true", help="let networks be larger than the baseline")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of the strategy, or space.KEY or training.KEY; may be repeated",
    )


@dataclass
class _Settings:
    """What `--set` said, by what it is about."""

    strategy: dict[str, Any] = field(default_factory=dict)
    space: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


def plan_of(options: Mapping[str, Any]) -> Plan:
    """Return the plan that parsed options ask for; raises Refused with a sentence."""
    settings = _settings(options["set"])
    task = dataset(options["dataset"]).task
    limits: Sequence[Limit] = () if options["no_limits"] else default_limits(task)
    if options["limit"]:
        limits = [_limit(text) for text in options["limit"]]
    objectives = tuple(objective(text) for text in options["objective"])
    return replace(
        DEFAULTS,
        split=Split(options["dataset"], options["split_seed"]),
        space=SpaceSpec(options["space"], settings.space),
        strategy=options["strategy"],
        strategy_settings=settings.strategy,
        objectives=objectives or DEFAULTS.objectives,
        limits=tuple(limits),
        training=configure(Training, settings.training),
        **{name: options[name] for name in COUNTS},
    )


def _settings(pairs: Sequence[str]) -> _Settings:
    found = _Settings()
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise Refused("--set {pair} is not of the form KEY=VALUE.", pair=pair)
        about, dot, name = key.rpartition(".")
        if dot and about not in ("space", "training"):
            raise Refused(
                "--set {key}: there are settings of space and training, not of {about}.", key=key, about=about
            )
        getattr(found, about or "strategy")[name] = value
    return found


def _limit(text: str) -> Limit:
    metric, _, bound = text.partition("=")
    known(metric)
    try:
        return Limit(metric, float(bound))
    except ValueError as error:
        raise Refused(
            "The limit of {metric} cannot be {bound}; it must be a number.", metric=metric, bound=bound
        ) from error

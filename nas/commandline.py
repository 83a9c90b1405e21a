"""The options of `search`, the same with and without the database, and the plan they make."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nas import codec
from nas.datasets.known import DATASETS
from nas.earlier import warm_from
from nas.evaluation.protocol import Fidelity, Measuring, Rehearsal, Scoring, Split, Supernet, Training
from nas.gradient import GRADIENT
from nas.measuring import FIRST, first
from nas.objectives import Limit, limit, objective
from nas.plan import Plan, default_limits, metrics, usual_training
from nas.policy import Policy
from nas.reference import HAND_MADE, NETWORKS, reference
from nas.rehearsal import on_table
from nas.sentences import Refused
from nas.settings import configure
from nas.spaces.catalogue import SEARCHABLE, SpaceSpec
from nas.spaces.rule import rule
from nas.spaces.table import Tabulated
from nas.strategies.catalogue import STRATEGIES

DEFAULTS = Plan(Split("digits"), SpaceSpec("chain", {}), "genetic")
OWNERS = ("strategy", "space", "training", "rehearsal", "scoring", "supernet", "fidelity", "measuring", "policy")
COUNTS = ("budget", "epochs", "final_epochs", "final_seeds", "final_top", "candidate_seconds", "seed")


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """Add every option that shapes a search."""
    parser.add_argument("--dataset", default="digits", help=f"one of {', '.join(DATASETS)}")
    parser.add_argument("--space", default="chain", help=f"one of {', '.join(SEARCHABLE)}, or table for a rehearsal")
    parser.add_argument("--table", help="name or file of the table that answers instead of training")
    parser.add_argument(
        "--report", action="append", default=[], metavar="COLUMN", help="column of the table read once, of the best"
    )
    parser.add_argument(
        "--evaluator",
        default=DEFAULTS.evaluator,
        choices=(*FIRST, "table"),
        help="supernet: all share one set of weights, trained once; score: zero-cost proxies rank; either way only the "
        "best is trained; table: as --table, with the usual one",
    )
    parser.add_argument("--strategy", default="genetic", help=f"one of {', '.join([*STRATEGIES, *GRADIENT])}")
    for name in COUNTS:
        default = getattr(DEFAULTS, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"default {default}")
    _add_baseline(parser)
    parser.add_argument("--split-seed", type=int, default=0, help="which images validate")
    parser.add_argument(
        "--objective",
        "--metric",
        dest="objective",
        action="append",
        default=[],
        help="accuracy, min:loss, a column of the table, a proxy such as synflow, ...; may be repeated",
    )
    parser.add_argument(
        "--limit", action="append", default=[], metavar="METRIC=BOUND", help="instead of: no larger than the baseline"
    )
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        help='a rule on the space: "forbid: layer * operation = dense", "tie: layer * filters", "powers of two: *"',
    )
    parser.add_argument("--no-limits", action="store_true", help="let networks be larger than the baseline")
    parser.add_argument(
        "--warm-start",
        action="append",
        default=[],
        metavar="FILE",
        help="begin with the best of an earlier search of this space, whose `--json` lines are in the file; may be "
        "repeated",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of the strategy, or KEY of space, training, supernet, fidelity, measuring, policy, "
        "rehearsal or scoring as space.KEY; may be repeated",
    )


def _training(kind: str, asked: Mapping[str, Any]) -> Training:
    # A rate that suits the usual optimiser of the space says nothing of another one.
    usual = Training() if "optimizer" in asked else usual_training(SpaceSpec(kind, {}))
    return configure(Training, {**codec.dump(usual), **asked})


def _add_baseline(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--baseline",
        default=HAND_MADE,
        metavar="NAME|CHOICES|FILE",
        help=f"hand_made, {', '.join(NETWORKS)}, or an own one: choices of the space as 1,0,2 or an architecture.json",
    )
    parser.add_argument(
        "--baseline-budget", default="epochs", choices=("epochs", "time"), help="it trains as many epochs, or as long"
    )


@dataclass
class _Settings:
    """What `--set` said, by what it is about."""

    strategy: dict[str, Any] = field(default_factory=dict)
    space: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    rehearsal: dict[str, Any] = field(default_factory=dict)
    scoring: dict[str, Any] = field(default_factory=dict)
    supernet: dict[str, Any] = field(default_factory=dict)
    measuring: dict[str, Any] = field(default_factory=dict)
    fidelity: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)


def plan_of(options: Mapping[str, Any]) -> Plan:
    """Return the plan that parsed options ask for; raises Refused with a sentence."""
    plan, files = _plan(options), options["warm_start"]
    return replace(plan, warm=warm_from(files, plan)) if files else plan


def _plan(options: Mapping[str, Any]) -> Plan:
    settings = _settings(options["set"])
    plan = replace(
        DEFAULTS,
        split=Split(options["dataset"], options["split_seed"]),
        space=SpaceSpec(options["space"], settings.space, rules=tuple(rule(text) for text in options["rule"])),
        strategy=options["strategy"],
        strategy_settings=settings.strategy,
        training=_training(options["space"], settings.training),
        rehearsal=configure(Rehearsal, settings.rehearsal),
        scoring=configure(Scoring, settings.scoring),
        fidelity=configure(Fidelity, settings.fidelity),
        supernet=configure(Supernet, settings.supernet),
        measuring=configure(Measuring, settings.measuring),
        evaluator=options["evaluator"],
        policy=configure(Policy, settings.policy),
        **{name: options[name] for name in COUNTS},
    )
    plan = replace(plan, baseline=reference(options["baseline"], plan.space, options["baseline_budget"]))
    if options["table"] or Tabulated.name in (options["space"], options["evaluator"]):
        if plan.evaluator not in (DEFAULTS.evaluator, "table"):
            raise Refused(
                "--evaluator {evaluator} builds networks; a table has none to build.", evaluator=plan.evaluator
            )
        name = options["table"] or settings.space.get("table", Tabulated.table)
        return on_table(plan, name, objectives=options["objective"], report=options["report"], limits=options["limit"])
    if options["report"]:
        column = options["report"][0]
        raise Refused("--report {column} needs a table to read it from; name one with --table.", column=column)
    asked = options["objective"]
    objectives = tuple(objective(text, metrics(plan)) for text in asked) if asked else (first(plan),)
    return replace(plan, objectives=objectives, limits=_limits(options, plan))


def _limits(options: Mapping[str, Any], plan: Plan) -> tuple[Limit, ...]:
    if options["limit"]:
        return tuple(limit(text, metrics(plan)) for text in options["limit"])
    return () if options["no_limits"] or plan.is_gradient else default_limits(plan.task, plan.space)


def _settings(pairs: Sequence[str]) -> _Settings:
    found = _Settings()
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise Refused("--set {pair} is not of the form KEY=VALUE.", pair=pair)
        about, dot, name = key.rpartition(".")
        if dot and about not in OWNERS:
            raise Refused(
                "--set {key}: there are settings of {owners}, not of {about}.",
                key=key,
                about=about,
                owners=", ".join(OWNERS),
            )
        getattr(found, about or "strategy")[name] = value
    return found

"""A search by gradient from the command line: what it prints, what it refuses, that it is documented."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nas import codec
from nas.__main__ import main
from nas.checks import check
from nas.evaluation.protocol import Job, Split
from nas.gradient import ABOUT, GRADIENT
from nas.jobs import gradient_job
from nas.objectives import Limit, Objective
from nas.plan import Plan, explicit
from nas.policy import Policy
from nas.priors import WarmStart
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.nasbench201 import OPERATIONS
from nas.spaces.rule import rule
from nas.strategies.catalogue import STRATEGIES

DOCS = Path(__file__).resolve().parents[2] / "docs" / "gradient.md"
SMALL = ["--space", "nasbench201", "--set", "space.cells=1", "--set", "space.channels=4"]
PLAN = Plan(Split("digits"), SpaceSpec("nasbench201", {"cells": 1, "channels": 4}), "darts")


def test_a_search_prints_an_epoch_a_line_and_trains_the_last_architecture(capsys):
    asked = ["--strategy", "gdas", "--budget", "3", "--final-epochs", "1", "--final-seeds", "1"]
    assert main(["search", "--json", *SMALL, *asked, "--set", "batch_size=128"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    epochs, last = [line for line in lines if line.get("stage") == "search"], lines[-1]
    assert [line["number"] for line in epochs] == [1, 2, 3]
    for line in epochs:
        assert line["status"] == "measured"
        assert line["scores"] == [-line["metrics"]["accuracy"]]
        assert set(line["alpha"]) == {f"edge {s}-{t}" for t in (1, 2, 3) for s in range(t)}
        assert set(line["alpha"]["edge 0-1"]) == set(OPERATIONS)
        named = {"train_loss", "alpha_loss", "valid_loss", "entropy", "skip_share", "none_share", "collapse"}
        assert set(line["trace"]) == named | {"temperature"}
        assert line["trace"]["valid_loss"] == line["metrics"]["loss"]
    assert [line["trace"]["temperature"] for line in epochs] == pytest.approx([10, 5.05, 0.1])
    finals = [line for line in lines if line.get("stage") == "final"]
    assert [line["number"] for line in finals] == [3, 0]
    assert last["best"]["choices"] == epochs[-1]["choices"] == finals[0]["choices"]
    assert last["evaluations"] == 3
    assert last["test"]["accuracy"] == finals[0]["metrics"]["accuracy"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"space": SpaceSpec("resnet", {})},
            "darts cannot search the space resnet; it can search nasbench201, nasnet, chain.",
        ),
        ({"space": SpaceSpec("no_such", {})}, "There is no search space no_such"),
        ({"space": SpaceSpec("nasnet", {"concat": "unused"})}, "concat cannot be unused"),
        ({"evaluator": "table"}, "darts trains a supernet; its evaluator cannot be table."),
        ({"evaluator": "score"}, "darts trains a supernet; its evaluator cannot be score."),
        ({"objectives": (Objective("parameters", "min"),)}, "its objective is accuracy or loss, not parameters."),
        (
            {"objectives": (Objective("accuracy", "max"), Objective("loss", "min"))},
            "its objective is accuracy or loss, not accuracy, loss.",
        ),
        ({"limits": (Limit("parameters", 1e9),)}, "it knows no limits."),
        ({"policy": Policy(proxy="parameters")}, "it knows no proxy."),
        ({"policy": Policy(replicates=2)}, "it knows no replicates."),
        ({"policy": Policy(stopping="median")}, "it knows no early stopping."),
        ({"warm": WarmStart(starts=((0,) * 6,))}, "it knows no warm start."),
        ({"strategy_settings": {"order": "third"}}, "order cannot be third"),
        ({"strategy_settings": {"population": 3}}, "There is no setting population"),
        (
            {"strategy": "pc_darts", "strategy_settings": {"parts": 3}},
            "There are 4 channels, which cannot be split into 3",
        ),
        ({"budget": 0}, "budget is 0"),
    ],
)
def test_what_a_gradient_cannot_do_is_refused_before_the_start(changes, sentence):
    with pytest.raises(Refused) as refusal:
        check(replace(PLAN, **changes))
    assert sentence in str(refusal.value)


def test_rules_are_refused_as_alpha_knows_the_whole_space():
    ruled = replace(PLAN.space, rules=(rule("forbid: edge 0-1 = none"),))
    with pytest.raises(Refused, match="it knows no rules"):
        check(replace(PLAN, space=ruled))


def test_a_race_refuses_what_makes_no_proposals(capsys):
    assert main(["race", *SMALL, "--strategies", "gdas", "--no-limits", "--seeds", "1"]) == 2
    assert "gdas searches by gradient; it makes no proposals" in capsys.readouterr().err


def test_the_command_line_says_why(capsys):
    assert main(["search", "--strategy", "gdas", "--space", "resnet"]) == 2
    assert "gdas cannot search the space resnet" in capsys.readouterr().err


def test_a_search_by_gradient_has_no_limits_unless_asked_for(capsys):
    assert main(["search", *SMALL, "--strategy", "snas", "--limit", "parameters=9"]) == 2
    assert "it knows no limits." in capsys.readouterr().err


@pytest.mark.parametrize("name", GRADIENT)
def test_every_plan_is_stored_with_its_settings_and_its_job_can_be_sent(name):
    plan = explicit(replace(PLAN, strategy=name))
    check(plan)
    assert plan.strategy_settings["batch_size"] == GRADIENT[name]().batch_size
    job = gradient_job(plan, workdir="here")
    arrived = codec.load(Job, json.loads(json.dumps(codec.dump(job))))
    assert codec.dump(arrived) == codec.dump(job)
    assert (arrived.strategy, arrived.evaluator, arrived.epochs) == (name, "relaxed", plan.budget)


def test_list_names_them_with_their_settings_apart_from_the_others(capsys):
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert set(listed["gradient"]) == set(GRADIENT) == set(ABOUT)
    assert listed["gradient"]["darts"]["settings"]["order"]["options"] == ["first", "second"]
    assert not set(GRADIENT) & set(STRATEGIES), "what steps over strategies knows nothing of these"


def test_every_method_has_a_paragraph():
    text = DOCS.read_text()
    assert not [name for name in GRADIENT if f"## `{name}`" not in text]

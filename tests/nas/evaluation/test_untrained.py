"""The evaluator that scores networks by zero-cost proxies, as a job and as a whole search on the command line."""

import json
from statistics import fmean

import pytest
import torch

from nas.__main__ import main
from nas.checks import check
from nas.evaluation.catalogue import evaluator
from nas.evaluation.proxies.catalogue import PROXIES
from nas.events import Ended, Measured, Prepared
from nas.objectives import Objective, objective
from nas.plan import Plan
from nas.policy import Policy
from nas.proxies import METRICS
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec
from nas.strategies.catalogue import STRATEGIES
from tests.nas.evaluation.jobs import digits

QUICK = ["search", "--evaluator", "score", "--final-epochs", "1", "--final-seeds", "1", "--json"]
CELL = {"space": SpaceSpec("nasbench201", {"cells": 1, "channels": 4}), "choices": (3, 2, 1, 4, 3, 2)}


def said(workdir, **changes):
    job = digits(workdir, evaluator="score", **changes)
    return list(evaluator(job).evaluate(job))


def test_it_measures_the_proxies_it_is_asked_for_and_the_costs_of_the_graph(tmp_path):
    prepared, measured = said(tmp_path, columns=tuple(PROXIES), **CELL)
    assert isinstance(prepared, Prepared)
    assert isinstance(measured, Measured)
    assert set(measured.metrics) == {*PROXIES, "parameters", "multiply_adds", "depth"}
    assert measured.metrics["naswot"] > 0
    assert not list(tmp_path.iterdir())


def test_the_same_job_scores_the_same_and_another_seed_another_network(tmp_path):
    values = [said(tmp_path, columns=("snip",), seed=seed, **CELL)[-1].metrics["snip"] for seed in (1, 1, 2)]
    assert values[0] == values[1] != values[2]


def test_seeds_are_averaged(tmp_path):
    alone = [said(tmp_path, columns=("synflow",), seed=seed, **CELL)[-1].metrics["synflow"] for seed in (1, 2)]
    both = said(tmp_path, columns=("synflow",), policy=Policy(replicates=2), **CELL)[-1]
    assert both.metrics["synflow"] == pytest.approx(fmean(alone))


def test_a_network_that_a_proxy_refuses_is_invalid(tmp_path):
    last = said(tmp_path, columns=("synflow",), **CELL | {"choices": (0,) * 6})[-1]
    assert isinstance(last, Ended)
    assert last.cause == "invalid"
    assert "Nothing flows" in str(last.sentence)


def test_data_that_changed_are_an_error(tmp_path):
    last = said(tmp_path, columns=("synflow",), fingerprint="another")[-1]
    assert isinstance(last, Ended)
    assert str(last.sentence) == "Digits has changed since the run began."


def test_it_leaves_the_random_state(tmp_path):
    before = torch.get_rng_state()
    said(tmp_path, columns=("zen",), **CELL)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_search_by_a_proxy_trains_its_winner_alone(capsys):
    assert main([*QUICK, "--budget", "12", "--strategy", "genetic", "--set", "scoring.batch_size=16"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    scored = [line for line in lines if line.get("stage") == "search"]
    assert len(scored) == 12
    assert all(line["scores"] == [-line["metrics"]["synflow"]] for line in scored)
    assert all("accuracy" not in line["metrics"] for line in scored)
    best = max(scored, key=lambda line: line["metrics"]["synflow"])
    assert lines[-1]["best"]["choices"] == best["choices"]
    assert lines[-1]["test"]["accuracy"] > 0
    assert lines[-1]["baseline"]["accuracy"] > 0


def test_several_proxies_make_a_front(capsys):
    aims = ["--objective", "zen", "--objective", "multiply_adds", "--limit", "synflow=3"]
    assert main([*QUICK, "--budget", "6", "--strategy", "nsga2", *aims]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    scored = [line for line in lines if line.get("stage") == "search" and line["status"] == "measured"]
    assert all(set(line["metrics"]) >= {"zen", "synflow", "multiply_adds"} for line in scored)
    assert all((line["scores"] is None) == (line["metrics"]["synflow"] < 3) for line in scored)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--evaluator", "score", "--objective", "accuracy"], "There is no metric accuracy; the nearest are "),
        (["--objective", "synflow"], "There is no metric synflow; the nearest are "),
        (["--evaluator", "score", "--space", "table"], "--evaluator score builds networks; a table has none"),
        (["--evaluator", "score", "--set", "scoring.batch_size=1"], "batch_size is 1; it must be between 2 and 4096."),
        (["--evaluator", "score", "--strategy", "asha"], "asha"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(capsys, options, sentence):
    assert main(["search", "--json", *options]) == 2
    heard = capsys.readouterr()
    assert sentence in heard.err
    assert not heard.out


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_but_those_of_rungs_can_go_by_a_proxy(name):
    plan = Plan(digits("").split, SpaceSpec("chain", {}), name, {}, (Objective("synflow", "max"),), evaluator="score")
    if name in ("asha", "hyperband"):
        with pytest.raises(Refused):
            check(plan)
    else:
        check(plan)


@pytest.mark.parametrize("text", ["zen", "max:zen", "zen:max"])
def test_a_proxy_is_an_objective_to_bring_up_unless_told_otherwise(text):
    assert objective(text, METRICS) == Objective("zen", "max")
    assert objective("min:zen", METRICS) == objective("zen:min", METRICS) == Objective("zen", "min")


@pytest.mark.parametrize("text", ["up:zen", "zen:up", "max", "min:max"])
def test_an_objective_that_is_none_is_refused(text):
    with pytest.raises(Refused):
        objective(text, METRICS)

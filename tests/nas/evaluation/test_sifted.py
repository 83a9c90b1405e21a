"""Rejection by a zero-cost proxy before a training: what is rejected costs nothing, what passes is as without it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.__main__ import main
from nas.checks import check, proxies
from nas.evaluation.catalogue import evaluator
from nas.evaluation.protocol import Fidelity, Job, Split
from nas.events import Ended, Event, Measured
from nas.objectives import Objective
from nas.plan import Plan
from nas.policy import Bar, Policy
from nas.search import Search
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec
from tests.nas.evaluation.jobs import SMALL, curve, digits

POLICY = Policy(proxy="synflow", proxy_share=0.5, proxy_trust=0.0)
PLAN = Plan(Split("digits"), SpaceSpec("chain", SMALL), "random", budget=20, epochs=1, policy=POLICY, seed=3)


def said(job: Job) -> list[Event]:
    return list(evaluator(job).evaluate(job))


@pytest.mark.parametrize(("bar", "sentence"), [(Bar(1e9, True), "from 1e+09 on"), (Bar(-1e9, False), "up to -1e+09")])
def test_what_does_not_reach_the_bar_ends_before_it_is_trained(tmp_path: Path, bar: Bar, sentence: str) -> None:
    (last,) = said(digits(tmp_path, policy=POLICY, bar=bar))
    assert isinstance(last, Ended)
    assert last.cause == "rejected"
    assert f"its synflow is {last.metrics['synflow']:.4g}, and {sentence} a training is worth it" in str(last.sentence)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("bar", [None, Bar(-1e9, True)])
def test_what_passes_is_measured_as_without_the_bar(tmp_path: Path, bar: Bar | None) -> None:
    found = said(digits(tmp_path / "a", policy=POLICY, bar=bar))
    plain = said(digits(tmp_path / "b"))
    assert curve(found) == curve(plain)
    assert isinstance(found[-1], Measured)
    assert isinstance(plain[-1], Measured)
    assert set(found[-1].metrics) == {*plain[-1].metrics, "synflow"}


def test_the_proxy_is_that_of_the_whole_network_on_every_rung(tmp_path: Path) -> None:
    whole, less = Fidelity(rungs="share"), Fidelity(share=0.2, side=0.5, width=0.5, rungs="share")
    jobs = [
        digits(tmp_path, policy=replace(POLICY, proxy="snip"), bar=Bar(1e9, True), fidelity=one)
        for one in (whole, less)
    ]
    assert len({last.metrics["snip"] for job in jobs for last in said(job) if isinstance(last, Ended)}) == 1


def test_a_network_that_the_proxy_cannot_rank_is_trained(tmp_path: Path) -> None:
    # A chain of tanh alone has no ReLU for naswot to read.
    about = {"space": SpaceSpec("chain", {**SMALL, "activations": ("tanh",)}), "choices": (0, 1) + (0,) * 18}
    last = said(digits(tmp_path, policy=Policy(proxy="naswot"), bar=Bar(1e9, True), **about))[-1]
    assert isinstance(last, Measured)
    assert "naswot" not in last.metrics


def test_data_that_changed_are_told_as_ever(tmp_path: Path) -> None:
    last = said(digits(tmp_path, policy=POLICY, bar=Bar(1e9, True), fingerprint="another"))[-1]
    assert isinstance(last, Ended)
    assert last.cause == "data"


def test_a_search_spends_its_budget_on_what_was_not_rejected() -> None:
    lines = [line for line in Search(PLAN).candidates() if line["stage"] == "search"]
    rejected = [line for line in lines if line["status"] == "failed" and line["cause"] == "rejected"]
    measured = [line for line in lines if line["status"] == "measured"]
    assert len(measured) == PLAN.budget == len(lines) - len(rejected)
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    # Nobody is judged before ten were measured.
    assert all(line["status"] == "measured" for line in lines[:10])
    assert rejected
    assert all("It was not trained: its synflow is" in line["sentence"] for line in rejected)
    assert all("synflow" in line["metrics"] for line in measured)


def test_the_command_line_takes_a_zero_cost_proxy(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--strategy", "random", "--set", "policy.proxy=jacob_cov", "--budget", "2", "--epochs", "1"]
    small = [f"--set=space.{name}={value}" for name, value in SMALL.items()]
    assert main(["search", "--json", "--final-epochs", "1", "--final-seeds", "1", *asked, *small]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all("jacob_cov" in line["metrics"] for line in lines if line.get("stage") == "search")


@pytest.mark.parametrize(
    "changes",
    [
        {"evaluator": "score", "objectives": (Objective("naswot", "max"),)},
        {"policy": Policy(proxy="nonsense")},
    ],
    ids=str,
)
def test_a_proxy_that_cannot_reject_is_refused(changes: dict[str, Any]) -> None:
    check(PLAN)
    check(replace(PLAN, evaluator="supernet"))
    plan = replace(PLAN, **changes)
    with pytest.raises(Refused, match=f"There is no proxy {plan.policy.proxy}; there are"):
        check(plan)
    assert plan.policy.proxy not in proxies(plan)

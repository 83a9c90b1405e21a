"""Rungs that are not of epochs: what each trains with, what it begins with, and who is compared with whom."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas import jobs, selection
from nas import plan as planning
from nas.__main__ import main
from nas.architecture import Architecture
from nas.checks import check
from nas.evaluation.fidelity import on_rung, percent, percents
from nas.evaluation.protocol import Fidelity, Job, Split
from nas.evaluation.trained import Trained
from nas.events import EpochEnded, Measured
from nas.objectives import Limit, Objective
from nas.plan import Plan
from nas.policy import Policy
from nas.search import Search
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec
from nas.strategies.asha import Asha
from nas.strategies.hyperband import Hyperband
from nas.strategies.protocol import Scored, Terms
from tests.nas.evaluation.jobs import CHOICES, SMALL, curve, digits, events
from tests.nas.strategies.landscapes import ToySpace, distance, search

PLAN = Plan(
    Split("digits"),
    SpaceSpec("chain", SMALL),
    "asha",
    {"reduction": 4, "rungs": 2, "sampler": "uniform"},
    budget=10,
    epochs=1,
    final_epochs=1,
    final_seeds=1,
    fidelity=Fidelity(rungs="share"),
)
POOLED = (CHOICES[0], 0, *CHOICES[2:])  # over whatever side, where CHOICES has a weight for each pixel
KINDS = st.sampled_from(["share", "side", "width"])


@given(st.builds(Fidelity, st.floats(0.01, 1), st.floats(0.1, 1), st.floats(0.1, 1), KINDS))
def test_rungs_leave_percents_up_to_what_the_plan_itself_leaves(fidelity: Fidelity) -> None:
    offered = percents(fidelity)
    assert on_rung(fidelity, offered[-1]) == on_rung(fidelity, 0) == fidelity
    left = [on_rung(fidelity, rung) for rung in offered]
    assert [percent(one) for one in left] == list(offered)
    values = [getattr(one, fidelity.rungs) for one in left]
    assert all(low < high for low, high in pairwise(values[:-1]))
    whole: dict[str, Any] = {fidelity.rungs: 1.0}
    assert {replace(one, **whole) for one in left} == {replace(fidelity, **whole)}


def test_over_epochs_a_rung_says_how_long_and_over_all_else_with_what() -> None:
    architecture = Architecture("chain", ())
    by_epochs = replace(PLAN, epochs=16, fidelity=Fidelity(share=0.5))
    job = jobs.search_job(by_epochs, architecture, fidelity=4, workdir="")
    assert (job.until, job.fidelity, jobs.epochs_of(by_epochs, 4)) == (4, Fidelity(share=0.5), 4)
    job = jobs.search_job(PLAN, architecture, fidelity=25, workdir="")
    assert (job.until, job.fidelity, jobs.epochs_of(PLAN, 25)) == (0, Fidelity(share=0.25, rungs="share"), 1)


@pytest.mark.parametrize("kind", ["share", "side"])
def test_a_higher_rung_begins_with_the_weights_of_the_one_below(tmp_path: Path, kind: str) -> None:
    low, high = rungs(tmp_path / "climbed", kind)
    first = curve(events(low))
    climbed = curve(events(high))
    fresh = curve(events(replace(high, workdir=str(tmp_path / "fresh"))))
    assert [point[0] for point in climbed] == [1, 2]
    assert climbed[0][1] < fresh[0][1]  # type: ignore[operator]
    again = [curve(events(job)) for job in rungs(tmp_path / "again", kind)]
    assert again == [first, climbed]


def test_a_rung_that_was_cut_off_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole = [curve(events(job)) for job in rungs(tmp_path / "whole")]
    low, high = rungs(tmp_path / "cut")
    events(low)
    until_epoch(high, 1)
    assert curve(events(high)) == whole[1]
    # One that is stopped early hands over its last epoch, however short epochs are.
    low, high = rungs(tmp_path / "stopped")
    until_epoch(low, 2)
    assert curve(events(high)) == whole[1]


@pytest.mark.parametrize(("kind", "choices"), [("width", POOLED), ("side", CHOICES)])
def test_where_the_weights_do_not_fit_a_rung_begins_anew(tmp_path: Path, kind: str, choices: tuple[int, ...]) -> None:
    low, high = (replace(job, choices=choices) for job in rungs(tmp_path / "climbed", kind))
    events(low)
    assert curve(events(high)) == curve(events(replace(high, workdir=str(tmp_path / "fresh"))))


def test_a_rung_tells_its_percents_and_the_final_stage_none(tmp_path: Path) -> None:
    low, _ = rungs(tmp_path / "low")
    measured = events(low)[-1]
    assert isinstance(measured, Measured)
    assert measured.metrics["share"] == 25
    final = events(replace(low, stage="final", fidelity=Fidelity(), workdir=str(tmp_path / "final")))[-1]
    assert isinstance(final, Measured)
    assert "share" not in final.metrics


def test_the_higher_rung_is_ahead_whatever_it_measured() -> None:
    told = {"accuracy": 90.0, "epochs": 1.0, "share": 25.0}, {"accuracy": 80.0, "epochs": 1.0, "share": 100.0}
    assert selection.best(PLAN, enumerate(told)) == 1
    assert selection.best(replace(PLAN, fidelity=Fidelity()), enumerate(told)) == 0


@pytest.mark.parametrize("strategy", [Asha(reduction=4), Hyperband(reduction=4)], ids=repr)
def test_a_strategy_climbs_over_percents_and_says_so(strategy: Asha | Hyperband) -> None:
    terms = Terms(60, 1, range(10, 101), "side")
    strategy.refuse(ToySpace(), terms)
    asked = search(strategy, ToySpace(), seed=1, budget=60, terms=terms)
    assert {one.fidelity for one in asked} == {25, 100} == set(strategy.steps(terms))
    state, (first, *_) = strategy.ask(ToySpace(), strategy.begin(1, terms), 4)
    told = Scored(first.number, first.architecture, first.fidelity, (distance(first.architecture),))
    assert strategy.trace(strategy.tell(ToySpace(), state, told))["rung 25 % side"] == 1


@pytest.mark.parametrize("stopping", ["none", "median"])
def test_a_search_climbs_over_shares_and_compares_like_with_like(stopping: str) -> None:
    policy = Policy(stopping=stopping, grace=1)
    run = Search(replace(PLAN, policy=policy))
    lines = [line for line in run.run() if isinstance(line, dict)]
    shares = {line["number"]: line["metrics"]["share"] for line in lines if line.get("stage") == "search"}
    assert sorted(set(shares.values())) == [25, 100]
    assert shares[lines[-1]["best"]["number"]] == 100
    searched = {fidelity: curves for fidelity, curves in run.curves.items() if fidelity.rungs == "share"}
    counts = {round(100 * fidelity.share): len(curves) for fidelity, curves in searched.items()}
    assert counts == {share: list(shares.values()).count(share) for share in (25, 100)}


def test_the_command_line_takes_what_rungs_are_of(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--strategy", "hyperband", "--set", "fidelity.rungs=side", "--set", "reduction=2", "--set", "rungs=2"]
    small = [f"--set=space.{name}={value}" for name, value in SMALL.items()]
    numbers = ["--budget", "4", "--epochs", "1", "--final-epochs", "1", "--final-seeds", "1"]
    assert main(["search", "--json", "--no-limits", *asked, *small, *numbers]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["metrics"]["side"] for line in lines if line.get("stage") == "search"} == {50, 100}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strategy": "genetic", "strategy_settings": {}}, "rungs is share, but genetic has no rungs; .* asha, hyper"),
        ({"fidelity": Fidelity(share=0.03, rungs="share")}, "asha starts .* 1/4 of 3 % or less, but share is 1 % at l"),
        ({"fidelity": Fidelity(rungs="layers")}, "rungs cannot be layers; it is one of epochs, share, side, width"),
        ({"fidelity": Fidelity(rungs="width"), "space": SpaceSpec("mnasnet", {})}, "spaces have widths to scale"),
        (
            {"fidelity": Fidelity(rungs="side"), "limits": (Limit("latency_ms", 5.0),)},
            "latency_ms is that of the whole network",
        ),
        ({"evaluator": "score", "objectives": (Objective("synflow", "max"),)}, "asha needs trainings of several"),
    ],
    ids=str,
)
def test_rungs_that_cannot_be_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        check(replace(PLAN, **changes))


def test_a_table_has_rungs_of_epochs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--table", "digits_cells", "--strategy", "asha", "--set", "fidelity.rungs=share"]) == 2
    assert "Only where every candidate is trained can rungs be of share." in capsys.readouterr().err


def test_a_plan_offers_percents_to_its_strategy() -> None:
    check(PLAN)
    terms = planning.terms(replace(PLAN, fidelity=Fidelity(share=0.4, rungs="share")))
    assert (terms.rungs, terms.fidelities) == ("share", range(1, 41))


def rungs(folder: Path, kind: str = "share") -> tuple[Job, Job]:
    """The jobs of both rungs of one network, which share a folder."""
    whole = Fidelity(rungs=kind)
    lower = 25 if kind == "share" else 50
    low, high = (digits(folder, choices=POOLED, fidelity=on_rung(whole, rung)) for rung in (lower, 100))
    return low, high


def until_epoch(job: Job, last: int) -> None:
    """Begin a training and let go of it after an epoch."""
    said = Trained().evaluate(job)
    for event in said:
        if isinstance(event, EpochEnded) and event.epoch == last:
            break
    said.close()  # type: ignore[attr-defined]

"""Rungs that are not of epochs, as the wizard asks for them, as a run climbs them and as its pages call them."""

import csv
from dataclasses import replace
from io import StringIO

import pytest
from django.urls import reverse

from nas.checks import check
from nas.evaluation.protocol import Fidelity, Split
from nas.policy import Policy
from nas.sentences import Refused
from searches import drafts, lifecycle, traces
from searches.advance import advance
from searches.drafts import with_strategy
from searches.models import Run
from searches.overview import progress
from searches.snapshot import snapshot_of
from tests.searches.conftest import follow
from workers.evaluating import job_of

SHARES = {
    "strategy": "asha",
    "strategy_settings": {"reduction": 2, "rungs": 2},
    "fidelity": Fidelity(rungs="share"),
    "limits": (),
}


@pytest.fixture
def climbed(make_run, worker, work):
    """A run whose lower rung measures better numbers than its higher one."""
    run = make_run(budget=12, policy=Policy(stopping="median", proxy="parameters"), **SHARES)
    lifecycle.start(run)
    advance(run.pk)

    def judge(one):
        accuracy = 90.0 - one.number if one.fidelity == 50 else 50.0 + one.number
        known = {"parameters": one.parameters, "multiply_adds": one.multiply_adds}
        return {"accuracy": accuracy, "epochs": 2.0, "share": float(one.fidelity), **known}

    for _ in range(20):
        run.refresh_from_db()
        if run.stage == Run.Stage.FINAL:
            break
        work(run, judge)
    return run


def test_the_wizard_asks_what_rungs_are_of_where_the_strategy_has_some(person, alice):
    run = drafts.new_draft(alice)
    assert "fidelity-rungs" not in follow(person, run, "objectives").context["form"].fields
    follow(person, run, "strategy", strategy="hyperband")
    assert "fidelity-rungs" in follow(person, run, "objectives").context["form"].fields
    page = follow(person, run, "budget", **{"fidelity-rungs": "share"})
    plan = Run.objects.get().plan
    assert plan.fidelity == Fidelity(rungs="share")
    assert ("Rungs", "share") in page.context["parts"][-1][0].settings
    assert with_strategy(plan, "genetic", {}).fidelity == Fidelity()
    assert with_strategy(plan, "asha", {}).fidelity == plan.fidelity


def test_few_epochs_refuse_rungs_only_where_epochs_are_asked(person, alice):
    run = drafts.new_draft(alice)
    follow(person, run, "budget", epochs=2)
    assert not follow(person, run, "strategy", strategy="asha").context["form"].errors
    assert "at most 2 epochs are offered" in str(follow(person, run, "budget").context["form"].errors)
    page = follow(person, run, "budget", **{"fidelity-rungs": "share", "fidelity-share": 1})
    assert page.request["PATH_INFO"] == reverse("wizard", args=[run.pk, "review"])


def test_texts_have_no_side_to_climb_over(make_dataset, make_run):
    make_dataset("text")
    plan = make_run(**{**SHARES, "fidelity": Fidelity(rungs="side")}).plan
    space = drafts.with_dataset(plan, Split("pets")).space
    with pytest.raises(Refused, match=r"side is 0\.5; only images have sides to shrink"):
        check(replace(plan, split=Split("pets"), space=space))


def test_a_job_has_the_share_of_its_rung_and_the_curves_of_its_like(climbed):
    searched = climbed.evaluations.filter(stage=Run.Stage.SEARCH).select_related("candidate")
    assert {one.candidate.fidelity for one in searched} == {50, 100}
    for one in searched:
        job = job_of(one)
        assert (one.epochs, job.until, job.fidelity.share) == (2, 0, one.candidate.fidelity / 100)
        assert len(job.peers) == sum(other.candidate.fidelity == one.candidate.fidelity for other in searched)


def test_only_those_on_the_highest_rung_are_compared(climbed):
    winner = climbed.winner
    assert winner.fidelity == 100
    highest = climbed.evaluations.filter(stage=Run.Stage.SEARCH, candidate__fidelity=100)
    assert winner.number == max(one.candidate.number for one in highest)
    assert progress(climbed).best == 50.0 + winner.number


def test_the_pages_name_the_unit(climbed, person):
    trace = climbed.generations.order_by("number").last().trace
    titles = {traces.title(name) for name in trace if name.startswith("rung")}
    assert titles == {"Measured with 50 % of the data", "Measured with 100 % of the data"}
    page = person.get(climbed.get_absolute_url())
    assert page.context["words"]["rungs"]["% share"] == "Measured with {count} % of the data"
    assert snapshot_of(climbed)["rungs"] == "share"
    text = person.get(climbed.candidates.get(number=1).get_absolute_url()).content.decode()
    assert '<dt>Share of the data</dt><dd class="num">50 %</dd>' in text
    answer = person.get(reverse("run-candidates", args=[climbed.pk]), {"as": "csv"})
    lines = list(csv.DictReader(StringIO(answer.getvalue().decode())))
    assert {line["share"] for line in lines} == {"50.0", "100.0"}

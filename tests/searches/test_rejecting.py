"""Rejection by a zero-cost proxy as a run lives through it: wizard, budget, what workers are told, pages."""

import csv
from io import StringIO

import pytest
from django.urls import reverse

from nas.policy import Bar, Policy
from nas.sentences import Sentence
from searches import drafts, leases, lifecycle
from searches.advance import advance
from searches.models import Evaluation, Event, Run
from searches.overview import lines, with_counts
from searches.queries import measurements, summary
from searches.story import story
from searches.trust import rejected
from tests.searches.conftest import follow
from workers.evaluating import job_of

Status = Evaluation.Status


@pytest.fixture
def sifted(make_run, worker):
    """A run that went through its search stage with workers that keep to the bar; its proxy is twice the accuracy."""
    policy = Policy(proxy="synflow", proxy_share=0.5)
    run = make_run(strategy="random", strategy_settings={}, budget=24, policy=policy, limits=(), final_seeds=1)
    lifecycle.start(run)
    advance(run.pk)
    for _ in range(100):
        run.refresh_from_db()
        if run.stage == Run.Stage.FINAL:
            break
        for queued in list(run.evaluations.filter(status=Status.QUEUED).order_by("pk")):
            evaluate(leases.claim(queued.pk, queued.attempt, "w@here"))
            advance(run.pk)
    return run


def evaluate(evaluation):
    """Do what the evaluator and its worker do, the proxy being a digit of the architecture's key."""
    value = float(int(evaluation.candidate.key[:6], 16) % 100)
    bar = job_of(evaluation).bar
    if bar is not None and bar.rejects(value):
        assert leases.reject(evaluation, Sentence("It was not trained."), {"synflow": value})
    else:
        parameters = evaluation.candidate.parameters
        assert leases.measure(evaluation, {"accuracy": value / 2, "synflow": value, "parameters": parameters}, [])


def test_the_wizard_offers_them_where_networks_are_built(person, alice):
    run = drafts.new_draft(alice)
    page = follow(person, run, "budget", **{"policy-proxy": "synflow"})
    assert Run.objects.get().plan.policy.proxy == "synflow"
    assert ("Proxy", "synflow") in page.context["parts"][-1][0].settings
    follow(person, run, "strategy", evaluator="score")
    choices = follow(person, run, "objectives").context["form"]["policy-proxy"].field.widget.choices
    assert "synflow" not in dict(choices)


def test_the_budget_is_spent_on_those_that_were_not_rejected(sifted):
    found = sifted.evaluations.filter(stage=Run.Stage.SEARCH)
    turned_down = found.filter(cause="rejected")
    assert found.filter(status=Status.MEASURED).count() == sifted.plan.budget
    assert turned_down.exists()
    assert found.count() == sifted.plan.budget + turned_down.count()
    assert min(one.candidate.number for one in turned_down.select_related("candidate")) > 10
    assert sifted.winner.evaluations.get(stage=Run.Stage.SEARCH).metrics["synflow"] > 50


def test_a_rejected_candidate_is_no_failure_on_any_page(sifted, person):
    found = summary(sifted, measurements(sifted))
    assert (found.evaluated, found.failed, found.percent) == (sifted.plan.budget, 0, 100)
    (line,) = lines(with_counts(Run.objects.filter(pk=sifted.pk)))
    assert line.evaluated == sifted.plan.budget
    count = sifted.evaluations.filter(cause="rejected").count()
    assert Event.objects.filter(run=sifted, kind="rejected").count() == count
    assert not any("failed" in told.text for told in story(sifted))
    assert rejected(sifted).count == count
    page = person.get(sifted.get_absolute_url())
    assert f"Synaptic flow has rejected proposals: {count}" in page.content.decode()
    one = sifted.evaluations.filter(cause="rejected").select_related("candidate").first()
    text = person.get(one.candidate.get_absolute_url()).content.decode()
    assert "Rejected by the proxy" in text
    assert "It was not trained." in text
    answer = person.get(reverse("run-candidates", args=[sifted.pk]), {"as": "csv"})
    told = {line["cause"]: line["synflow"] for line in csv.DictReader(StringIO(answer.getvalue().decode()))}
    assert told["rejected"]
    assert told[""]


def test_what_climbs_and_what_is_tried_again_is_not_judged(sifted):
    one = sifted.evaluations.filter(stage=Run.Stage.SEARCH).select_related("candidate").last()
    assert isinstance(job_of(one).bar, Bar)
    one.attempt = 2
    assert job_of(one).bar is None
    one.attempt, one.candidate.origin = 1, "promoted"
    assert job_of(one).bar is None


def test_the_line_of_the_run_page_waits_for_the_first_outcome(make_run, worker):
    run = make_run(policy=Policy(proxy="synflow"))
    assert rejected(run) is None
    lifecycle.start(run)
    advance(run.pk)
    assert job_of(run.evaluations.first()).bar is None

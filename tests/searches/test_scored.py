"""A search by zero-cost proxies is a run like any other: only its final stage trains."""

from dataclasses import replace

import pytest

from nas.measuring import measured_by
from nas.objectives import Limit, Objective
from nas.proxies import METRICS as PROXIES
from searches import drafts, lifecycle
from searches.advance import advance
from searches.drafts import Draft
from searches.estimate import estimate
from searches.models import Run
from searches.plane import plane
from searches.queries import Measurement, summary
from tests.searches.conftest import follow
from workers.evaluating import job_of


def by_proxy(candidate):
    return {"synflow": 5.0 + candidate.number, "parameters": candidate.parameters, "depth": 3}


def trained(candidate):
    return {"accuracy": 97.0, "loss": 0.1, "parameters": candidate.parameters}


@pytest.fixture
def scored(make_run, worker, work):
    """A search whose candidates were scored; its final stage waits."""
    run = make_run(evaluator="score", objectives=(Objective("synflow", "max"),), limits=())
    lifecycle.start(run)
    advance(run.pk)
    assert {(job_of(one).evaluator, job_of(one).columns) for one in run.evaluations.all()} == {("score", ("synflow",))}
    for _ in range(20):
        run.refresh_from_db()
        if run.stage == Run.Stage.FINAL:
            return run
        work(run, by_proxy)
    raise AssertionError(run.status)


def test_the_highest_score_goes_into_a_final_stage_that_trains(scored):
    finals = scored.evaluations.filter(stage=Run.Stage.FINAL)
    assert {job_of(one).evaluator for one in finals} == {"train"}
    assert max(scored.candidates.values_list("number", flat=True)) in {one.candidate.number for one in finals}


def test_its_page_shows_it_before_and_after_the_final_stage(scored, work, client, alice):
    client.force_login(alice)
    assert "Synaptic flow" in client.get(scored.get_absolute_url()).content.decode()
    work(scored, trained)
    scored.refresh_from_db()
    assert scored.is_over
    page = client.get(scored.get_absolute_url())
    assert page.status_code == 200
    assert "97" in page.content.decode()


def test_the_wizard_offers_it_with_the_proxies_in_the_place_of_accuracy(person, alice):
    run = drafts.new_draft(alice)
    page = follow(person, run, "strategy", evaluator="score")
    plan = Run.objects.get().plan
    assert (plan.evaluator, plan.objectives) == ("score", (Objective("synflow", "max"),))
    assert plan.limits == drafts.first_plan().limits
    offered = {value for value, _ in page.context["form"].fields["objective_1"].choices if isinstance(value, str)}
    assert {f"max:{name}" for name in PROXIES} <= offered
    assert "max:accuracy" not in offered
    assert "Synaptic flow" in page.content.decode()
    page = follow(person, run, "objectives", objective_1="max:naswot", limit_zen="-2")
    assert Limit("zen", -2.0, "max") in Run.objects.get().plan.limits
    assert "scoring-batch_size" in page.context["form"].fields
    assert "epochs" not in page.context["form"].fields
    page = follow(person, run, "budget", budget="70", **{"scoring-batch_size": "32"})
    plan = Run.objects.get().plan
    assert (plan.budget, plan.scoring.batch_size, plan.objectives[0].metric) == (70, 32, "naswot")
    text = page.content.decode()
    assert "Scores every network without training it" in text
    assert "NASWOT, as high as possible" in text
    follow(person, run, "strategy", evaluator="train")
    assert Run.objects.get().plan.objectives == (Objective("accuracy", "max"),)


def test_a_strategy_with_rungs_is_not_offered_for_it_and_refused(person, alice):
    run = drafts.new_draft(alice)
    follow(person, run, "strategy", evaluator="score")
    page = follow(person, run, "strategy", strategy="asha", evaluator="score")
    sentence = "asha needs trainings of several lengths, and there is one length here."
    assert page.context["form"].errors["__all__"] == [sentence]
    assert Run.objects.get().plan.strategy == "genetic"


def test_its_estimate_is_seconds_for_a_thousand_candidates_and_the_final_stage_as_ever(db):
    draft = Draft("one", "default", replace(drafts.first_plan(), budget=1000))
    scored = estimate(replace(draft, plan=measured_by(draft.plan, "score")))
    trained = estimate(draft)
    assert scored.search < trained.search / 5
    assert 0.01 < scored.candidate.middle < 1
    assert scored.final == trained.final


def test_the_time_that_is_left_is_that_of_scoring(scored, make_run):
    assert scored.plan.is_scored
    run = make_run(evaluator="score", objectives=(Objective("synflow", "max"),), limits=(), budget=12)
    run.status = Run.Status.RUNNING
    one = Measurement(1, 1, 1, 10, 10, {"synflow": 1.0}, seconds=0.5)
    assert summary(run, [one, one]).seconds_left == pytest.approx(10 * 0.5)


def test_the_size_alone_as_the_objective_has_no_plane_to_draw(make_run):
    run = make_run(evaluator="score", objectives=(Objective("parameters", "max"),), limits=())
    assert plane(run) is None


def test_the_candidates_are_told_by_their_proxy_on_pages_and_in_the_file(scored, client, alice):
    client.force_login(alice)
    page = client.get(scored.candidates.get(number=1).get_absolute_url()).content.decode()
    assert "Synaptic flow" in page
    lines = b"".join(client.get(f"{scored.get_absolute_url()}candidates/?as=csv").streaming_content).decode()
    assert lines.splitlines()[0].endswith("synflow")

"""A search by zero-cost proxies is a run like any other: only its final stage trains."""

import pytest

from nas.objectives import Objective
from searches import lifecycle
from searches.advance import advance
from searches.models import Run
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
    assert "synflow" in client.get(scored.get_absolute_url()).content.decode()
    work(scored, trained)
    scored.refresh_from_db()
    assert scored.is_over
    page = client.get(scored.get_absolute_url())
    assert page.status_code == 200
    assert "97" in page.content.decode()

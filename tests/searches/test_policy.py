"""What spares evaluations, as the wizard asks for it and as a run keeps to it."""

from dataclasses import replace

import pytest

from nas.policy import Policy
from searches import drafts, lifecycle
from searches.advance import advance
from searches.models import Evaluation, Run
from tests.searches.conftest import follow
from workers import artifacts
from workers.evaluating import job_of


@pytest.mark.django_db
def test_the_budget_step_asks_for_the_policy_of_a_training(person, alice):
    run = drafts.new_draft(alice)
    asked = {"policy-stopping": "median", "policy-grace": "2", "policy-replicates": "3", "policy-proxy": "parameters"}
    page = follow(person, run, "budget", **asked)
    assert page.status_code == 200
    assert Run.objects.get().plan.policy == replace(
        drafts.first_plan().policy, replicates=3, proxy="parameters", stopping="median", grace=2
    )


@pytest.mark.django_db
def test_a_proxy_that_nobody_knows_is_refused(person, alice):
    run = drafts.new_draft(alice)
    page = follow(person, run, "budget", **{"policy-proxy": "luck"})
    assert "There is no proxy luck" in page.content.decode()
    assert Run.objects.get().plan.policy == drafts.first_plan().policy


@pytest.mark.django_db
def test_a_table_offers_proxies_but_no_seeds(person, alice, table):
    run = drafts.new_rehearsal(alice, "toy")
    text = follow(person, run, "objectives").content.decode()
    assert "policy-proxy" in text
    assert "policy-replicates" not in text


def test_a_job_knows_the_complete_curves_of_its_run(make_run, worker, work):
    run = make_run(policy=Policy(stopping="median"), budget=3)
    lifecycle.start(run)
    advance(run.pk)
    work(run)
    measured = Evaluation.objects.filter(run=run, status=Evaluation.Status.MEASURED).count()
    queued = run.evaluations.first()
    assert queued is not None
    assert len(job_of(queued).peers) == measured
    assert not job_of(replaced(queued, Policy())).peers


def replaced(evaluation, policy):
    evaluation.run.__dict__["plan"] = replace(evaluation.run.plan, policy=policy)
    return evaluation


def test_the_rungs_of_an_architecture_share_a_folder_until_the_final_stage(make_run, worker):
    run = make_run(strategy="asha", strategy_settings={}, epochs=16, budget=4)
    lifecycle.start(run)
    advance(run.pk)
    low = run.evaluations.select_related("candidate").first()
    assert low is not None
    assert low.candidate.fidelity > 0
    assert job_of(low).until == low.candidate.fidelity
    folder = artifacts.workdir(low)
    (folder / "checkpoint.safetensors").write_bytes(b"weights")
    artifacts.clear(low)
    assert (folder / "checkpoint.safetensors").exists()
    final = Evaluation.objects.create(run=run, candidate=low.candidate, stage=Run.Stage.FINAL, epochs=1, seed=9)
    artifacts.clear(final)
    assert not folder.exists()

"""A search by shared weights as a run: chosen in the wizard, estimated, and handed to workers with one folder."""

from dataclasses import replace

from nas.evaluation.protocol import Supernet
from nas.measuring import measured_by
from searches import drafts, lifecycle
from searches.advance import advance
from searches.drafts import Draft
from searches.estimate import estimate
from searches.models import Run
from tests.searches.conftest import follow
from workers import artifacts
from workers.evaluating import job_of, limit_of


def test_the_wizard_asks_for_the_shared_weights_and_says_what_they_are(person, alice):
    run = drafts.new_draft(alice)
    follow(person, run, "strategy", evaluator="supernet")
    assert Run.objects.get().plan.objectives == drafts.first_plan().objectives
    page = follow(person, run, "objectives")
    assert "supernet-epochs" in page.context["form"].fields
    assert "epochs" not in page.context["form"].fields
    asked = {"supernet-sampling": "proposals", "supernet-epochs": "7", "supernet-steps": "5"}
    page = follow(person, run, "budget", **asked)
    plan = Run.objects.get().plan
    assert (plan.evaluator, plan.supernet) == ("supernet", Supernet(sampling="proposals", epochs=7, steps=5))
    text = page.content.decode()
    assert "Random networks train the shared weights for 7 epochs." in text
    assert "Then every proposed network trains them for 5 batches before it is measured." in text


def test_its_estimate_is_one_training_and_a_moment_for_each_candidate(db):
    draft = Draft("one", "default", replace(drafts.first_plan(), budget=1000))
    shared = replace(draft, plan=measured_by(draft.plan, "supernet"))
    few = replace(shared, plan=replace(shared.plan, supernet=Supernet(epochs=1)))
    assert estimate(shared).search < estimate(draft).search
    assert estimate(few).search < estimate(shared).search
    assert estimate(shared).candidate.middle < estimate(draft).candidate.middle / 2


def test_all_candidates_of_a_run_share_a_folder_until_the_final_stage_which_trains(make_run, worker, work):
    run = make_run(evaluator="supernet", budget=2)
    lifecycle.start(run)
    advance(run.pk)
    jobs = [job_of(one) for one in run.evaluations.all()]
    assert {job.evaluator for job in jobs} == {"supernet"}
    assert len({job.shared for job in jobs}) == 1
    assert len({job.workdir for job in jobs}) == len(jobs)
    assert jobs[0].space.limits == run.plan.limits
    first = run.evaluations.first()
    assert limit_of(first) == run.plan.candidate_seconds * (1 + run.plan.supernet.epochs)
    folder = artifacts.shared(first)
    folder.mkdir(parents=True, exist_ok=True)
    artifacts.clear(first)
    assert folder.exists()
    for _ in range(5):
        work(run)
    run.refresh_from_db()
    assert run.stage == Run.Stage.FINAL
    final = run.evaluations.filter(stage=Run.Stage.FINAL).first()
    assert job_of(final).evaluator == "train"
    artifacts.clear(final)
    assert not folder.exists()

"""A search by shared weights as a run: chosen in the wizard, estimated, and handed to workers with one folder."""

from dataclasses import replace

import pytest

from nas.evaluation.protocol import Supernet
from nas.measuring import measured_by
from searches import drafts, leases, lifecycle
from searches.advance import advance
from searches.drafts import Draft
from searches.estimate import estimate
from searches.inherited import inherited
from searches.models import Evaluation, Run
from searches.queries import measurements
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


@pytest.fixture
def trained(make_run, worker, work):
    """Return a maker of shared searches whose finalists are trained; `own` are their validation accuracies by number.

    Under shared weights a candidate reaches as much as its number; finalists, from the best: 4, 3, 2.
    """

    def make(own, **changes):
        run = make_run(evaluator="supernet", budget=4, **{"final_top": 3, **changes})
        lifecycle.start(run)
        advance(run.pk)
        while Run.objects.get(pk=run.pk).stage == Run.Stage.SEARCH:
            work(run, lambda candidate: {"accuracy": float(candidate.number), "parameters": candidate.parameters})
        for queued in run.evaluations.filter(status=Evaluation.Status.QUEUED):
            mine = leases.claim(queued.pk, queued.attempt, "w@here")
            reached = own.get(mine.candidate.number)
            leases.measure(mine, {"accuracy": 50.0} | ({"valid_accuracy": reached + mine.seed} if reached else {}), [])
        return Run.objects.get(pk=run.pk)

    return make


def test_shared_weights_are_held_against_the_full_trainings_and_few_points_are_told(trained, person):
    run = trained({4: 80.0, 3: 90.0, 2: 70.0})
    found = inherited(run, measurements(run))
    assert [(one.number, one.shared, one.own) for one in found.finalists] == [(4, 4, 82.5), (3, 3, 92.5), (2, 2, 72.5)]
    assert [(one.shared_place, one.own_place) for one in found.finalists] == [(1, 2), (2, 1), (3, 3)]
    assert found.kendall == pytest.approx(1 / 3)  # two pairs agree, one does not
    page = person.get(run.get_absolute_url()).content.decode()
    section = page.split('id="inherited"')[1].split("</section>")[0]
    assert "Kendall&#x27;s rank correlation of the two orders is 0.33" in section
    assert "It rests on 3 networks: chance alone gives so few the same order once in 6 times." in section
    assert '<td class="right">4.00 %</td><td class="right">1</td><td class="right">82.50 %</td>' in section


def test_finalists_that_are_alike_have_no_order(trained):
    run = trained({4: 80.0, 3: 80.0, 2: 80.0})
    found = inherited(run, measurements(run))
    assert found.kendall is None
    assert "no orders to compare" in found.words[0]
    assert [one.own_place for one in found.finalists] == [1, 1, 1]


def test_one_finalist_says_nothing_of_shared_weights(trained, person):
    run = trained({}, final_top=1)
    assert inherited(run, measurements(run)) is None
    assert 'id="inherited"' not in person.get(run.get_absolute_url()).content.decode()

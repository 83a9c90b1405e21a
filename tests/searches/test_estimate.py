"""The estimate grows with the work, and learns from what was measured here."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from nas.objectives import Limit
from nas.plan import default_limits, search_space
from nas.sentences import Refused
from nas.spaces import moves
from nas.spaces.baseline import BASELINE, Baseline
from nas.strategies.protocol import dice
from searches.drafts import Draft, first_plan
from searches.estimate import alive_workers, estimate, measured_correction, predict, training_rows
from searches.models import Candidate, Evaluation, Worker

DRAFT = Draft("a search", "default", first_plan())
pytestmark = pytest.mark.django_db


def with_plan(**changes):
    return replace(DRAFT, plan=replace(DRAFT.plan, **changes))


def measured(run, seconds, stage="search"):
    """Store an evaluation of a random network that took so many times what the model predicts."""
    space = search_space(run.plan)
    number = run.candidates.count() + 1
    architecture = moves.sample(space, dice(1, number))
    graph = space.graph(architecture)
    candidate = Candidate.objects.create(
        run=run,
        number=number,
        space="chain",
        choices=list(architecture.choices),
        key=architecture.key,
        origin="sampled",
        parameters=graph.parameters,
        multiply_adds=graph.multiply_adds,
    )
    now = timezone.now()
    took = timedelta(seconds=seconds * predict(run.plan, graph, stage, 2))
    return Evaluation.objects.create(
        run=run,
        candidate=candidate,
        stage=stage,
        epochs=2,
        seed=1,
        status="measured",
        started_at=now,
        finished_at=now + took,
    )


def test_more_candidates_and_epochs_take_longer():
    usual = estimate(DRAFT)
    assert estimate(with_plan(budget=48)).search > usual.search
    assert estimate(with_plan(epochs=40)).candidate.middle > usual.candidate.middle
    assert estimate(with_plan(final_epochs=60)).final > usual.final
    assert estimate(with_plan(final_seeds=9)).final > usual.final
    assert usual.total == usual.search + usual.final


def test_more_workers_on_the_queue_take_less_time(worker):
    alone = estimate(DRAFT)
    Worker.objects.create(name="x@here", host="here", device="cpu", queue="default", pid=2)
    Worker.objects.create(name="y@here", host="here", device="cpu", queue="another", pid=3)
    both = estimate(DRAFT)
    assert (alone.workers, both.workers) == (1, 2)
    assert both.search < alone.search


def test_a_worker_that_has_fallen_silent_is_not_counted(worker, settings):
    assert alive_workers() == 1
    Worker.objects.update(seen_at=timezone.now() - timedelta(seconds=settings.LEASE_SECONDS + 1))
    assert alive_workers() == 0


def test_the_sampled_networks_keep_to_the_limits():
    assert estimate(with_plan(limits=(Limit("parameters", 5000),))).parameters.high <= 5000


def test_a_space_without_a_legal_network_is_refused():
    with pytest.raises(Refused):
        estimate(with_plan(limits=(Limit("parameters", 1),)))


def test_without_measurements_nothing_is_corrected():
    assert measured_correction().factor == 1
    assert estimate(DRAFT).measured == 0


def test_times_are_corrected_by_the_median_of_what_was_measured_here(make_run):
    run = make_run()
    before = estimate(DRAFT).candidate.middle
    for factor in (3, 3, 50):
        measured(run, factor)
    assert measured_correction().factor == pytest.approx(3, rel=1e-3)
    after = estimate(DRAFT)
    assert after.measured == 3
    assert after.candidate.middle == pytest.approx(3 * before, rel=1e-3)


def test_only_the_latest_fifty_measurements_count(make_run):
    run = make_run()
    for _ in range(5):
        measured(run, 100)
    for _ in range(50):
        measured(run, 2)
    assert measured_correction().factor == pytest.approx(2, rel=1e-3)


def test_the_baseline_of_an_old_run_is_predicted_too(make_run):
    run = make_run()
    row = measured(run, 2, stage="final")
    Candidate.objects.filter(pk=row.candidate_id).update(space="baseline", choices=[], number=0)
    assert measured_correction().count == 1


def test_the_final_stage_trains_on_the_validation_images_as_well():
    split = DRAFT.plan.split
    assert training_rows(split, final=True) == 1437
    assert training_rows(split, final=False) == 1077
    graph = Baseline(DRAFT.plan.task).graph(BASELINE)
    assert predict(DRAFT.plan, graph, "final", 5) > predict(DRAFT.plan, graph, "search", 5)


def test_larger_images_take_longer():
    task = replace(DRAFT.plan, split=replace(DRAFT.plan.split, dataset="cifar10"))
    large = replace(DRAFT, plan=replace(task, limits=default_limits(task.task)))
    assert estimate(large).candidate.middle > 20 * estimate(DRAFT).candidate.middle

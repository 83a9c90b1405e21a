"""A run from its start to its end, stepped by hand: nothing lost, nothing twice."""

import pytest
from django.db import IntegrityError

from nas.objectives import Limit, Objective
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec
from searches import leases, lifecycle
from searches.advance import advance
from searches.models import Candidate, Evaluation, Generation, Run

pytestmark = pytest.mark.django_db(transaction=True)
Status = Evaluation.Status


def test_a_search_finishes(make_run, worker, work, kinds):
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    for _ in range(40):
        work(run)
        run.refresh_from_db()
        if run.is_over:
            break
    assert run.status == Run.Status.COMPLETED
    assert run.finished_at is not None
    numbers = list(run.candidates.values_list("number", flat=True))
    assert numbers == list(range(9))
    assert run.winner.number == 8
    final = run.evaluations.filter(stage=Run.Stage.FINAL)
    assert sorted(final.values_list("candidate__number", "seed")) == [(0, 2), (0, 3), (8, 2), (8, 3)]
    assert list(final.filter(export=True).values_list("candidate__number", "seed")) == [(8, 2)]
    assert not run.evaluations.filter(stage=Run.Stage.SEARCH, told=False).exists()
    said = kinds(run)
    assert said[0] == "run"
    assert said[-1] == "run"
    assert said.count("measured") == 12


def test_it_asks_for_twice_as_many_as_there_are_workers(make_run, worker, kinds):
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    advance(run.pk)
    assert run.evaluations.filter(status=Status.QUEUED).count() == 2


def test_a_generation_waits_for_its_last_member(make_run, worker, work):
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    slow = leases.claim(run.evaluations.first().pk, 1, "slow@here")
    for _ in range(5):
        work(run)
    assert run.candidates.count() == 4
    leases.measure(slow, {"accuracy": 1.0, "parameters": 5}, [])
    advance(run.pk)
    assert run.candidates.filter(generation=2).exists()


def test_the_trace_is_kept_by_the_number_of_evaluations_told(make_run, worker, work):
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    for _ in range(6):
        work(run)
    fourth = Generation.objects.get(run=run, number=4)
    assert fourth.trace["best"] == -54
    assert fourth.trace["generation"] == 1
    assert 0 < fourth.trace["diversity"] <= 1


def test_failed_candidates_never_fail_the_run(make_run, worker, work):
    run = make_run(budget=6)
    lifecycle.start(run)
    advance(run.pk)
    while run.stage == Run.Stage.SEARCH:
        for evaluation in run.evaluations.filter(status=Status.QUEUED):
            mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
            if mine.candidate.number % 2:
                leases.fail(mine, "nan", leases.Sentence("The loss is not a number."))
            else:
                leases.measure(mine, {"accuracy": 60.0, "parameters": 5}, [])
            advance(run.pk)
        run.refresh_from_db()
    assert run.winner.number == 2


def test_a_run_of_which_nothing_was_measured_fails_with_the_reason(make_run, worker):
    run = make_run(budget=2)
    lifecycle.start(run)
    advance(run.pk)
    for evaluation in run.evaluations.all():
        mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
        leases.fail(mine, "oom", leases.Sentence("It needs {gb} GB.", {"gb": 80}))
        advance(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.FAILED
    assert str(run.sentence) == "No candidate could be measured. The last one: It needs 80 GB."


def test_a_run_without_a_candidate_within_the_limits_says_so(make_run, worker, work):
    run = make_run(budget=2, limits=(Limit("latency_ms", 1.0),))
    lifecycle.start(run)
    advance(run.pk)
    work(run, judge=lambda candidate: {"accuracy": 90.0, "latency_ms": 2.0})
    run.refresh_from_db()
    assert (run.status, str(run.sentence)) == ("failed", "No measured candidate keeps to the limits.")


def test_a_final_stage_whose_winner_cannot_be_trained_fails_the_run(make_run, worker, work):
    run = make_run(budget=1)
    lifecycle.start(run)
    advance(run.pk)
    work(run)
    for evaluation in run.evaluations.filter(stage=Run.Stage.FINAL):
        mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
        leases.fail(mine, "oom", leases.Sentence("Too large."))
        advance(run.pk)
    run.refresh_from_db()
    assert (run.status, str(run.sentence)) == ("failed", "The final training of the winner failed: Too large.")


def test_a_failed_baseline_does_not_fail_the_run(make_run, worker, work):
    run = make_run(budget=1)
    lifecycle.start(run)
    advance(run.pk)
    work(run)
    for evaluation in run.evaluations.filter(stage=Run.Stage.FINAL).select_related("candidate"):
        mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
        if mine.candidate.is_baseline:
            leases.fail(mine, "error", leases.Sentence("No luck."))
        else:
            leases.measure(mine, {"accuracy": 99.0}, [])
        advance(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.COMPLETED


def test_a_search_ends_early_when_the_space_is_spent(make_run, worker, work):
    tiny = {"min_layers": 1, "max_layers": 1, "kernels": (3,), "filters": (8,), "pools": ("max 2",), "units": (32,),
            "activations": ("relu",), "norm": False, "skip": False}  # fmt: skip
    run = make_run(budget=500, space=SpaceSpec("chain", tiny), strategy="random", strategy_settings={})
    lifecycle.start(run)
    advance(run.pk)
    for _ in range(10):
        work(run)
    run.refresh_from_db()
    assert run.status == Run.Status.COMPLETED
    assert 1 <= run.candidates.filter(number__gt=0).count() <= 6


def test_finishing_early_trains_the_best_so_far(make_run, worker, work):
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    work(run)
    running = leases.claim(run.evaluations.filter(status=Status.QUEUED).first().pk, 1, "w@here")
    assert lifecycle.finish(run)
    assert not lifecycle.finish(run)
    assert leases.wish(running) == "cancel"
    leases.cancel(running)
    advance(run.pk)
    run.refresh_from_db()
    assert run.stage == Run.Stage.FINAL
    work(run)
    run.refresh_from_db()
    assert run.status == Run.Status.COMPLETED


def test_a_second_step_on_the_same_version_is_thrown_away(make_run, worker):
    """Two processes that read the same version: the second commit must touch nothing."""
    from searches.advance import _commit_search, _strategy_step

    run = make_run()
    lifecycle.start(run)
    one, other = Run.objects.get(pk=run.pk), Run.objects.get(pk=run.pk)
    steps = [_strategy_step(row, 0, 0) for row in (one, other)]
    assert _commit_search(one, steps[0])
    assert not _commit_search(other, steps[1])
    assert Candidate.objects.filter(run=run).count() == len(steps[0].proposals)


def test_the_database_itself_refuses_a_number_twice(make_run, worker):
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    first = run.candidates.first()
    first.pk = None
    with pytest.raises(IntegrityError):
        first.save(force_insert=True)


def test_a_plan_that_cannot_work_is_refused_and_stays_a_draft(make_run):
    run = make_run(objectives=(Objective("accuracy", "max"), Objective("loss", "min")))
    with pytest.raises(Refused, match="genetic works on one objective"):
        lifecycle.start(run)
    run.refresh_from_db()
    assert run.is_draft

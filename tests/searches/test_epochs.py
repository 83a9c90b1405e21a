"""A search by gradient as rows: its epochs, once each, and what a person may do with them."""

import pytest

from nas.sentences import Refused
from searches import epochs, leases, lifecycle
from searches.advance import advance
from searches.models import Evaluation, Event, Run
from searches.story import story
from tests.searches.gradient import GOOD, SKIPS, epoch

pytestmark = pytest.mark.django_db
Status = Evaluation.Status


def test_the_search_is_one_evaluation_of_no_candidate(search):
    run, supernet = search
    assert (supernet.stage, supernet.candidate, supernet.epochs) == ("supernet", None, 4)
    assert run.candidates.count() == 0
    assert supernet.is_supernet


def test_an_epoch_is_a_generation_and_a_measured_candidate(search, kinds):
    run, supernet = search
    assert epochs.searched(supernet, epoch(1))
    generation, candidate = run.generations.get(), run.candidates.get()
    assert generation.number == 1
    assert generation.trace["entropy"] == 1.6
    assert generation.alpha == {"edge 0-1": {"none": 0.1, "skip_connect": 0.9}}
    assert (candidate.number, candidate.origin, tuple(candidate.choices), candidate.parameters) == (
        *(1, "derived", GOOD, 101),
    )
    measured = candidate.evaluations.get()
    assert (measured.stage, measured.status, measured.epochs, measured.told) == ("search", Status.MEASURED, 1, True)
    assert measured.metrics["accuracy"] == 41
    assert supernet.started_at <= measured.started_at <= measured.finished_at
    assert kinds(run)[-3:] == ["proposed", "measured", "generation"]


def test_epochs_that_come_again_after_a_requeue_are_written_once(search, worker, kinds):
    run, supernet = search
    for number in (1, 2):
        epochs.searched(supernet, epoch(number))
    leases.release(supernet)
    assert not epochs.searched(supernet, epoch(3)), "the attempt is over"
    again = leases.claim(supernet.pk, 2, worker.name)
    before = len(kinds(run))
    assert [epochs.searched(again, epoch(number)) for number in (1, 2, 3)] == [False, False, True]
    assert list(run.generations.values_list("number", flat=True)) == [1, 2, 3]
    assert list(run.candidates.values_list("number", flat=True)) == [1, 2, 3]
    assert len(kinds(run)) == before + 3


def test_the_last_epoch_wins_and_goes_to_the_final_stage(search):
    run, supernet = search
    for number, accuracy in ((1, 80.0), (2, 40.0)):
        epochs.searched(supernet, epoch(number, accuracy=accuracy))
    epochs.derived(supernet, 2, [])
    advance(run.pk)
    run.refresh_from_db()
    assert (run.stage, run.winner.number) == (Run.Stage.FINAL, 2)
    final = run.evaluations.filter(stage=Run.Stage.FINAL)
    assert final.filter(candidate=run.winner).count() == final.filter(candidate__number=0).count() == 2
    assert supernet.run.evaluations.get(stage="supernet").status == Status.MEASURED


def test_a_search_that_ends_by_its_collapse_takes_the_epoch_that_was_derived(search):
    run, supernet = search
    for number, alarm in ((1, 0.0), (2, 1.0), (3, 1.0)):
        epochs.searched(supernet, epoch(number, collapse=alarm))
    epochs.derived(supernet, 1, [])
    advance(run.pk)
    assert Run.objects.get(pk=run.pk).winner.number == 1


def test_a_person_takes_an_epoch_and_the_search_ends_there(search):
    run, supernet = search
    for number in (1, 2, 3):
        epochs.searched(supernet, epoch(number))
    assert not lifecycle.take(run, 4), "that one is not searched yet"
    assert lifecycle.take(run, 2)
    assert not lifecycle.take(run, 1), "somebody was first"
    assert leases.wish(supernet) == "cancel"
    leases.cancel(supernet)
    advance(run.pk)
    run.refresh_from_db()
    assert (run.stage, run.winner.number) == (Run.Stage.FINAL, 2)
    assert "the architecture of epoch 2 will be trained fully" in "".join(line.text for line in story(run))


def test_what_a_person_took_stands_even_where_the_search_just_ended(search):
    run, supernet = search
    for number in (1, 2):
        epochs.searched(supernet, epoch(number))
    lifecycle.take(run, 1)
    epochs.derived(supernet, 2, [])
    advance(run.pk)
    assert Run.objects.get(pk=run.pk).winner.number == 1


def test_a_run_that_was_stepped_meanwhile_does_not_lose_what_a_person_took(search, monkeypatch):
    """Who read the run before a person took an epoch must not write its own winner over it."""
    run, supernet = search
    for number in (1, 2):
        epochs.searched(supernet, epoch(number))
    leases.measure(supernet, {}, [])
    stale = Run.objects.get(pk=run.pk)
    lifecycle.take(run, 1)
    monkeypatch.setattr(Run.objects, "get", lambda pk, found=[stale]: found.pop() if found else Run(pk=pk))
    from searches.advance import _open_final

    assert not _open_final(stale, None)
    monkeypatch.undo()
    advance(run.pk)
    assert Run.objects.get(pk=run.pk).winner.number == 1


def test_paused_it_can_still_be_taken(search):
    run, supernet = search
    epochs.searched(supernet, epoch(1))
    lifecycle.pause(run)
    assert leases.wish(supernet) == "release"
    leases.release(supernet)
    advance(run.pk)
    assert lifecycle.take(run, 1)
    advance(run.pk)
    assert Run.objects.get(pk=run.pk).stage == Run.Stage.FINAL


def test_the_alarm_is_told_once_when_it_is_raised(search):
    run, supernet = search
    for number, alarm in ((1, 0.0), (2, 1.0), (3, 1.0)):
        epochs.searched(supernet, epoch(number, SKIPS, collapse=alarm))
    raised = Event.objects.filter(run=run, kind="generation", data__alarm=True)
    assert [event.data["told"] for event in raised] == [2]
    assert "Epoch 2: skip connections" in story(run)[0].text


def test_a_search_that_diverges_ends_with_what_was_derived_before(search):
    run, supernet = search
    epochs.searched(supernet, epoch(1))
    leases.fail(supernet, "nan", Refused("It diverged.").sentence)
    advance(run.pk)
    run.refresh_from_db()
    assert (run.stage, run.winner.number) == (Run.Stage.FINAL, 1)
    assert "The supernet failed" in "".join(line.text for line in story(run))


def test_a_search_that_fails_at_once_says_why(search):
    run, supernet = search
    leases.fail(supernet, "oom", Refused("There is too little memory.").sentence)
    advance(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.FAILED
    assert "There is too little memory." in str(run.sentence)

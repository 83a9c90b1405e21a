"""Who holds an evaluation: every transition happens once, and a worker that was given up cannot write."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TransactionTestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nas import codec
from nas.events import EpochEnded
from nas.sentences import Sentence
from searches import leases, lifecycle
from searches.advance import advance
from searches.models import Evaluation, Event, Run
from searches.sweep import sweep
from tests.searches.conftest import PLAN

Status = Evaluation.Status
POINT = EpochEnded(1, 2, 0.5, 0.4, 90.0, 1.0)


@pytest.fixture
def run(make_run, worker):
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    return run


@pytest.fixture
def held(run):
    return leases.claim(run.evaluations.first().pk, 1, "w@here")


def silence(evaluation):
    Evaluation.objects.filter(pk=evaluation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


pytestmark = pytest.mark.django_db(transaction=True)


def test_a_doubled_message_is_turned_away(held):
    assert leases.claim(held.pk, 1, "other@here") is None


def test_it_requeues_a_candidate_whose_worker_died(held):
    silence(held)
    sweep()
    held.refresh_from_db()
    assert (held.status, held.attempt, held.losses) == (Status.QUEUED, 2, 1)
    assert Event.objects.filter(kind="requeued", data__worker="w@here").count() == 1


def test_a_worker_that_was_given_up_and_wakes_late_writes_nothing(held):
    silence(held)
    sweep()
    assert leases.wish(held) == "let go"
    assert not leases.renew(held)
    assert not leases.measure(held, {"accuracy": 1.0}, [])
    assert not leases.fail(held, "oom", Sentence("no"))
    assert not leases.release(held)
    assert not leases.cancel(held)
    leases.progress(held, POINT)
    assert not Event.objects.filter(kind__in=("measured", "failed", "epoch", "cancelled")).exists()


def test_the_third_loss_is_the_last(run):
    pk = run.evaluations.first().pk
    for attempt in (1, 2, 3):
        assert leases.claim(pk, attempt, "w@here")
        silence(Evaluation.objects.get(pk=pk))
        sweep()
    lost = Evaluation.objects.get(pk=pk)
    assert (lost.status, lost.cause) == (Status.FAILED, "lost")
    assert str(lost.sentence) == "It was lost 3 times; the last time: The worker w@here fell silent."


def test_a_release_is_no_loss(held):
    for attempt in range(1, 6):
        assert leases.release(held)
        held = leases.claim(held.pk, attempt + 1, "w@here")
    assert held.losses == 0


def test_a_worker_that_comes_up_again_puts_back_what_it_held(held):
    leases.lose_all_of("somebody else")
    assert Evaluation.objects.get(pk=held.pk).status == Status.RUNNING
    leases.lose_all_of("w@here")
    assert Evaluation.objects.get(pk=held.pk).status == Status.QUEUED


def test_live_points_are_pruned_once_the_curve_is_stored(held):
    leases.progress(held, POINT)
    assert Event.objects.filter(kind="epoch", data__valid_accuracy=90.0).count() == 1
    leases.measure(held, {"accuracy": 90.0}, [POINT])
    assert not Event.objects.filter(kind="epoch").exists()
    held.refresh_from_db()
    assert held.curve == [codec.dump(POINT)]


def test_a_pausing_run_is_paused_once_its_work_is_back(run, held):
    assert lifecycle.pause(run)
    assert leases.wish(held) == "release"
    run.refresh_from_db()
    assert run.status == Run.Status.PAUSING
    leases.release(held)
    advance(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.PAUSED
    assert leases.claim(held.pk, 2, "w@here") is None
    assert lifecycle.resume(run)
    assert leases.claim(held.pk, 2, "w@here") is not None


def test_what_waited_in_a_pause_is_sent_again(run):
    lifecycle.pause(run)
    lifecycle.resume(run)
    assert not run.evaluations.exclude(sent_at=None).exists()
    sweep()
    assert not run.evaluations.filter(status=Status.QUEUED, sent_at=None).exists()


def test_a_stopping_run_is_cancelled_and_keeps_what_it_measured(run, held):
    leases.measure(held, {"accuracy": 90.0}, [])
    other = leases.claim(run.evaluations.filter(status=Status.QUEUED).first().pk, 1, "w@here")
    assert lifecycle.stop(run)
    assert leases.wish(other) == "cancel"
    leases.cancel(other)
    advance(run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.CANCELLED
    assert run.evaluations.filter(status=Status.MEASURED).count() == 1
    assert not run.evaluations.filter(status__in=Evaluation.OPEN).exists()
    assert not lifecycle.stop(run)
    assert not lifecycle.resume(run)


def test_a_draining_worker_gives_its_work_back(held, worker):
    worker.draining = True
    worker.save()
    assert leases.wish(held) == "release"


def test_a_message_that_was_lost_is_sent_again(run):
    long_ago = timezone.now() - timedelta(hours=1)
    run.evaluations.update(sent_at=long_ago)
    sweep()
    assert not run.evaluations.filter(status=Status.QUEUED, sent_at=long_ago).exists()


def test_the_fingerprint_is_the_first_one_read(run, held):
    leases.prepared(held, "abc")
    leases.prepared(held, "def")
    run.refresh_from_db()
    assert run.fingerprint == "abc"


class RacingWorkers(RuleBasedStateMachine):
    """Two workers, a clock that takes leases away and doubled messages, in any order."""

    def __init__(self):
        super().__init__()
        Run.objects.all().delete()
        self.run = Run.objects.create(name="race", plan_json=codec.dump(PLAN))
        lifecycle.start(self.run)
        self.held = {"a": [], "b": []}
        self.measured = []
        advance(self.run.pk)

    @rule(who=st.sampled_from("ab"), which=st.integers(0, 3), stale=st.booleans())
    def claim(self, who, which, stale):
        rows = list(self.run.evaluations.all())
        row = rows[which % len(rows)]
        mine = leases.claim(row.pk, max(1, row.attempt - stale), who)
        if mine:
            self.held[who].append(mine)

    @rule(who=st.sampled_from("ab"))
    def measure(self, who):
        if self.held[who]:
            mine = self.held[who].pop()
            if leases.measure(mine, {"accuracy": 50.0, "parameters": 10}, []):
                self.measured.append(mine.pk)
            advance(self.run.pk)

    @rule(who=st.sampled_from("ab"))
    def fall_silent(self, who):
        if self.held[who]:
            silence(self.held[who][-1])

    @rule()
    def tick(self):
        sweep()

    @rule()
    def pause_and_resume(self):
        lifecycle.pause(self.run)
        lifecycle.resume(self.run)

    @invariant()
    def nothing_is_measured_twice(self):
        assert len(self.measured) == len(set(self.measured))
        assert Event.objects.filter(run=self.run, kind="measured").count() == len(self.measured)

    @invariant()
    def numbers_have_no_holes(self):
        numbers = list(self.run.candidates.values_list("number", flat=True))
        assert [n for n in numbers if n] == list(range(1, len([n for n in numbers if n]) + 1))
        seqs = list(Event.objects.filter(run=self.run).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))


class TestRacingWorkers(TransactionTestCase, RacingWorkers.TestCase):
    settings = hypothesis_settings(max_examples=15, stateful_step_count=20, deadline=None)

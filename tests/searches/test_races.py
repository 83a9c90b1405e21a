"""Races as rows: every change of status is fenced, nothing is lost with a worker, and results are counted once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from nas.race.results import Kept, Point, results
from nas.rehearsal import on_table
from nas.sentences import Refused, Sentence
from searches import drafts, lanes, racing
from searches.forms.race import PLAN
from searches.models import Race, RaceLane, Worker
from searches.sweep import sweep

pytestmark = pytest.mark.django_db
Status = RaceLane.Status
DONE = Kept("random", 1, (Point(1, 60.0, 61.0, 12.0), Point(8, 70.0, 71.0, 96.0)), 0.1)


@pytest.fixture
def plan(table):
    return replace(on_table(PLAN, "toy"), budget=8)


@pytest.fixture
def race(plan, alice):
    return racing.start("a race", alice, plan, ("genetic",), 2, "default")


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """What is sent or told once a transaction is committed happens inside this."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def sent(race):
    return race.lanes.exclude(sent_at=None).count()


def claimed(race, worker="w@here"):
    return lanes.claim_next(race.pk, worker)


def long_ago(rows, field):
    rows.update(**{field: timezone.now() - timedelta(hours=1)})


def test_a_race_has_a_lane_for_every_strategy_and_seed_random_among_them(race):
    found = list(race.lanes.values_list("strategy", "seed"))
    assert found == [("genetic", 1), ("random", 1), ("genetic", 2), ("random", 2)]
    assert race.lanes.first().plan == replace(race.plan, strategy="genetic", seed=1)


def test_a_race_without_a_name_is_called_by_its_number(plan, alice):
    race = racing.start("", alice, plan, ("genetic",), 1, "default")
    assert race.name == f"Race {race.pk}"


@pytest.mark.parametrize(
    ("strategies", "budget", "seeds", "sentence"),
    [
        ((), 8, 1, "Choose at least one strategy."),
        (("genetics",), 8, 1, "There is no strategy genetics; the nearest is genetic."),
        (("genetic",), 0, 1, "budget is 0; it must be between 1 and 1000000."),
        (("genetic",), 10_000, 1000, "2000 lanes of 10000 evaluations are 20000000 in all; a race may have 5000000."),
    ],
)
def test_what_cannot_race_is_refused_and_leaves_nothing_behind(plan, alice, strategies, budget, seeds, sentence):
    with pytest.raises(Refused) as refused:
        racing.start("no", alice, replace(plan, budget=budget), strategies, seeds, "default")
    assert str(refused.value) == sentence
    assert not Race.objects.exists()


def test_a_lane_is_claimed_once_and_the_first_one_starts_the_race(race):
    lane = claimed(race)
    assert lanes.claim(lane.pk, lane.attempt, "other@here") is None
    race.refresh_from_db()
    assert race.status == Race.Status.RUNNING
    assert race.started_at
    assert (lane.status, lane.worker) == (Status.RUNNING, "w@here")


def test_a_worker_that_lost_its_lane_writes_nothing(race):
    lane = claimed(race)
    lanes.lose_all_of("w@here")
    assert not lanes.finish(lane, DONE)
    assert not lanes.renew(lane)
    assert lanes.wish(lane) == "let go"
    again = lanes.claim(lane.pk, lane.attempt + 1, "other@here")
    assert lanes.finish(again, DONE)
    lane.refresh_from_db()
    assert (lane.status, lane.attempt, lane.losses) == (Status.DONE, 2, 1)
    assert (lane.kept.points, lane.kept.seconds) == (DONE.points, DONE.seconds)


def test_a_silent_worker_costs_only_the_lane_it_held_and_the_third_time_that_lane(race):
    for losses in (1, 2, 3):
        lane = claimed(race)
        long_ago(RaceLane.objects.filter(pk=lane.pk), "lease_until")
        sweep()
        lane.refresh_from_db()
        assert lane.losses == min(losses, 2)
        RaceLane.objects.update(sent_at=None)
    assert lane.status == Status.FAILED
    assert str(lane.sentence) == "It was lost 3 times; the last time: The worker w@here fell silent."
    assert race.lanes.filter(status=Status.QUEUED).count() == 3


def test_a_drained_worker_gives_its_lane_back_without_a_loss(race, worker):
    lane = claimed(race, worker.name)
    assert lanes.wish(lane) == "go on"
    Worker.objects.update(draining=True)
    assert lanes.wish(lane) == "release"
    assert lanes.release(lane)
    lane.refresh_from_db()
    assert (lane.status, lane.attempt, lane.losses, lane.worker) == (Status.QUEUED, 2, 0, "")


def test_one_lane_is_under_way_for_each_living_worker(plan, alice, worker, committed):
    now = timezone.now()
    Worker.objects.create(name="second", host="here", device="cpu", queue="default", pid=2, seen_at=now)
    Worker.objects.create(name="elsewhere", host="here", device="cpu", queue="gpus", pid=3, seen_at=now)
    with committed():
        race = racing.start("a race", alice, plan, ("genetic",), 3, "default")
    assert sent(race) == 2
    sweep()
    assert sent(race) == 2
    first = race.lanes.first()
    assert lanes.claim(first.pk, 1, worker.name)
    sweep()
    assert sent(race) == 2
    lanes.finish(RaceLane.objects.get(pk=first.pk), DONE)
    sweep()
    assert sent(race) == 3
    long_ago(RaceLane.objects.filter(status=Status.QUEUED), "sent_at")
    sweep()
    recent = race.lanes.filter(status=Status.QUEUED, sent_at__gt=now)
    assert recent.count() == 2


def test_a_turn_goes_on_with_lanes_that_no_message_is_under_way_for(race):
    racing.send_waiting(race)
    told = race.lanes.exclude(sent_at=None).get()
    taken = [claimed(race) for _ in range(4)]
    assert taken[-1] is None
    assert told.pk not in [lane.pk for lane in taken if lane]


def test_stopping_takes_every_lane_away_and_keeps_what_is_done(race):
    lanes.finish(claimed(race), DONE)
    running = claimed(race)
    assert racing.stop(race)
    assert lanes.wish(running) == "let go"
    assert not lanes.finish(running, DONE)
    assert not lanes.lose(running, Sentence("gone"))
    assert claimed(race) is None
    assert not racing.stop(race)
    assert racing.is_run(race.pk)
    statuses = sorted(race.lanes.values_list("status", flat=True))
    assert statuses == [Status.CANCELLED, Status.CANCELLED, Status.CANCELLED, Status.DONE]


def test_results_are_computed_by_one_worker_at_a_time_and_not_too_often(race):
    assert racing.claim_results(race.pk, last=False)
    assert racing.claim_results(race.pk, last=True) is None
    found = results([DONE], race.contest.entrants, race.plan.objectives[0], 8)
    racing.save_results(race, found, seconds=0.1)
    assert racing.claim_results(race.pk, last=True) is None
    racing.release_results(race)
    assert Race.objects.get(pk=race.pk).results == found
    assert racing.claim_results(race.pk, last=False) is None
    assert racing.claim_results(race.pk, last=True)
    long_ago(Race.objects.filter(pk=race.pk), "results_until")
    assert racing.claim_results(race.pk, last=True), "who computed them fell silent"


def test_a_race_that_has_run_is_completed_once(race):
    while lane := claimed(race):
        lanes.finish(lane, DONE)
    assert racing.is_run(race.pk)
    assert racing.close(race, "races/1/report.html")
    assert not racing.close(race, "races/1/other.html")
    race.refresh_from_db()
    assert (race.status, race.closed, race.report) == (Race.Status.COMPLETED, True, "races/1/report.html")
    assert race.finished_at
    assert racing.claim_results(race.pk, last=True) is None


def test_a_race_in_which_every_lane_failed_fails_with_the_reason(race):
    while lane := claimed(race):
        lanes.fail(lane, Sentence("There is no table {name}.", {"name": "toy"}))
    racing.close(race, "")
    race.refresh_from_db()
    assert race.status == Race.Status.FAILED
    assert str(race.sentence) == "There is no table toy."


def test_a_stopped_race_stays_stopped_when_its_results_come(race):
    lanes.finish(claimed(race), DONE)
    racing.stop(race)
    racing.close(race, "")
    race.refresh_from_db()
    assert (race.status, race.closed) == (Race.Status.STOPPED, True)


def test_the_clock_asks_for_results_that_nobody_computed(race):
    racing.stop(race)
    sweep()
    race.refresh_from_db()
    asked = race.sent_at
    assert asked
    sweep()
    race.refresh_from_db()
    assert race.sent_at == asked
    racing.close(race, "")
    long_ago(Race.objects.filter(pk=race.pk), "sent_at")
    sweep()
    assert Race.objects.get(pk=race.pk).sent_at < asked


def test_only_a_race_that_is_over_is_deleted_and_its_report_with_it(race, settings, tmp_path):
    backend = "django.core.files.storage.FileSystemStorage"
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": backend, "OPTIONS": {"location": tmp_path}}}
    assert not racing.delete(race)
    racing.stop(race)
    path = default_storage.save("races/1/report.html", ContentFile(b"<p>"))
    racing.close(race, path)
    race.refresh_from_db()
    assert racing.delete(race)
    assert not RaceLane.objects.exists()
    assert not default_storage.exists(path)


def test_a_table_is_in_use_until_the_race_on_it_has_its_results(race):
    assert drafts.uses_of("toy") == [race]
    racing.stop(race)
    assert drafts.uses_of("toy") == [race]
    racing.close(race, "")
    assert drafts.uses_of("toy") == []

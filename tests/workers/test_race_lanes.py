"""A worker's turn at a race through a real racer: lanes, results, a stop, a kill, and what else waits."""

import json
import os
import signal
import threading
import time
from dataclasses import replace
from itertools import product

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from nas.race.results import kept, results
from nas.race.running import lane as run_lane
from nas.rehearsal import on_table
from nas.tables import writing
from searches import drafts, lanes, lifecycle, racing
from searches.advance import advance
from searches.forms.race import PLAN
from searches.models import Race, RaceLane, Run, Worker
from workers import presence, tasks
from workers.racing import end, racer, take_turn

pytestmark = pytest.mark.django_db(transaction=True)
Status = RaceLane.Status


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A search on a table of 4096 networks, large enough for a strategy to think for a while."""
    monkeypatch.setenv("NAS_TABLE_DIR", str(tmp_path / "tables"))
    monkeypatch.delenv("NAS_DATA_DIR", raising=False)
    lines = ["a,b,c,d,e,f,toy.valid_accuracy.9ep:max,toy.test_accuracy.9ep:max"]
    for choices in product(range(4), repeat=6):
        lines.append(",".join(map(str, (*choices, 50 + sum(choices), 49 + sum(choices)))))
    file = tmp_path / "toy.csv"
    file.write_text("\n".join(lines))
    writing.add(file, "toy", "Toy networks")
    return replace(on_table(PLAN, "toy"), budget=8)


@pytest.fixture
def beside():
    """The process that runs lanes; started by whoever asks, ended with the test."""
    started = racer()
    yield started
    started.kill()


@pytest.fixture
def me():
    presence.arrive()
    return Worker.objects.get(name=presence.name())


def start(plan, strategies=("genetic",), seeds=2):
    race = racing.start("a race", None, plan, strategies, seeds, "default")
    RaceLane.objects.update(sent_at=None)
    return race


def slow(plan):
    """A race whose first lane takes minutes."""
    return start(replace(plan, budget=3000), ("bayesian",), 1)


def soon(do, seconds=1.0):
    """Do something while the test's own thread waits for the racer."""

    def later():
        time.sleep(seconds)
        do()
        connection.close()

    thread = threading.Thread(target=later)
    thread.start()
    return thread


def test_turns_bring_a_race_to_its_end_with_the_results_of_the_engine(plan, beside, me):
    race = start(plan, seeds=3)
    while lane := lanes.claim_next(race.pk, me.name):
        take_turn(lane, beside if beside.is_alive else racer())
        RaceLane.objects.update(sent_at=None)
    race.refresh_from_db()
    assert (race.status, race.closed) == (Race.Status.COMPLETED, True)
    own = [lane.kept for lane in race.lanes.all()]
    for lane, short in zip(race.lanes.all(), own, strict=True):
        assert short.points[-1].best == run_lane(lane.plan).best[-1]
    assert race.results == results(own, race.contest.entrants, race.plan.objectives[0], 8)
    with default_storage.open(race.report) as stream:
        report = stream.read().decode()
    assert "Race on Toy networks" in report
    assert report.count("after 8 evaluations") == 1
    assert not beside.is_alive, "a racer with nothing to do only takes memory"


def test_a_turn_takes_many_short_lanes_and_then_lets_others_have_theirs(plan, beside, me):
    race = start(plan, seeds=400)
    began = time.monotonic()
    take_turn(lanes.claim_next(race.pk, me.name), beside, seconds=1)
    assert time.monotonic() - began < 10
    assert race.lanes.filter(status=Status.DONE).count() > 5
    assert race.lanes.filter(status=Status.RUNNING).count() == 0
    # One message for the next lane stands behind whatever else waits in the queue.
    assert race.lanes.filter(status=Status.QUEUED).exclude(sent_at=None).count() == 1
    race.refresh_from_db()
    assert race.results.lanes >= 1


def test_a_turn_is_one_lane_while_another_search_on_a_table_waits_for_the_same_workers(plan, beside, me, alice):
    run = drafts.new_rehearsal(alice, "toy")
    lifecycle.start(run)
    advance(run.pk)
    race = start(plan, seeds=400)
    take_turn(lanes.claim_next(race.pk, me.name), beside)
    assert race.lanes.filter(status=Status.DONE).count() == 1
    Run.objects.update(queue="gpus")
    RaceLane.objects.update(sent_at=None)
    take_turn(lanes.claim_next(race.pk, me.name), beside, seconds=1)
    assert race.lanes.filter(status=Status.DONE).count() > 3


def test_stopping_a_race_ends_a_long_lane_at_once(plan, beside, me):
    race = slow(plan)
    thread = soon(lambda: racing.stop(race))
    began = time.monotonic()
    take_turn(lanes.claim_next(race.pk, me.name), beside)
    thread.join()
    assert time.monotonic() - began < 8
    assert not beside.is_alive
    assert set(race.lanes.values_list("status", flat=True)) == {Status.CANCELLED}
    tasks.race_results(race.pk)
    race.refresh_from_db()
    assert (race.status, race.closed, race.results) == (Race.Status.STOPPED, True, None)


def test_results_of_a_stopped_race_are_those_of_the_lanes_that_were_done(plan, me):
    race = start(plan)
    tasks.race_results(race.pk)  # too early: it has not run
    first = lanes.claim_next(race.pk, me.name)
    tasks.race_lane(first.pk, first.attempt)  # a doubled message
    assert not race.lanes.filter(status=Status.DONE).exists()
    lanes.finish(first, kept(run_lane(first.plan)))
    racing.stop(race)
    tasks.race_results(race.pk)
    race.refresh_from_db()
    assert (race.status, race.closed, race.results.lanes) == (Race.Status.STOPPED, True, 1)
    assert default_storage.exists(race.report)
    tasks.go()


def test_a_racer_that_is_killed_costs_an_attempt_and_no_lane(plan, beside, me):
    race = slow(plan)
    lane = lanes.claim_next(race.pk, me.name)
    thread = soon(lambda: os.kill(beside.pid, signal.SIGKILL))
    take_turn(lane, beside)
    thread.join()
    lane.refresh_from_db()
    assert (lane.status, lane.attempt, lane.losses) == (Status.QUEUED, 2, 1)
    assert race.lanes.filter(status=Status.QUEUED).count() == 2


def test_a_race_whose_last_results_cannot_be_computed_ends_at_the_third_try(plan, me):
    race = start(plan, seeds=1)
    for lane in iter(lambda: lanes.claim_next(race.pk, me.name), None):
        lanes.finish(lane, kept(run_lane(lane.plan)))
    for _ in range(3):
        race.refresh_from_db()
        assert race.is_open
        assert racing.claim_results(race.pk, last=True)
        killed = racer()
        os.kill(killed.pid, signal.SIGKILL)
        end(race, killed)
    race.refresh_from_db()
    assert (race.status, race.closed, race.report) == (Race.Status.FAILED, True, "")
    assert str(race.sentence) == "The process that ran it ended with code -9."


def test_a_worker_that_winds_down_gives_its_lane_back(plan, beside, me):
    race = slow(plan)
    lane = lanes.claim_next(race.pk, me.name)
    thread = soon(presence.drain)
    take_turn(lane, beside)
    thread.join()
    lane.refresh_from_db()
    assert (lane.status, lane.attempt, lane.losses) == (Status.QUEUED, 2, 0)


def test_a_worker_that_comes_up_again_gives_back_the_lane_it_held(plan, me):
    race = start(plan)
    lane = lanes.claim_next(race.pk, me.name)
    presence.arrive()
    lane.refresh_from_db()
    assert (lane.status, lane.attempt, lane.worker) == (Status.QUEUED, 2, "")
    assert race.lanes.filter(sent_at=None).count() == 4


def test_a_table_that_is_gone_fails_the_race_with_that_reason(plan, beside, me, tmp_path):
    race = start(plan, seeds=1)
    (tmp_path / "tables" / "toy.npz").unlink()
    take_turn(lanes.claim_next(race.pk, me.name), beside)
    race.refresh_from_db()
    assert race.status == Race.Status.FAILED
    assert str(race.sentence).startswith("There is no table toy;")


def test_what_the_racer_cannot_read_is_an_answer_and_not_its_end(beside):
    beside.order({"lane": {"strategy": 5}})
    told = beside.hear(20)
    assert told["type"] == "Failed"
    assert json.dumps(told["sentence"])
    assert beside.is_alive

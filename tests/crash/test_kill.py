"""Whatever is killed, a run loses no candidate, counts none twice, and completes."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.running import Stack, wait_until

pytestmark = [pytest.mark.crash, pytest.mark.slow]

BUDGET = 4
START = f"""
from nas import codec
from nas.evaluation.protocol import Split
from nas.plan import Plan
from nas.spaces.catalogue import SpaceSpec
from nasweb.signin import ensure_admin
from searches import lifecycle
from searches.models import Run
plan = Plan(
    Split("digits"), SpaceSpec("chain", {{}}), "random", budget={BUDGET}, epochs=4, final_epochs=2, final_seeds=1
)
run = Run.objects.create(name="crash", owner=ensure_admin(), plan_json=codec.dump(plan))
lifecycle.start(run)
result = run.pk
"""


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of two workers, each with its runner, that this module may hurt."""
    running = Stack(tmp_path_factory.mktemp("crash") / "home").start()
    yield running
    running.kill()


def evaluations(stack: Stack, run: int) -> list[dict[str, object]]:
    return stack.rows("SELECT * FROM searches_evaluation WHERE run_id = ? ORDER BY id", run)


def start_and_wait_for_training(stack: Stack) -> int:
    run = int(stack.execute(START))
    wait_until(lambda: any(row["status"] == "running" for row in evaluations(stack, run)), 60, 0.05)
    # Into the training itself: an epoch has been told.
    wait_until(lambda: stack.rows("SELECT 1 FROM searches_event WHERE run_id = ? AND kind = 'epoch'", run), 60, 0.05)
    return run


def check_complete(stack: Stack, run: int) -> None:
    """Wait for the end of the run, then hold its rows and its events against each other."""

    def ended() -> bool:
        (row,) = stack.rows("SELECT status FROM searches_run WHERE id = ?", run)
        return row["status"] in ("completed", "failed", "cancelled")

    wait_until(ended, 150, 0.5)
    (row,) = stack.rows("SELECT * FROM searches_run WHERE id = ?", run)
    assert row["status"] == "completed"
    assert row["winner_id"]
    rows = evaluations(stack, run)
    assert Counter((one["stage"], one["status"]) for one in rows) == {
        ("search", "measured"): BUDGET,
        ("final", "measured"): 2,
    }
    candidates = stack.rows("SELECT number FROM searches_candidate WHERE run_id = ? ORDER BY number", run)
    numbers = [one["number"] for one in candidates]
    assert numbers == sorted(set(numbers))
    measured = stack.rows("SELECT data FROM searches_event WHERE run_id = ? AND kind = 'measured'", run)
    assert len(measured) == BUDGET + 2
    events = stack.rows("SELECT seq FROM searches_event WHERE run_id = ? ORDER BY seq", run)
    assert events[-1]["seq"] == row["last_seq"]


def requeued(stack: Stack, run: int) -> int:
    return len(stack.rows("SELECT 1 FROM searches_event WHERE run_id = ? AND kind = 'requeued'", run))


@pytest.mark.parametrize("victim", ["runner", "worker0"])
def test_a_killed_trainer_costs_an_attempt_and_no_candidate(crashing: Stack, victim: str) -> None:
    run = start_and_wait_for_training(crashing)
    process = crashing.part(victim)
    for kin in [*process.children(recursive=True), process]:
        kin.kill()
    check_complete(crashing, run)
    assert requeued(crashing, run) <= 2


@pytest.mark.parametrize("victim", ["valkey", "web", "sweep"])
def test_a_killed_servant_costs_nothing(crashing: Stack, victim: str) -> None:
    run = start_and_wait_for_training(crashing)
    crashing.part(victim).kill()
    check_complete(crashing, run)
    assert requeued(crashing, run) == 0


def test_a_worker_that_froze_for_longer_than_its_lease_writes_nothing_twice(crashing: Stack) -> None:
    run = start_and_wait_for_training(crashing)
    worker = crashing.part("worker0")
    frozen = [worker, *worker.children(recursive=True)]
    for process in frozen:
        process.suspend()
    time.sleep(6)  # The lease is 4 s.
    for process in frozen:
        process.resume()
    check_complete(crashing, run)


def test_after_everything_was_killed_at_once_a_new_start_goes_on(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home").start()
    run = start_and_wait_for_training(stack)
    processes = stack.processes()
    stack.kill()
    assert not [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    stack.start()
    check_complete(stack, run)
    assert stack.stop() == 0


def test_stopping_gives_the_leases_back_at_once_and_the_next_start_goes_on(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home").start()
    run = start_and_wait_for_training(stack)
    assert stack.process
    os.kill(stack.process.pid, signal.SIGTERM)
    assert stack.process.wait(30) == 0
    rows = evaluations(stack, run)
    assert not [row for row in rows if row["status"] == "running"]
    assert not [row for row in rows if row["losses"]]
    stack.start()
    check_complete(stack, run)
    assert stack.stop() == 0

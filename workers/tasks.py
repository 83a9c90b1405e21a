"""What Celery calls. The pool process of a worker keeps one warm runner beside it, and for races a racer."""

import contextlib
import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_process_shutdown, worker_shutting_down
from django.db import DatabaseError

from nas.sentences import Sentence
from searches import checking, lanes, leases, racing
from searches.advance import advance
from searches.dispatch import CHECK_UPLOAD, EVALUATE, RACE_LANE, RACE_RESULTS
from workers import presence
from workers.checking import check
from workers.evaluating import Drive, limit_of
from workers.racing import end, racer, take_turn
from workers.warm import Runner

log = logging.getLogger(__name__)
STUMBLED = "The worker could not go on: {error}."
_runner: Runner | None = None
_racer: Runner | None = None


@shared_task(name=EVALUATE)
def evaluate(evaluation_id: int, attempt: int) -> None:
    """Claim an evaluation, do it, and let its run go on."""
    if presence.is_draining():
        return
    evaluation = leases.claim(evaluation_id, attempt, presence.name())
    if evaluation is None:
        return
    try:
        Drive(evaluation, warm_runner(), limit_of(evaluation)).until_over()
    except Exception as error:
        # Whatever was met here says nothing about the network: give it back now instead of when the lease falls silent.
        log.exception("evaluation %s", evaluation.pk)
        leases.lose(evaluation, Sentence(STUMBLED, {"error": str(error)}))
    advance(evaluation.run_id)


@shared_task(name=RACE_LANE)
def race_lane(lane_id: int, attempt: int) -> None:
    """Claim a lane of a race and take a turn at that race."""
    if presence.is_draining():
        return
    lane = lanes.claim(lane_id, attempt, presence.name())
    if lane is None:
        return
    try:
        take_turn(lane, warm_racer())
    except Exception as error:
        log.exception("lane %s", lane.pk)
        lanes.lose(lane, Sentence(STUMBLED, {"error": str(error)}))


@shared_task(name=RACE_RESULTS)
def race_results(race_id: int) -> None:
    """Compute the last results of a race that has run or was stopped."""
    if presence.is_draining() or not racing.is_run(race_id):
        return
    if race := racing.claim_results(race_id, last=True):
        end(race, warm_racer())


@shared_task(name=CHECK_UPLOAD)
def check_upload(upload_id: int, attempt: int) -> None:
    """Claim a file that somebody sent and make a dataset of it, or say why not."""
    if presence.is_draining():
        return
    upload = checking.claim(upload_id, attempt, presence.name())
    if upload is None:
        return
    try:
        check(upload)
    except Exception as error:
        log.exception("upload %s", upload.pk)
        checking.lose(upload, Sentence(STUMBLED, {"error": str(error)}))


def warm_racer() -> Runner:
    """Return the process that runs lanes, a new one where the last has ended."""
    global _racer
    if _racer is None or not _racer.is_alive:
        _racer = racer()
    return _racer


def warm_runner() -> Runner:
    """Return the runner, a new one where the last has ended."""
    global _runner
    if _runner is None or not _runner.is_alive:
        _runner = Runner()
    return _runner


@worker_process_init.connect
def come_up(**_: Any) -> None:
    """In the pool process, before its first task: the runner imports torch while nothing waits for it yet."""
    presence.arrive()
    presence.keep_beating()
    warm_runner()


@worker_shutting_down.connect
def wind_down(**_: Any) -> None:
    """In the parent, on the first signal: the pool process reads the flag within half a second."""
    with contextlib.suppress(DatabaseError):
        presence.drain()


@worker_process_shutdown.connect
def go(**_: Any) -> None:
    """In the pool process, at its end."""
    for beside in (_runner, _racer):
        if beside is not None:
            beside.kill()
    with contextlib.suppress(DatabaseError):
        presence.depart()

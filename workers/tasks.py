"""What Celery calls. The pool process of a worker keeps one warm runner beside it."""

import contextlib
import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_process_shutdown, worker_shutting_down
from django.db import DatabaseError

from nas.sentences import Sentence
from searches import leases
from searches.advance import advance
from searches.dispatch import EVALUATE
from workers import presence
from workers.evaluating import Drive, limit_of
from workers.warm import Runner

log = logging.getLogger(__name__)
STUMBLED = "The worker could not go on: {error}."
_runner: Runner | None = None


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
    if _runner is not None:
        _runner.kill()
    with contextlib.suppress(DatabaseError):
        presence.depart()

"""A whole search by gradient through a real runner: to its end, killed and paused on the way, taken by a person."""

import os
import signal
import threading
import time

import pytest
from django.db import connection

from nas import codec
from nas.evaluation.protocol import Split
from nas.evaluation.relaxed.search import Relaxed
from nas.events import EpochSearched
from nas.spaces.catalogue import SpaceSpec
from searches import leases, lifecycle
from searches.advance import advance
from searches.models import Evaluation, Run
from workers import artifacts
from workers.evaluating import Drive, job_of
from workers.warm import Runner

pytestmark = pytest.mark.django_db(transaction=True)
Status = Evaluation.Status
CELLS = SpaceSpec("nasbench201", {"cells": 1, "channels": 4, "operations": ("none", "skip_connect", "nor_conv_3x3")})


@pytest.fixture
def search(make_run, worker):
    """Return a function that starts a search of so many epochs and claims its evaluation."""

    def begin(budget, strategy="gdas", **settings):
        run = make_run(
            split=Split("digits", valid_share=0.5),
            space=CELLS,
            strategy=strategy,
            strategy_settings={"batch_size": 128, **settings},
            limits=(),
            budget=budget,
            final_epochs=1,
            final_seeds=1,
        )
        lifecycle.start(run)
        advance(run.pk)
        return leases.claim(run.evaluations.get().pk, 1, "w@here")

    return begin


def once_searched(run, epochs, do):
    """Do something in another thread once so many epochs are written."""

    def look():
        limit = time.monotonic() + 60
        while run.generations.count() < epochs and time.monotonic() < limit:
            time.sleep(0.02)
        do()
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    return thread


def timeless(metrics):
    return {name: value for name, value in metrics.items() if name != "training_seconds"}


def test_it_is_searched_and_the_winner_trained_like_any_other(search, warm):
    supernet = search(3)
    run = supernet.run
    Drive(supernet, warm, 60).until_over()
    advance(run.pk)
    supernet.refresh_from_db()
    assert supernet.status == Status.MEASURED
    assert [point["epoch"] for point in supernet.curve] == [1, 2, 3]
    assert not any(artifacts.workdir(supernet).iterdir())
    for evaluation in run.evaluations.filter(status=Status.QUEUED):
        Drive(leases.claim(evaluation.pk, 1, "w@here"), warm, 60).until_over()
        advance(run.pk)
    run.refresh_from_db()
    assert (run.status, run.winner.number) == (Run.Status.COMPLETED, 3)
    assert [one.number for one in run.generations.all()] == [1, 2, 3]
    assert set(run.generations.last().alpha) == {f"edge {s}-{t}" for t in (1, 2, 3) for s in range(t)}
    assert run.evaluations.filter(stage=Run.Stage.FINAL, status=Status.MEASURED).count() == 2


def test_killed_and_paused_it_finds_what_it_would_have_found(search, warm):
    """Two interruptions: the runner dies, then a person pauses; every epoch is there once, as if nothing had been."""
    supernet = search(40)
    run, runner = supernet.run, Runner()
    thread = once_searched(run, 3, lambda: os.kill(runner.pid, signal.SIGKILL))
    Drive(supernet, runner, 60).until_over()
    thread.join()
    again = leases.claim(supernet.pk, 2, "w@here")
    thread = once_searched(run, 6, lambda: lifecycle.pause(Run.objects.get(pk=run.pk)))
    Drive(again, warm, 60).until_over()
    thread.join()
    assert 6 <= run.generations.count() < 40
    advance(run.pk)
    assert lifecycle.resume(run)
    last = leases.claim(supernet.pk, 3, "w@here")
    Drive(last, warm, 60).until_over()
    last.refresh_from_db()
    assert (last.status, last.attempt, last.losses) == (Status.MEASURED, 3, 1)
    whole = [said for said in Relaxed().evaluate(job_of(last)) if isinstance(said, EpochSearched)]
    rows = run.evaluations.filter(stage=Run.Stage.SEARCH).order_by("candidate__number").select_related("candidate")
    assert [tuple(one.of.choices) for one in rows] == [epoch.architecture.choices for epoch in whole]
    assert [timeless(one.metrics) for one in rows] == [timeless(epoch.metrics) for epoch in whole]
    assert [one.alpha for one in run.generations.all()] == [epoch.alpha for epoch in whole]


def test_taken_by_a_person_it_stops_and_trains_that_architecture(search, warm):
    supernet = search(100_000, "snas")
    run = supernet.run
    thread = once_searched(run, 3, lambda: lifecycle.take(Run.objects.get(pk=run.pk), 2))
    Drive(supernet, warm, 60).until_over()
    thread.join()
    advance(run.pk)
    run.refresh_from_db()
    assert (run.stage, run.winner.number) == (Run.Stage.FINAL, 2)
    assert run.evaluations.get(stage=Evaluation.SUPERNET).status == Status.CANCELLED


class Slow:
    """A runner whose epochs come one by one, each after a while."""

    def __init__(self, epochs, seconds):
        self.epochs, self.seconds = iter(epochs), seconds

    def submit(self, job):
        assert job.evaluator == "relaxed"

    def hear(self, timeout_seconds):
        time.sleep(self.seconds)
        return codec.dump_tagged(next(self.epochs))


def test_the_time_limit_is_that_of_an_epoch(search, tmp_path):
    """Four epochs that take longer than the limit together, and none of them by itself."""
    supernet = search(4)
    said = list(Relaxed().evaluate(job_of(supernet)))[1:]
    Drive(supernet, Slow(said, 0.5), 1.2).until_over()
    supernet.refresh_from_db()
    assert supernet.status == Status.MEASURED

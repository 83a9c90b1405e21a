"""The product's runner processes at work: how many candidates an hour they train, and what a kill costs."""

import os
import queue
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from nas.datasets.catalogue import dataset
from nas.evaluation.protocol import Fidelity, Job, Split, Training
from nas.spaces import catalogue, moves
from nas.spaces.catalogue import SpaceSpec
from nas.strategies.protocol import dice
from workers.warm import Runner

SPACE = SpaceSpec("resnet", {"min_stages": 3, "blocks": ("basic",)})
IMAGES, SILENCE = 5000, 300.0


def per_hour(candidates: int, name: str) -> tuple[float, float]:
    """Return the candidates per hour of two workers of one thread, and of one worker of two threads."""
    with tempfile.TemporaryDirectory() as work:
        teams = {threads: [_runner(threads) for _ in range(2 // threads)] for threads in (1, 2)}
        best = {1: 0.0, 2: 0.0}
        for team in teams.values():  # the first job of each imports torch and reads the data
            _seconds(team, [_job(work, name, number, 10_000 + number) for number in range(len(team))])
        for turn in range(2):
            for threads, team in teams.items():
                jobs = [_job(work, name, number, 100 * turn + 10 * threads + number) for number in range(candidates)]
                best[threads] = max(best[threads], 3600 * candidates / _seconds(team, jobs))
        for team in teams.values():
            for runner in team:
                runner.kill()
    return best[1], best[2]


def killed() -> tuple[int, float]:
    """Return the epochs that a killed training repeats, and the seconds until the next attempt is where it was."""
    with tempfile.TemporaryDirectory() as work:
        # Small batches make an epoch of more than a second: shorter ones share a checkpoint a second.
        job = replace(_job(work, "digits", 1, 0), epochs=6, training=Training(batch_size=2, learning_rate=0.001))
        first = _runner(1)
        seen = _epochs(first, job, 2)
        time.sleep(seen[-1]["seconds"] / 4)  # into the next epoch
        first.kill()
        started, second = time.monotonic(), _runner(1)
        again = _epochs(second, job, 2)
        seconds = time.monotonic() - started
        second.kill()
        same = sum(before["seconds"] == after["seconds"] for before, after in zip(seen, again, strict=True))
        return len(seen) - same, seconds


def _runner(threads: int) -> Runner:
    return Runner(environment={"OMP_NUM_THREADS": str(threads)})


def _job(work: str, name: str, number: int, folder: int) -> Job:
    """Return a candidate's job: 5,000 images or so, seen once, or a few times where there are no more than that."""
    space = catalogue.build(SPACE, dataset(name).task)
    choices = moves.sample(space, dice(7, number)).choices
    roots = tuple(place for place in os.environ.get("NAS_DATA_DIR", "").split(os.pathsep) if place)
    share = min(1.0, IMAGES / dataset(name).train)
    epochs = max(1, round(IMAGES / dataset(name).train))
    place = str(Path(work) / str(folder))
    job = Job(SPACE, choices, Split(name), Training(), epochs, 1, "search", place, roots)
    return replace(job, fidelity=Fidelity(share=share))


def _seconds(team: list[Runner], jobs: list[Job]) -> float:
    """Return how long a team takes for jobs, each of which goes to whoever is free."""
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    started = time.monotonic()
    threads = [threading.Thread(target=_work, args=(runner, waiting)) for runner in team]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started


def _work(runner: Runner, waiting: "queue.SimpleQueue[Job]") -> None:
    while True:
        try:
            job = waiting.get_nowait()
        except queue.Empty:
            return
        runner.submit(job)
        said: list[str] = []
        while not said or said[-1] != "Idle":
            said.append(_hear(runner)["type"])
        assert "Measured" in said, said


def _epochs(runner: Runner, job: Job, count: int) -> list[dict[str, Any]]:
    runner.submit(job)
    found: list[dict[str, Any]] = []
    while len(found) < count:
        message = _hear(runner)
        assert message["type"] in ("Ready", "Prepared", "EpochEnded"), message
        found += [message] if message["type"] == "EpochEnded" else []
    return found


def _hear(runner: Runner) -> dict[str, Any]:
    message = runner.hear(SILENCE)
    assert message is not None, f"nothing was heard for {SILENCE:.0f} s"
    return message

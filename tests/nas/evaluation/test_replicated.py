"""Several seeds per candidate: their mean is told, and one that ends badly or hopelessly ends them all."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nas.evaluation.catalogue import evaluator
from nas.evaluation.protocol import Job, Split
from nas.evaluation.replicated import Replicated
from nas.events import Ended, EpochEnded, Event, Measured, Prepared
from nas.jobs import final_seeds
from nas.plan import Plan
from nas.policy import Policy
from nas.sentences import Sentence
from nas.spaces.catalogue import SpaceSpec
from tests.nas.evaluation.jobs import digits

LOST = Ended("nan", Sentence("It diverged.", {}))


@dataclass(frozen=True)
class Fake:
    """Trains for the epochs of the job, with an accuracy that is ten times its seed; notes every job."""

    jobs: list[Job]
    stops: int = 0  # the seed that is stopped after its first epoch
    fails: int = 0  # the seed that diverges

    def evaluate(self, job: Job) -> Iterator[Event]:
        self.jobs.append(job)
        yield Prepared("print", "cpu")
        last = 1 if job.seed == self.stops else job.until or job.epochs
        for epoch in range(1, last + 1):
            yield EpochEnded(epoch, job.epochs, 1.0, 1.0, 10.0 * job.seed, 0.1 * epoch)
        if job.seed == self.fails:
            yield LOST
            return
        yield Measured({"accuracy": 10.0 * job.seed, "parameters": 100.0, "epochs": float(last)})


def replicated(tmp_path, seeds=3, stops=0, fails=0, **changes):
    """What is said of a job of that many seeds, counted from 1, and the jobs that were done for it."""
    jobs: list[Job] = []
    job = digits(tmp_path, policy=Policy(replicates=seeds), **changes)
    return list(Replicated(Fake(jobs, stops, fails)).evaluate(job)), jobs


def test_the_mean_over_seeds_is_told_and_the_spread_of_the_accuracy(tmp_path: Path) -> None:
    said, jobs = replicated(tmp_path)
    assert said[-1] == Measured({"accuracy": 20.0, "parameters": 100.0, "epochs": 2.0, "accuracy_sd": 10.0})
    assert [job.seed for job in jobs] == [1, 2, 3]
    assert [type(event) for event in said] == [Prepared, *[EpochEnded] * 6, Measured]


def test_epochs_run_through_all_seeds(tmp_path: Path) -> None:
    points = [event for event in replicated(tmp_path)[0] if isinstance(event, EpochEnded)]
    assert [(point.epoch, point.epochs) for point in points] == [(n, 6) for n in range(1, 7)]


def test_every_seed_has_a_folder_of_its_own_inside_the_candidates(tmp_path: Path) -> None:
    folders = [Path(job.workdir) for job in replicated(tmp_path)[1]]
    assert len(set(folders)) == 3
    assert all(folder.parent == tmp_path for folder in folders)


def test_one_seed_that_cannot_go_on_ends_the_candidate(tmp_path: Path) -> None:
    said, jobs = replicated(tmp_path, fails=2)
    assert said[-1] == LOST
    assert not any(isinstance(event, Measured) for event in said)
    assert [job.seed for job in jobs] == [1, 2]


@pytest.mark.parametrize(("stops", "accuracy", "spread"), [(1, 10.0, None), (2, 15.0, pytest.approx(50**0.5))])
def test_a_seed_that_is_stopped_early_spares_the_others(tmp_path: Path, stops, accuracy, spread) -> None:
    said, jobs = replicated(tmp_path, stops=stops)
    assert isinstance(said[-1], Measured)
    assert said[-1].metrics["accuracy"] == accuracy
    assert said[-1].metrics.get("accuracy_sd") == spread
    # Fewer epochs than it was given: a candidate that was stopped never comes before one that was not.
    assert said[-1].metrics["epochs"] < 2
    assert len(jobs) == stops


def test_a_lower_rung_is_complete_at_its_own_end(tmp_path: Path) -> None:
    assert len(replicated(tmp_path, epochs=9, until=3)[1]) == 3


def test_only_the_search_is_replicated(tmp_path: Path) -> None:
    policy = Policy(replicates=2)
    assert isinstance(evaluator(digits(tmp_path, policy=policy)), Replicated)
    assert not isinstance(evaluator(digits(tmp_path, policy=policy, stage="final")), Replicated)
    assert not isinstance(evaluator(digits(tmp_path)), Replicated)


def test_no_seed_of_the_search_is_used_again_in_the_end() -> None:
    plan = Plan(Split("digits"), SpaceSpec("chain", {}), "genetic", seed=7, policy=Policy(replicates=3))
    assert final_seeds(plan) == (10, 11, 12)


def test_trained_twice_a_candidate_has_the_mean_of_both(tmp_path: Path) -> None:
    def accuracy(name: str, **changes) -> float:
        job = digits(tmp_path / name, epochs=1, **changes)
        last = list(evaluator(job).evaluate(job))[-1]
        assert isinstance(last, Measured)
        return last.metrics["accuracy"]

    alone = [accuracy(f"seed {seed}", seed=seed) for seed in (1, 2)]
    assert alone[0] != alone[1]
    assert accuracy("both", policy=Policy(replicates=2)) == pytest.approx(sum(alone) / 2)

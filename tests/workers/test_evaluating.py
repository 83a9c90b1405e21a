"""One evaluation driven through a real runner: measured, cancelled, paused, timed out, killed, resumed."""

import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from nas import codec
from nas.datasets.adding import remove
from nas.evaluation.protocol import Fidelity, Split
from nas.evaluation.trained import HALVED
from nas.events import EpochEnded, Measured, Noted, Prepared
from nas.policy import Policy
from nas.sentences import Sentence
from nas.spaces.catalogue import SpaceSpec
from searches import leases, lifecycle
from searches.advance import advance
from searches.models import Candidate, Evaluation, Event, Run, StrategyState
from searches.story import story
from tests.nas.datasets.made import made
from workers import artifacts, presence, tasks
from workers.evaluating import Drive, job_of, limit_of
from workers.warm import Runner

pytestmark = pytest.mark.django_db(transaction=True)
Status = Evaluation.Status


@pytest.fixture
def claimed(make_run, worker):
    """Return a function that starts a search with these changes to its plan and claims its first evaluation."""

    def claim(**changes):
        run = make_run(**changes)
        lifecycle.start(run)
        advance(run.pk)
        return leases.claim(run.evaluations.first().pk, 1, "w@here")

    return claim


def when_training(evaluation, do):
    """Do something once the first epoch of an evaluation was published."""

    def look():
        limit = time.monotonic() + 30
        while not Event.objects.filter(evaluation_id=evaluation.pk, kind="epoch").exists():
            if time.monotonic() > limit:
                break
            time.sleep(0.05)
        else:
            do()
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    return thread


def test_a_candidate_is_trained_and_measured(claimed, warm):
    evaluation = claimed()
    Drive(evaluation, warm, 60).until_over()
    evaluation.refresh_from_db()
    assert evaluation.status == Status.MEASURED
    assert 0 <= evaluation.metrics["accuracy"] <= 100
    assert evaluation.metrics["parameters"] == evaluation.candidate.parameters
    assert [point["epoch"] for point in evaluation.curve] == [1, 2]
    assert Run.objects.get(pk=evaluation.run_id).fingerprint
    assert not any(artifacts.workdir(evaluation).iterdir())


class Scripted:
    """A runner that says what it was given to say."""

    def __init__(self, *said):
        self.said = [codec.dump_tagged(event) for event in said]

    def submit(self, job):
        self.job = job

    def hear(self, timeout_seconds):
        return self.said.pop(0)


def test_a_batch_that_was_halved_is_told_in_the_log_and_begins_a_new_curve(claimed):
    evaluation = claimed()
    noted = Noted(Sentence(HALVED, {"size": 128, "half": 64}))
    points = [EpochEnded(number, 2, loss, loss, 50.0, 1.0) for number, loss in ((1, 9.0), (1, 3.0), (2, 2.0))]
    told = (Prepared("", "cuda"), points[0], noted, *points[1:], Measured({"accuracy": 50.0, "epochs": 2}))
    Drive(evaluation, Scripted(*told), 60).until_over()
    evaluation.refresh_from_db()
    assert [point["train_loss"] for point in evaluation.curve] == [3.0, 2.0]
    texts = [line.text for line in story(evaluation.run)]
    said = "Candidate 1: It did not fit into the memory with 128 images per step, and is trained with 64."
    assert said in texts


def test_a_network_that_is_none_is_invalid(claimed, warm):
    evaluation = claimed()
    evaluation.candidate.choices = [99]
    Drive(evaluation, warm, 60).until_over()
    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.cause) == (Status.FAILED, "invalid")


def test_what_takes_too_long_ends_with_that_cause(claimed, warm):
    evaluation = claimed(epochs=100_000)
    Drive(evaluation, warm, 1.5).until_over()
    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.cause) == (Status.FAILED, "timeout")
    assert str(evaluation.sentence) == "It took longer than the limit of 2 seconds."
    assert warm.is_alive


def test_a_pause_gives_it_back_with_its_checkpoint_and_it_resumes(claimed, warm):
    evaluation = claimed(epochs=100_000)
    run = evaluation.run
    thread = when_training(evaluation, lambda: (time.sleep(1.5), lifecycle.pause(run)))
    Drive(evaluation, warm, 60).until_over()
    thread.join()
    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.attempt, evaluation.losses) == (Status.QUEUED, 2, 0)
    assert any(artifacts.workdir(evaluation).iterdir())
    advance(run.pk)
    lifecycle.resume(run)
    again = leases.claim(evaluation.pk, 2, "w@here")
    drive = Drive(again, warm, 60)
    thread = when_training(again, lambda: (time.sleep(0.3), lifecycle.stop(run)))
    Event.objects.filter(kind="epoch").delete()
    drive.until_over()
    thread.join()
    assert drive.curve[0].epoch > 1 or drive.curve[-1].epoch > len(drive.curve) - 1
    again.refresh_from_db()
    assert again.status == Status.CANCELLED


def test_a_runner_that_is_killed_costs_an_attempt_and_no_candidate(claimed):
    runner = Runner()
    evaluation = claimed(epochs=100_000)
    thread = when_training(evaluation, lambda: os.kill(runner.pid, signal.SIGKILL))
    Drive(evaluation, runner, 60).until_over()
    thread.join()
    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.attempt, evaluation.losses) == (Status.QUEUED, 2, 1)
    said = Event.objects.get(kind="requeued").data["sentence"]
    assert said["values"] == {"code": -9}
    assert not runner.is_alive


def test_a_higher_rung_of_the_data_begins_with_the_weights_of_the_lower_one(claimed, warm):
    low = claimed(strategy="asha", strategy_settings={"reduction": 2, "rungs": 2}, fidelity=Fidelity(rungs="share"))
    Drive(low, warm, 60).until_over()
    above = Candidate.objects.get(pk=low.candidate_id)
    above.pk, above.number, above.origin, above.fidelity = None, 99, "promoted", 100
    above.save()
    high = Evaluation.objects.create(run=low.run, candidate=above, stage=Run.Stage.SEARCH, epochs=2, seed=low.seed)
    Drive(leases.claim(high.pk, 1, "w@here"), warm, 60).until_over()
    for one, share in ((low, 50), (high, 100)):
        one.refresh_from_db()
        assert (one.status, one.metrics.get("share")) == (Status.MEASURED, share)
    folder = artifacts.workdir(high)
    assert sorted(file.name for file in folder.iterdir()) == ["share-050.safetensors", "share-100.safetensors"]
    assert high.curve[0]["train_loss"] < low.curve[0]["train_loss"]


def test_a_network_that_a_proxy_speaks_against_is_not_trained(claimed, warm):
    evaluation = claimed(policy=Policy(proxy="synflow"))
    kept = StrategyState.objects.get(run=evaluation.run)
    taught = {"seen": [1e9] * 10, "measured": [[float(n), float(-n)] for n in range(10)], "trusted": True}
    kept.content["inner"] |= taught
    kept.save()
    Drive(evaluation, warm, 60).until_over()
    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.cause, evaluation.curve) == (Status.FAILED, "rejected", [])
    assert list(evaluation.metrics) == ["synflow"]
    assert "from 1e+09 on a training is worth it" in str(evaluation.sentence)
    assert Event.objects.filter(evaluation_id=evaluation.pk, kind="epoch").count() == 0


def test_a_worker_that_lost_its_lease_lets_go(claimed, warm):
    evaluation = claimed(epochs=100_000)
    thread = when_training(evaluation, lambda: leases.lose_all_of("w@here"))
    Drive(evaluation, warm, 60).until_over()
    thread.join()
    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.attempt) == (Status.QUEUED, 2)
    assert warm.is_alive


def test_files_are_kept_in_the_storage_under_the_ids_of_their_evaluation(claimed):
    evaluation = claimed()
    (artifacts.workdir(evaluation) / "model.py").write_text("x = 1")
    for _ in range(2):
        kept = artifacts.keep(evaluation, ("model.py",))
    assert kept == [
        {"name": "model.py", "path": f"runs/{evaluation.run_id}/evaluation-{evaluation.pk}-1/model.py", "bytes": 5}
    ]
    with default_storage.open(kept[0]["path"]) as stream:
        assert stream.read() == b"x = 1"
    artifacts.clear(evaluation)


def test_the_limit_of_a_full_training_grows_with_its_epochs(claimed):
    evaluation = claimed(candidate_seconds=10, epochs=2, final_epochs=30)
    assert limit_of(evaluation) == 10
    evaluation.stage = Run.Stage.FINAL
    assert limit_of(evaluation) == 300
    assert job_of(evaluation).stage == "final"


def test_a_worker_that_comes_up_again_takes_its_row_and_gives_back_its_work(make_run, monkeypatch):
    monkeypatch.setenv("NASWEB_WORKER_NAME", "w7")
    presence.arrive()
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    evaluation = leases.claim(run.evaluations.first().pk, 1, presence.name())
    presence.drain()
    assert presence.is_draining()
    presence.arrive()
    assert not presence.is_draining()
    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.sent_at) == (Status.QUEUED, None)


def test_a_full_disk_is_told_and_the_candidate_is_kept(make_run, worker, settings, tmp_path, monkeypatch):
    """A file where the work folder should be fails as a full disk does: with an OSError before the training."""
    (tmp_path / "work").write_text("not a folder")
    run = make_run(budget=1)
    lifecycle.start(run)
    advance(run.pk)
    evaluation = run.evaluations.get()
    for attempt in (1, 2, 3):
        tasks.evaluate(evaluation.pk, attempt)
    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.cause) == (Status.FAILED, "lost")
    assert "The worker could not go on" in str(evaluation.sentence)
    run.refresh_from_db()
    assert run.status == Run.Status.FAILED
    assert "The worker could not go on" in str(run.sentence)
    tasks.go()


def test_data_that_changed_or_are_gone_pause_the_run_and_cost_nothing(make_run, worker, warm, request):
    home = Path(os.environ["NAS_DATASET_DIR"])  # where the runner looks, which is older than this test
    request.addfinalizer(partial(remove, "rows"))
    made(home, "rows")
    run = make_run(split=Split("rows"), space=SpaceSpec("mlp", {}), strategy="random", strategy_settings={}, limits=())
    lifecycle.start(run)
    advance(run.pk)
    first, second, *_ = run.evaluations.order_by("pk")
    Drive(leases.claim(first.pk, 1, "w@here"), warm, 60).until_over()
    first.refresh_from_db()
    assert first.status == Status.MEASURED

    for spoil, said in (
        (lambda: made(home, "rows", seed=1), "Rows has changed since the run began."),
        (lambda: (home / "rows" / "about.json").unlink(), "There is no dataset rows"),
    ):
        remove("rows")
        made(home, "rows")
        if "changed" in said:
            remove("rows")
        spoil()
        second.refresh_from_db()
        Drive(leases.claim(second.pk, second.attempt, "w@here"), warm, 60).until_over()
        run.refresh_from_db()
        second.refresh_from_db()
        assert (run.status, second.status) == (Run.Status.PAUSED, Status.QUEUED)
        assert said in str(run.sentence)
        assert not run.evaluations.filter(status=Status.FAILED).exists()
        assert any(said in line.text for line in story(run)[:3])
        assert lifecycle.resume(run)
        run.refresh_from_db()
        assert run.sentence is None

    remove("rows")
    made(home, "rows")
    second.refresh_from_db()
    Drive(leases.claim(second.pk, second.attempt, "w@here"), warm, 60).until_over()
    second.refresh_from_db()
    assert second.status == Status.MEASURED, "with the old data back it goes on as if nothing had been"

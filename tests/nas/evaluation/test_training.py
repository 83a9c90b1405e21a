"""Training is repeatable, resumes exactly, and ends with a cause where it cannot go on."""

import errno
import os
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, OneCycleLR, SequentialLR

from nas.evaluation import training
from nas.evaluation.batches import Batches, Scale
from nas.evaluation.checkpoints import FILE, Checkpoint
from nas.evaluation.datasets import Part, load
from nas.evaluation.failures import ended
from nas.evaluation.protocol import Split, Training
from nas.evaluation.stopping import has_stalled
from nas.evaluation.trained import Trained
from nas.evaluation.training import cosine, one_cycle
from nas.events import Ended, EpochEnded, EvaluationFailed, Measured
from nas.sentences import Refused
from tests.nas.evaluation.jobs import curve, digits, events

CPU = torch.device("cpu")
EVERY_CHANGE = {"shift": 0.25, "rotation": 20.0, "colour": 0.3, "cutout": 0.5, "mixup": 0.4}


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after each epoch, however short."""
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)


def test_the_same_seed_gives_the_same_curve_and_another_seed_another(tmp_path: Path) -> None:
    first, again = curve(events(digits(tmp_path / "a"))), curve(events(digits(tmp_path / "b")))
    other = curve(events(digits(tmp_path / "c", seed=2)))
    assert first == again
    assert first != other


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize("stopped_after", [1, 2, 3, 4])
def test_an_interrupted_training_goes_on_as_if_nothing_had_been(tmp_path: Path, stopped_after: int) -> None:
    whole = events(digits(tmp_path / "whole", epochs=4))
    running = Trained().evaluate(digits(tmp_path / "stopped", epochs=4))
    seen = [event for event in (next(running) for _ in range(stopped_after + 1)) if isinstance(event, EpochEnded)]
    running.close()
    resumed = events(digits(tmp_path / "stopped", epochs=4))
    assert len(seen) == stopped_after
    assert curve(resumed) == curve(whole)
    for name in ("accuracy", "loss"):
        assert resumed[-1].metrics[name] == whole[-1].metrics[name]


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adamw", "learning_rate": 0.002, "weight_decay": 0.05, "schedule": "cosine"},
        {"gradient_clip": 0.0, "label_smoothing": 0.1},
        *({name: value} for name, value in EVERY_CHANGE.items()),
        EVERY_CHANGE,
    ],
    ids=lambda settings: "+".join(settings),
)
def test_every_way_to_train_resumes_as_if_nothing_had_been(tmp_path: Path, settings: dict[str, float]) -> None:
    how = Training(**settings)
    whole = events(digits(tmp_path / "whole", training=how))
    running = Trained().evaluate(digits(tmp_path / "stopped", training=how))
    assert isinstance([next(running), next(running)][-1], EpochEnded)
    running.close()
    resumed = events(digits(tmp_path / "stopped", training=how))
    assert isinstance(whole[-1], Measured)
    assert curve(resumed) == curve(whole)
    assert curve(whole) != curve(events(digits(tmp_path / "plain")))


@pytest.mark.usefixtures("every_epoch")
def test_a_resumed_training_counts_the_seconds_of_all_attempts(tmp_path: Path) -> None:
    job = digits(tmp_path, epochs=3)
    running = Trained().evaluate(job)
    next(running)
    before = next(running)
    running.close()
    points = [event for event in events(job) if isinstance(event, EpochEnded)]
    assert points[0] == before
    assert [point.seconds for point in points] == sorted(point.seconds for point in points)


@pytest.mark.usefixtures("every_epoch")
def test_it_starts_over_where_the_checkpoint_is_damaged_or_of_another_job(tmp_path: Path) -> None:
    whole = curve(events(digits(tmp_path / "whole")))
    for name, spoil in (
        ("truncated", lambda path: path.write_bytes(path.read_bytes()[:-100])),
        ("empty", lambda path: path.write_bytes(b"")),
        ("unknown", lambda path: path.write_bytes(os.urandom(500))),
    ):
        job = digits(tmp_path / name)
        events(job)
        spoil(tmp_path / name / FILE)
        assert curve(events(job)) == whole
    events(digits(tmp_path / "other", seed=5))
    assert curve(events(digits(tmp_path / "other"))) == whole


def test_short_epochs_share_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    save = Checkpoint.save

    def counted(self: Checkpoint, network: object, optimizer: object, points: list[EpochEnded]) -> None:
        saved.append(points[-1].epoch)
        save(self, network, optimizer, points)

    monkeypatch.setattr(Checkpoint, "save", counted)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 60.0)
    events(digits(tmp_path, epochs=3))
    assert saved == [3]


def test_it_learns(tmp_path: Path) -> None:
    measured = events(digits(tmp_path, epochs=6))[-1]
    assert isinstance(measured, Measured)
    assert measured.metrics["accuracy"] > 85


def test_a_diverging_training_ends_with_the_cause_nan(tmp_path: Path) -> None:
    last = events(digits(tmp_path, epochs=6, training=Training(learning_rate=1e6, weight_decay=1.0)))[-1]
    assert isinstance(last, Ended)
    assert last.cause == "nan"
    assert "epoch 1" in str(last.sentence)


def test_one_cycle_rises_to_one_and_falls_to_nearly_nothing() -> None:
    rates = [one_cycle(step / 1000) for step in range(1001)]
    assert max(rates) == pytest.approx(1.0, abs=1e-4)
    assert rates.index(max(rates)) == 300
    assert rates[:300] == sorted(rates[:300])
    assert rates[300:] == sorted(rates[300:], reverse=True)
    assert rates[-1] < 1e-3


@pytest.mark.parametrize("schedule", [one_cycle, cosine])
def test_a_schedule_is_what_torch_makes_of_it(schedule: Callable[[float], float]) -> None:
    weight, steps = torch.zeros(1, requires_grad=True), 1000
    optimizer = torch.optim.SGD([weight], lr=1.0)
    if schedule is one_cycle:
        theirs: LRScheduler = OneCycleLR(optimizer, 1.0, steps + 1, div_factor=25, final_div_factor=400)
    else:
        rise = LinearLR(optimizer, 1 / 25, 1.0, total_iters=50)
        theirs = SequentialLR(optimizer, [rise, CosineAnnealingLR(optimizer, 950, eta_min=1e-4)], [50])
    for step in range(steps):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(
            schedule(step / steps), abs=6e-3
        )  # torch counts a step less
        optimizer.step()
        theirs.step()


def test_a_training_that_has_stalled_ends_and_is_not_behind_for_it(tmp_path: Path) -> None:
    told = events(digits(tmp_path, epochs=12, training=Training(learning_rate=1e-6, patience=2)))
    points, measured = [event for event in told if isinstance(event, EpochEnded)], told[-1]
    assert isinstance(measured, Measured)
    assert len(points) < 12 or not has_stalled(points[:-1], 2)
    assert measured.metrics["epochs"] == 12
    losses = [EpochEnded(number, 9, 1.0, loss, 50.0, 1.0) for number, loss in enumerate((3, 2, 2.5, 2, 2.1, 1.9), 1)]
    assert [has_stalled(losses[:count], 3) for count in range(7)] == [*[False] * 5, True, False]
    assert not has_stalled(losses, 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.integers(1, 9), st.booleans(), st.integers(0, 2**31), st.integers(1, 10_000))
def test_an_epoch_shows_each_image_once_and_follows_from_its_number(
    count: int, size: int, augment: bool, seed: int, epoch: int
) -> None:
    images = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous() + 1
    part = Part(images, torch.arange(count))
    scale = Scale(torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    batches = Batches(part, scale, size=size, seed=seed, augment=augment, mirrors=True)
    shown = list(batches.epoch(epoch))
    labels = torch.cat([labels for _, labels in shown])
    assert len(shown) == batches.count
    assert len(labels) == len(set(labels.tolist())) == count // min(size, count) * min(size, count)
    # The middle of an image is not shifted out, so it still tells which one it is.
    assert torch.equal(torch.cat([images[:, 0, 4, 4] for images, _ in shown]).long() - 1, labels)
    again = torch.cat([images for images, _ in batches.epoch(epoch)])
    assert torch.equal(again, torch.cat([images for images, _ in shown]))


def test_crops_are_the_image_shifted_on_black() -> None:
    part = Part(torch.full((64, 1, 8, 8), 9, dtype=torch.uint8), torch.zeros(64, dtype=torch.int64))
    scale = Scale(torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    batches = Batches(part, scale, size=64, seed=0, augment=True, mirrors=False)
    ((images, _),) = batches.epoch(1)
    assert {int(image.count_nonzero()) for image in images} == {64, 56, 49}


def test_scale_centres_the_training_part() -> None:
    data = load(Split("digits"))
    scaled = Scale.of(data, CPU)(data.train.inputs)
    assert float(scaled.mean()) == pytest.approx(0, abs=1e-3)
    assert float(scaled.std()) == pytest.approx(1, abs=1e-3)
    assert scaled.is_contiguous(memory_format=torch.channels_last)


def test_each_failure_has_its_cause_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/data/checkpoint")
    for error, cause, words in (
        (EvaluationFailed("nan", "It diverged."), "nan", "It diverged."),
        (Refused("{what} was not found.", what="Digits"), "error", "Digits was not found."),
        (MemoryError(), "oom", "memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "oom", "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), "oom", "memory"),
        (full, "error", "The disk is full: /data/checkpoint could not be written."),
        (
            SafetensorError("I/O error: No space left on device (os error 28)"),
            "error",
            "disk is full: /folder/7",
        ),
    ):
        end = ended(error, "/folder/7")
        assert end.cause == cause
        assert words in str(end.sentence)
    assert capsys.readouterr().err == ""


def test_what_nobody_foresaw_is_one_sentence_and_a_trace_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    end = ended(ValueError("a {brace}\nand a second line"), "")
    assert str(end.sentence) == "ValueError: a {brace} and a second line"
    assert "ValueError" in capsys.readouterr().err


def test_it_never_raises(tmp_path: Path) -> None:
    job = digits(tmp_path)
    for wrong, cause in (
        (replace(job, choices=(9,)), "invalid"),
        (replace(job, choices=(99, *job.choices[1:])), "invalid"),
        (replace(job, space=replace(job.space, kind="chian")), "invalid"),
        (replace(job, split=Split("imagenet")), "data"),
        (replace(job, split=Split("fashion_mnist"), data_dirs=(str(tmp_path),), fingerprint="other"), "data"),
        (replace(job, fingerprint="other"), "data"),
    ):
        (*_, last) = events(wrong)
        assert isinstance(last, Ended)
        assert last.cause == cause, last
        assert "\n" not in str(last.sentence)


def test_a_network_too_large_for_the_memory_ends_with_the_cause_oom(tmp_path: Path) -> None:
    wide = {"min_layers": 2, "max_layers": 2, "units": (4096,), "filters": (1024,), "kernels": (7,), "smallest": 8}
    job = digits(tmp_path)
    choices = (0, 1, *(0, 0, 0, 0, 0, 0) * 2)
    space = replace(job.space, settings=wide)
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20, before[1]))
    try:
        last = events(replace(job, space=space, choices=choices))[-1]
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert isinstance(last, Ended)
    assert last.cause == "oom"

"""A training that does not fit is tried once more with half the batch, and says so."""

from pathlib import Path

import pytest
import torch

from nas.evaluation import training
from nas.evaluation.protocol import Training
from nas.evaluation.trained import Trained
from nas.events import Ended, EpochEnded, Measured, Noted
from tests.nas.evaluation.jobs import curve, digits, events


@pytest.fixture
def small_device(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let a device hold so many images while it trains, as a GPU does; the number may be changed."""
    room, real = [64], torch.nn.functional.conv2d

    def conv2d(images: torch.Tensor, *rest: object) -> torch.Tensor:
        if torch.is_grad_enabled() and len(images) > room[0]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(images, *rest)

    monkeypatch.setattr(torch.nn.functional, "conv2d", conv2d)
    return room


@pytest.mark.usefixtures("small_device")
def test_the_batch_is_halved_once_and_a_sentence_says_so(tmp_path: Path) -> None:
    told = events(digits(tmp_path / "small"))
    (noted,) = [event for event in told if isinstance(event, Noted)]
    assert str(noted.sentence) == ("It did not fit into the memory with 128 images per step, and is trained with 64.")
    assert isinstance(told[-1], Measured)
    half = Training(batch_size=64, learning_rate=0.1)
    assert curve(told) == curve(events(digits(tmp_path / "half", training=half)))


def test_the_second_time_it_has_failed(tmp_path: Path, small_device: list[int]) -> None:
    small_device[0] = 32
    told = events(digits(tmp_path))
    assert [type(event).__name__ for event in told][1:] == ["Noted", "Ended"]
    assert isinstance(told[-1], Ended)
    assert told[-1].cause == "oom"


def test_one_that_ran_out_later_begins_anew_and_resumes_as_it_was(
    tmp_path: Path, small_device: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    small_device[0] = 128
    running = Trained().evaluate(digits(tmp_path / "later", epochs=3))
    assert isinstance([next(running), next(running)][-1], EpochEnded)
    small_device[0] = 64
    assert isinstance(next(running), Noted)
    assert next(running).epoch == 1  # type: ignore[union-attr]
    running.close()
    resumed = events(digits(tmp_path / "later", epochs=3))
    # What was trained with whole batches is not part of it.
    halved = [event for event in events(digits(tmp_path / "whole", epochs=3)) if not isinstance(event, Noted)]
    assert curve(resumed) == curve(halved)

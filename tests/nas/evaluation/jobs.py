"""Jobs on digits, small enough for a test."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from nas.evaluation.protocol import Job, Split, Training
from nas.evaluation.trained import Trained
from nas.events import EpochEnded, Event
from nas.spaces.catalogue import SpaceSpec

SMALL = {"min_layers": 2, "max_layers": 3}
# A convolution 3 x 3 of 16 filters with norm and skip, a pooling, a hidden layer with norm.
CHOICES = (1, 1, 0, 0, 0, 1, 1, 1, 2, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0)


def digits(workdir: Path, **changes: Any) -> Job:
    """A job of two epochs that is over in half a second."""
    job = Job(
        space=SpaceSpec("chain", SMALL),
        choices=CHOICES,
        split=Split("digits"),
        training=Training(),
        epochs=2,
        seed=1,
        stage="search",
        workdir=str(workdir),
    )
    return replace(job, **changes)


def events(job: Job) -> list[Event]:
    """All that the evaluator says of a job."""
    return list(Trained().evaluate(job))


def curve(said: list[Event]) -> list[tuple[float | None, ...]]:
    """The learning curve without its times."""
    points = [event for event in said if isinstance(event, EpochEnded)]
    return [(point.epoch, point.train_loss, point.valid_loss, point.valid_accuracy) for point in points]

"""What adding a dataset found: counts, problems, what was left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from nas.sentences import Sentence

LISTED = 100  # problems that a report names
LOOKING, READING, ENCODING = "looking at the images", "reading", "encoding"
STEPS = (LOOKING, READING, ENCODING)


@dataclass(frozen=True)
class Progress:
    """How far the adding is: `done` of `total` files or rows, 0 where the total is not known, and at which step."""

    done: int
    total: int
    what: str


@dataclass(frozen=True)
class Problem:
    """A file or row that was left out, and why."""

    where: str
    sentence: Sentence


@dataclass(frozen=True)
class Report:
    """What was found and kept.

    `counts` are rows by split, "train" and "test", and class; of a number to tell the one class is "". Only the first
    `problems` are listed, `skipped` counts them all. `duplicates` were in both splits, and were taken out of training.
    `size` is in bytes on the disk.
    """

    counts: Mapping[str, Mapping[str, int]]
    classes: tuple[str, ...]
    problems: tuple[Problem, ...]
    skipped: int
    duplicates: int
    size: int
    fingerprint: str
    warnings: tuple[Sentence, ...] = ()

"""Datasets that people added: a folder each below `NAS_DATASET_DIR`, with `about.json` and arrays that hold no code.

The arrays are `train_inputs.npy`, `train_labels.npy`, `test_inputs.npy`, `test_labels.npy`: inputs as
`nas.evaluation.datasets.Part` has them, labels int64 classes or float64 numbers.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nas import codec
from nas.datasets.known import Dataset
from nas.datasets.report import Report
from nas.sentences import Refused
from nas.spaces.graph import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABOUT = "about.json"
FORMAT = 1
Part = Literal["train", "test"]


@dataclass(frozen=True)
class Column:
    """How a column of a table becomes features.

    One 0-or-1 feature for each of `categories`, or, where there are none, the number, `fill` where it is missing. Where
    values were `missing`, one more feature says so.
    """

    name: str
    categories: tuple[str, ...] = ()
    fill: float = 0.0
    missing: bool = False


@dataclass(frozen=True)
class Added:
    """A dataset that was added, as `about.json` tells of it; `target` is the column of a table that is to be told."""

    name: str
    title: str
    kind: str
    task: Task
    train: int
    test: int
    report: Report
    target: str = ""
    columns: tuple[Column, ...] = ()
    format: int = FORMAT

    @property
    def fingerprint(self) -> str:
        """That of the content, whatever the split into training and validation."""
        return self.report.fingerprint


def home() -> Path | None:
    """Return the folder of added datasets, None where none is set."""
    place = os.environ.get("NAS_DATASET_DIR", "")
    return Path(place) if place else None


def added(home: Path | None = None) -> tuple[Added, ...]:
    """Return every dataset that was added and can be read, by title."""
    return tuple(sorted((one for one in _survey(home) if isinstance(one, Added)), key=lambda one: one.title))


def broken(home: Path | None = None) -> tuple[Refused, ...]:
    """Return why folders that should be datasets cannot be read."""
    return tuple(one for one in _survey(home) if isinstance(one, Refused))


def find(name: str, home: Path | None = None) -> Added | None:
    """Return an added dataset by its name, None where there is none; raises Refused where it cannot be read."""
    place = _place(home)
    path = place / name / ABOUT if place and name and not name.startswith(".") and Path(name).name == name else None
    return _read(path) if path is not None and path.is_file() else None


def described(one: Added, home: Path | None = None) -> Dataset:
    """Return what the catalogue says of an added dataset."""
    place = _place(home)
    assert place is not None
    return Dataset(
        name=one.name,
        title=one.title,
        about="",
        task=one.task,
        train=one.train,
        test=one.test,
        classes=one.report.classes,
        place=place / one.name,
    )


def arrays(known: Dataset, part: Part) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Return inputs and labels of a part, mapped from the disk; raises Refused where they are not as they should be."""
    return array(known, part, "inputs"), array(known, part, "labels")


def array(known: Dataset, part: Part, what: Literal["inputs", "labels"]) -> "NDArray[Any]":
    """Return one array, mapped from the disk; raises Refused where it is not as it should be."""
    import numpy as np

    assert known.place is not None
    path = known.place / f"{part}_{what}.npy"
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise Refused("{path} cannot be read: {error}.", path=str(path), error=str(error).rstrip(".")) from error
    count = known.train if part == "train" else known.test
    shape = (count, *known.task.input_shape) if what == "inputs" else (count,)
    if found.shape != shape:
        raise Refused(
            "{path} has the shape {found}, not {promised}.", path=str(path), found=str(found.shape), promised=str(shape)
        )
    return found


def vocabulary(known: Dataset) -> tuple[str, ...]:
    """Return the words that a text dataset knows, by id, none of other kinds."""
    if known.place is None or known.task.kind != "text":
        return ()
    try:
        return tuple(json.loads((known.place / "vocabulary.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise Refused("{path} cannot be read: {error}.", path=str(known.place), error=str(error).rstrip(".")) from error


def stamp(name: str) -> str:
    """Return what changes when another dataset is added under the same name, "" of one that was not added."""
    found = find(name)
    return found.fingerprint if found else ""


def _place(home_: Path | None) -> Path | None:
    return home_ if home_ is not None else home()


def _survey(home_: Path | None) -> Iterator[Added | Refused]:
    place = _place(home_)
    for path in sorted(place.glob(f"[!.]*/{ABOUT}")) if place else ():
        try:
            yield _read(path)
        except Refused as refused:
            yield refused


def _read(path: Path) -> Added:
    try:
        return codec.load(Added, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:  # Refused is a ValueError
        raise Refused("{path} cannot be read: {error}.", path=str(path), error=str(error).rstrip(".")) from error

"""Class folders, in a zip or on this machine, as a dataset."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from shutil import disk_usage
from zipfile import BadZipFile
from zlib import error as ZlibError

from nas.datasets import archive, class_folders, pictures, splits
from nas.datasets.added import Added
from nas.datasets.archive import Archive, Folder
from nas.datasets.class_folders import Entry, Sorted
from nas.datasets.pictures import Header, Shape, UnknownKind, Unreadable
from nas.datasets.report import LISTED, LOOKING, READING, Problem, Progress, Report
from nas.datasets.storing import Rows
from nas.sentences import Refused, Sentence
from nas.spaces.graph import Task

MOST_STORED = 32 * 2**30  # of a zip; a folder is on a machine whose owner adds it
UNREADABLE = (Unreadable, BadZipFile, ZlibError, EOFError)
EVERY = 50  # images between two words on the progress


@dataclass
class _Images:
    """What is known of the images while they are read; those of the test part may lie in a `second` place."""

    source: Archive | Folder
    second: Archive | Folder | None
    sorted: Sorted
    kept: list[tuple[Entry, Header]] = field(default_factory=list)
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)
    duplicates: int = 0

    def place(self, entry: Entry) -> Archive | Folder:
        return self.second if self.second and entry.part == "test" else self.source

    def leave_out(self, name: str, sentence: Sentence) -> None:
        self.skipped += 1
        if len(self.problems) < LISTED:
            self.problems.append(Problem(name, sentence))


def read(source: Path, name: str, title: str, side: int, test: Path | None, folder: Path) -> Iterator[Progress | Added]:
    """Write images into a folder and yield progress, then what the dataset is; raises Refused."""
    with ExitStack() as stack:
        opened, second = (stack.enter_context(closing(_opened(path))) if path else None for path in (source, test))
        assert opened is not None
        found = _Images(opened, second, _sorted(opened, second, source.name))
        yield from _read(found, name, title, side, folder)


def _opened(path: Path) -> Archive | Folder:
    return archive.walked(path) if path.is_dir() else archive.opened(path)


def _sorted(opened: Archive | Folder, second: Archive | Folder | None, file: str) -> Sorted:
    """Return the images, those of the second place as the test part; raises Refused where the first has one, too."""
    found = class_folders.sort(opened.names, tested=second is not None)
    if second is None:
        return found
    if any(entry.part == "test" for entry in found.entries):
        raise Refused(
            "{file} has a folder of test images, and there is a second file of them; leave one out.", file=file
        )
    return class_folders.joined(found, class_folders.sort(second.names))


def _read(found: _Images, name: str, title: str, side: int, folder: Path) -> Iterator[Progress | Added]:
    for problem in found.sorted.problems:
        found.leave_out(problem.where, problem.sentence)
    yield from _look(found)
    splits.check_count(len(found.kept), title)
    tested = _tested(found)
    splits.check_labels(*_labels(found, tested), title)
    shape = pictures.common_shape([header for _, header in found.kept], side)
    _check_room(len(found.kept), shape, _room(found.source, folder))
    labels: dict[str, list[str]] = {"train": [], "test": []}
    yield from _write(found, tested, shape, folder, labels)
    classes = splits.check_labels(labels["train"], labels["test"], title)
    import numpy as np

    for part, told in labels.items():
        np.save(folder / f"{part}_labels.npy", np.array([classes.index(label) for label in told], np.int64))
    yield _about(found, name, title, shape, classes, labels)


def _look(found: _Images) -> Iterator[Progress]:
    """Read every header before anything is decoded."""
    total = len(found.sorted.entries)
    for index, entry in enumerate(found.sorted.entries):
        if index % EVERY == 0:
            yield Progress(index, total, LOOKING)
        try:
            with found.place(entry).open(entry.name) as file:
                found.kept.append((entry, pictures.header(file, entry.name)))
        except UNREADABLE as error:
            found.leave_out(entry.name, _why(error))


def _why(error: Exception) -> Sentence:
    if isinstance(error, UnknownKind):
        return Sentence("It is of no kind of image that can be read.")
    return Sentence("It is damaged: {error}.", {"error": str(error)})


def _tested(found: _Images) -> set[int]:
    """Return which images are the test part: those the zip says, or a share of each class."""
    if any(entry.part for entry, _ in found.kept):
        return {index for index, (entry, _) in enumerate(found.kept) if entry.part == "test"}
    return splits.held_out([entry.label for entry, _ in found.kept])


def _labels(found: _Images, tested: set[int]) -> tuple[list[str], list[str]]:
    labels = [entry.label for entry, _ in found.kept]
    train = [label for index, label in enumerate(labels) if index not in tested]
    return train, [labels[index] for index in sorted(tested)]


def _room(source: Archive | Folder, folder: Path) -> int:
    """Return how many bytes the images may take where they are written."""
    free = disk_usage(folder).free
    return free if isinstance(source, Folder) else min(free, MOST_STORED)


def _check_room(count: int, shape: Shape, room: int) -> None:
    size = count * shape.channels * shape.height * shape.width
    if size > room:
        fitting = int((room / count / shape.channels) ** 0.5)
        raise Refused(
            "{count} images of {height} x {width} take {size} GB; there is room for {most} GB. A side of {side} fits.",
            count=count,
            height=shape.height,
            width=shape.width,
            size=round(size / 2**30, 1),
            most=round(room / 2**30, 1),
            side=fitting,
        )


def _write(
    found: _Images, tested: set[int], shape: Shape, folder: Path, labels: dict[str, list[str]]
) -> Iterator[Progress]:
    """Decode image by image, the test part first: what is in it too is left out of the training part."""
    sides = (shape.channels, shape.height, shape.width)
    seen: set[bytes] = set()
    order = [*sorted(tested), *(index for index in range(len(found.kept)) if index not in tested)]
    with ExitStack() as stack:
        rows = {part: stack.enter_context(Rows(folder / f"{part}_inputs.npy", sides, "uint8")) for part in labels}
        for done, index in enumerate(order):
            if done % EVERY == 0:
                yield Progress(done, len(order), READING)
            entry, _ = found.kept[index]
            part = "test" if index in tested else "train"
            try:
                pixels = pictures.decoded(found.place(entry).read(entry.name), entry.name, shape)
            except UNREADABLE as error:
                found.leave_out(entry.name, _why(error))
                continue
            content = sha256(pixels.tobytes()).digest()
            if part == "test":
                seen.add(content)
            elif content in seen:
                found.duplicates += 1
                continue
            rows[part].write(pixels)
            labels[part].append(entry.label)


def _about(
    found: _Images, name: str, title: str, shape: Shape, classes: tuple[str, ...], labels: dict[str, list[str]]
) -> Added:
    warnings = list(found.sorted.warnings)
    other = sum((header.height, header.width) != (shape.height, shape.width) for _, header in found.kept)
    if other:
        warnings.append(
            Sentence(
                "{count} of {all} images were resized to {height} x {width}.",
                {"count": other, "all": len(found.kept), "height": shape.height, "width": shape.width},
            )
        )
    greys = sum(header.is_grey for _, header in found.kept)
    if greys and shape.channels == 3:
        warnings.append(Sentence("{count} grey images were stored as colour images.", {"count": greys}))
    counts = {part: {label: Counter(told)[label] for label in classes} for part, told in labels.items()}
    report = Report(counts, classes, tuple(found.problems), found.skipped, found.duplicates, 0, "", tuple(warnings))
    task = Task((shape.channels, shape.height, shape.width), len(classes))
    return Added(name, title, "images", task, len(labels["train"]), len(labels["test"]), report)

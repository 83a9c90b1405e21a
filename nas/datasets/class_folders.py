"""Finds out which image is of which class and part, from the folders it lies in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nas.datasets import splits
from nas.datasets.report import Problem
from nas.sentences import Sentence

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Entry:
    """An image of a class; `part` is "train", "test", or "" where no folder says it."""

    name: str
    label: str
    part: str


@dataclass(frozen=True)
class Sorted:
    """The images of class folders, what lies there besides, and what is to be said of it."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Sentence, ...]


def sort(names: Sequence[str], *, tested: bool = False) -> Sorted:
    """Return the images among files, named by their path: `class/file` or `part/class/file`, in any folder.

    Where they are `tested` by others, validation images are for training.
    """
    paths = {name: name.replace("\\", "/").split("/") for name in names}
    paths = {name: parts for name, parts in paths.items() if not _is_litter(parts)}
    while paths and _is_wrapped(list(paths.values())):
        paths = {name: parts[1:] for name, parts in paths.items()}
    tops = {parts[0].lower() for parts in paths.values() if len(parts) > 1}
    named = bool(tops) and tops <= splits.PARTS
    tested = tested or bool(tops & splits.TESTING)
    entries, problems = list[Entry](), list[Problem]()
    for name, parts in paths.items():
        inside = parts[1:] if named else parts
        if len(inside) < 2:
            problems.append(Problem(name, Sentence("It lies in no folder that could name its class.")))
        elif Path(inside[-1]).suffix.lower() not in SUFFIXES:
            problems.append(Problem(name, Sentence("Its name is not that of an image.")))
        else:
            part = splits.part_of(parts[0], tested=tested) if named and tops - splits.TRAINING else ""
            entries.append(Entry(name, inside[0], part))
    return Sorted(tuple(entries), tuple(problems), _warnings(tops if named else set(), tested=tested))


def joined(learned: Sorted, tested: Sorted) -> Sorted:
    """Return the images of both: those to learn from, whose folders name no others to test by, and those to test by."""
    entries = [
        replace(entry, part=part) for part, found in (("train", learned), ("test", tested)) for entry in found.entries
    ]
    return Sorted(tuple(entries), learned.problems + tested.problems, learned.warnings)


def _warnings(tops: set[str], *, tested: bool) -> tuple[Sentence, ...]:
    if not tops & splits.VALIDATION:
        return ()
    if tested:
        return (Sentence("The validation images were added to the training part: every search cuts off its own."),)
    return (Sentence("There is no folder test; the validation images are the test part."),)


def _is_litter(parts: Sequence[str]) -> bool:
    return any(part.startswith(".") or part in LITTER for part in parts)


def _is_wrapped(paths: list[list[str]]) -> bool:
    """Tell whether all lies in one folder that names neither a part nor a class."""
    first = {parts[0] for parts in paths}
    return len(first) == 1 and min(map(len, paths)) > 2 and next(iter(first)).lower() not in splits.PARTS

"""Cuts rows into a training and a test part, and refuses labels that nothing could be learned from."""

from collections import Counter
from collections.abc import Iterable, Sequence

from nas.sentences import Refused

TEST_SHARE = 0.2
FEWEST_ROWS = 10
MOST_CLASSES = 1000
TRAINING = frozenset({"train", "training"})
TESTING = frozenset({"test", "testing"})
VALIDATION = frozenset({"val", "valid", "validation", "dev"})
PARTS = TRAINING | TESTING | VALIDATION


def held_out(labels: Sequence[object], *, stratified: bool = True) -> set[int]:
    """Return the indices of the test part, the same for the same labels: a share of each class, at least one of it."""
    from random import Random

    dice = Random("test")
    groups: dict[object, list[int]] = {}
    for index, label in enumerate(labels):
        groups.setdefault(label if stratified else "", []).append(index)
    held: set[int] = set()
    for group in groups.values():
        held |= {*dice.sample(group, min(len(group) - 1, max(1, round(len(group) * TEST_SHARE))))}
    return held


def part_of(word: str, *, tested: bool) -> str:
    """Return "train" or "test" for what a folder or cell calls a part; validation is the test part where none is.

    Where there is a test part, validation rows are for training: every search cuts off its own.
    """
    word = word.strip().lower()
    if word in TESTING or (word in VALIDATION and not tested):
        return "test"
    return "train"


def check_labels(train: Iterable[str], test: Iterable[str], title: str) -> tuple[str, ...]:
    """Return the classes in order; raises Refused where one is missing in a part, or all labels are the same."""
    learned, tested = Counter(train), Counter(test)
    classes = sorted({*learned, *tested}, key=_natural)
    if len(classes) < 2:
        raise Refused("{title} has one class only, {name}: there is nothing to learn.", title=title, name=classes[0])
    if len(classes) > MOST_CLASSES:
        raise Refused(
            "{title} has {count} classes; at most {most} are possible. Is a number to be told instead?",
            title=title,
            count=len(classes),
            most=MOST_CLASSES,
        )
    for name in classes:
        if learned[name] + tested[name] < 2:
            raise Refused(
                "The class {name} has a single row; every class needs two, one to learn and one to test.", name=name
            )
    for part, counts in (("training", learned), ("test", tested)):
        if len(counts) == 1:
            raise Refused("The {part} part has one class only, {name}.", part=part, name=next(iter(counts)))
    for name in classes:
        if learned[name] < 2:
            raise Refused(
                "The class {name} has {count} rows to learn from; it needs two, one of which validates.",
                name=name,
                count=learned[name],
            )
    return tuple(classes)


def check_count(count: int, title: str) -> None:
    """Raise Refused where there are too few rows to cut into three parts."""
    if count < FEWEST_ROWS:
        raise Refused(
            "{title} has {count} rows that can be read; it needs {fewest}.",
            title=title,
            count=count,
            fewest=FEWEST_ROWS,
        )


def _natural(name: str) -> tuple[float, str]:
    """Order numbers by their value, before words."""
    try:
        return float(name), name
    except ValueError:
        return float("inf"), name

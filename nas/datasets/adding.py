"""Adds a dataset from a file that somebody has: a zip of class folders, a table or a list of sentences.

Nothing is taken on trust: sizes are bounded before they are believed, and nothing is left behind where it is refused.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from nas.datasets import images, storing, tabular, texts
from nas.datasets.added import Added
from nas.datasets.report import Progress, Report
from nas.sentences import Refused

KINDS = ("images", "table", "text")


def add(
    source: Path,
    *,
    name: str,
    title: str,
    kind: str,
    target: str = "",
    goal: str = "",
    side: int = 0,
    test: Path | None = None,
    home: Path | None = None,
) -> Iterator[Progress | Report]:
    """Yield progress many times, then the report, when the dataset is there under its name.

    `kind` is "images" (a zip of class folders), "table" (CSV) or "text" (TSV: text, label), the last two gzipped or
    not. `target` is the column of a table that is to be told, the last one unless named; `goal` "classes" or "number",
    found out unless given. `side` is the side of the images in pixels, that of most of them unless given. `test` is a
    second file of the same form for the test part; without one, and without a test folder in a zip, a share of the
    rows is cut off. Raises Refused with a sentence; then nothing is left behind.
    """
    place = storing.place(home)
    storing.check_name(name, place)
    if kind not in KINDS:
        raise Refused("There is no kind of dataset {kind}; there are {kinds}.", kind=kind, kinds=", ".join(KINDS))
    if not title.strip():
        raise Refused("A dataset needs a title.")
    if goal not in ("", "classes", "number"):
        raise Refused("The goal cannot be {goal}; it is classes or number.", goal=goal)
    with storing.workplace(place) as folder:
        for item in _reading(source, name, title.strip(), kind, target, goal, side, test, folder):
            if isinstance(item, Progress):
                yield item
            else:
                report = storing.finish(folder, item, {}, {}).report
    yield report


def _reading(
    source: Path, name: str, title: str, kind: str, target: str, goal: str, side: int, test: Path | None, folder: Path
) -> Iterator[Progress | Added]:
    if kind == "images":
        if goal == "number":
            raise Refused("Images in class folders tell classes, not a number.")
        return images.read(source, name, title, side, test, folder)
    if kind == "table":
        return tabular.read(source, name, title, target, goal, test, folder)
    return texts.read(source, name, title, target, test, folder)


def remove(name: str, home: Path | None = None) -> None:
    """Take an added dataset away; raises Refused where there is none of that name."""
    place = storing.place(home)
    if not storing.NAME.fullmatch(name) or not (place / name).is_dir():
        raise Refused("No dataset {name} was added.", name=name)
    # Renamed first: what is half deleted is nobody's dataset.
    hidden = place / f".removing-{name}"
    shutil.rmtree(hidden, ignore_errors=True)
    (place / name).rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)

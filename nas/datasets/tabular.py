"""A CSV file as a dataset: numbers and categories as features, one column to be told."""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from math import isfinite
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from nas.datasets import splits
from nas.datasets.added import Added, Column
from nas.datasets.features import features, is_missing
from nas.datasets.lines import rows
from nas.datasets.report import ENCODING, READING, Progress, Report
from nas.sentences import Refused, Sentence, Value
from nas.spaces.graph import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CELLS = 50_000_000
MOST_CATEGORIES = 50
MOST_FEATURES = 4096
FEW = 20  # distinct values of a number up to which they are classes
SPLIT = "split"
EVERY = 5000
Row = tuple[str, ...]


@dataclass
class _Table:
    """The cells of both parts while the columns are found out."""

    title: str
    header: tuple[str, ...] = ()
    train: list[Row] = field(default_factory=list)
    test: list[Row] = field(default_factory=list)
    warnings: list[Sentence] = field(default_factory=list)
    duplicates: int = 0

    def column(self, name: str, part: Sequence[Row] | None = None) -> list[str]:
        at = self.header.index(name)
        return [row[at] for row in ([*self.train, *self.test] if part is None else part)]


def read(
    source: Path, name: str, title: str, target: str, goal: str, test: Path | None, folder: Path
) -> Iterator[Progress | Added]:
    """Write features and labels into a folder and yield progress, then what the dataset is; raises Refused."""
    table = _Table(title)
    header, cells = yield from _cells(source)
    target = target or [one for one in header if one.lower() != SPLIT][-1]
    if target not in header:
        raise Refused("There is no column {name}; there are {names}.", name=target, names=", ".join(header))
    table.header = header
    if test is not None:
        theirs, table.test = yield from _cells(test)
        if theirs != header:
            raise Refused("{file} has other columns than {other}.", file=test.name, other=source.name)
        table.train = cells
    _check_target(table, target, [*cells, *table.test])
    goal = goal or _goal([row[header.index(target)] for row in (*cells, *table.test)])
    if test is None:
        _cut(table, cells, target, goal)
    _drop_duplicates(table)
    splits.check_count(len(table.train) + len(table.test), title)
    yield from _finish(table, name, target, goal, folder)


def _cells(path: Path) -> Generator[Progress, None, tuple[tuple[str, ...], list[Row]]]:
    """Read header and rows, each with as many cells; yields progress, returns both."""
    read = rows(path)
    header = tuple(cell.strip() for cell in next(read, (0, []))[1])
    _check_header(header, path)
    found: list[Row] = []
    for number, cells in read:
        if len(cells) != len(header):
            raise Refused(
                "Line {line} of {file} has {count} cells; its header names {columns}.",
                line=number,
                file=path.name,
                count=len(cells),
                columns=len(header),
            )
        found.append(tuple(cell.strip() for cell in cells))
        if len(found) * len(header) > MOST_CELLS:
            raise Refused("{file} has more than {most} million cells.", file=path.name, most=MOST_CELLS // 1_000_000)
        if len(found) % EVERY == 0:
            yield Progress(len(found), 0, READING)
    return header, found


def _check_header(header: tuple[str, ...], path: Path) -> None:
    if len([one for one in header if one.lower() != SPLIT]) < 2:
        raise Refused("{file} needs a header of two columns or more: features, and what is to be told.", file=path.name)
    if "" in header:
        raise Refused("Column {number} of {file} has no name.", number=header.index("") + 1, file=path.name)
    doubled = [name for name, count in Counter(header).items() if count > 1]
    if doubled:
        raise Refused("There are two columns {name} in {file}.", name=doubled[0], file=path.name)


def _check_target(table: _Table, target: str, cells: Sequence[Row]) -> None:
    splits.check_count(len(cells), table.title)
    at = table.header.index(target)
    for number, row in enumerate(cells, start=2):
        if is_missing(row[at]):
            raise Refused("Row {number} does not say {target}, which is to be told.", number=number, target=target)


def _goal(told: Sequence[str]) -> str:
    """Return "number" where all are numbers and more than a few different ones, else "classes"."""
    return "number" if len({*told}) > FEW and all(_number(cell) is not None for cell in told) else "classes"


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _cut(table: _Table, cells: list[Row], target: str, goal: str) -> None:
    """Put the rows into their parts: as a column "split" says, or a share of each class for the test part."""
    named = [one for one in table.header if one.lower() == SPLIT and one != target]
    at = table.header.index(named[0]) if named else -1
    words = {row[at].lower() for row in cells} if named else set()
    if named and words <= splits.PARTS and words & (splits.TESTING | splits.VALIDATION):
        tested = bool(words & splits.TESTING)
        held = {index for index, row in enumerate(cells) if splits.part_of(row[at], tested=tested) == "test"}
        cells = [(*row[:at], *row[at + 1 :]) for row in cells]
        table.header = (*table.header[:at], *table.header[at + 1 :])
        table.warnings.append(Sentence("The column {name} says which rows are the test part.", {"name": named[0]}))
    else:
        labels = [row[table.header.index(target)] for row in cells]
        held = splits.held_out(labels, stratified=goal == "classes")
    for index, row in enumerate(cells):
        (table.test if index in held else table.train).append(row)


def _drop_duplicates(table: _Table) -> None:
    tested = {*table.test}
    kept = [row for row in table.train if row not in tested]
    table.duplicates, table.train = len(table.train) - len(kept), kept


def _finish(table: _Table, name: str, target: str, goal: str, folder: Path) -> Iterator[Progress | Added]:
    import numpy as np

    learned, tested = (table.column(target, part) for part in (table.train, table.test))
    if goal == "number":
        classes: tuple[str, ...] = ()
        labels = {part: _numbers(told, target) for part, told in (("train", learned), ("test", tested))}
        if not labels["train"].std() or not labels["test"].std():
            raise Refused("{target} is the same in every row: there is nothing to learn.", target=target)
        counts = {part: {"": len(told)} for part, told in labels.items()}
    else:
        classes = splits.check_labels(learned, tested, table.title)
        index = {label: at for at, label in enumerate(classes)}
        labels = {
            part: np.array([index[one] for one in told], np.int64)
            for part, told in (("train", learned), ("test", tested))
        }
        counts = {part: {label: told.count(label) for label in classes} for part, told in _both(learned, tested)}
    columns = _columns(table, target)
    wide = len(features(dict(zip(table.header, table.train[0], strict=True)), [astuple(one) for one in columns]))
    if wide > MOST_FEATURES:
        raise Refused("The columns make {count} features; at most {most} are possible.", count=wide, most=MOST_FEATURES)
    for part, cells in (("train", table.train), ("test", table.test)):
        yield Progress(0, len(cells), ENCODING)
        np.save(folder / f"{part}_inputs.npy", _inputs(table, columns, cells))
        np.save(folder / f"{part}_labels.npy", labels[part])
    report = Report(counts, classes, (), 0, table.duplicates, 0, "", tuple(table.warnings))
    task = Task((wide,), max(1, len(classes)), goal="number" if goal == "number" else "classes")
    yield Added(name, table.title, "table", task, len(table.train), len(table.test), report, target, tuple(columns))


def _both(learned: list[str], tested: list[str]) -> tuple[tuple[str, list[str]], ...]:
    return ("train", learned), ("test", tested)


def _numbers(told: Sequence[str], target: str) -> "NDArray[Any]":
    import numpy as np

    values = [_number(cell) for cell in told]
    for cell, value in zip(told, values, strict=True):
        if value is None or not isfinite(value):
            raise Refused("{target} cannot be {value}: it is no number that could be told.", target=target, value=cell)
    return np.array(values, np.float64)


def _columns(table: _Table, target: str) -> list[Column]:
    """Find out, from the training part alone, what each column holds; those that tell nothing are left out."""
    columns = []
    for name in table.header:
        if name == target:
            continue
        cells = table.column(name)
        learned = cells[: len(table.train)]
        known = [cell for cell in learned if not is_missing(cell)]
        missing = any(is_missing(cell) for cell in cells)
        numbers = [_number(cell) for cell in cells if not is_missing(cell)]
        if not known or (len({*known}) == 1 and not missing):
            table.warnings.append(Sentence("The column {name} is always the same; it was left out.", {"name": name}))
        elif None not in numbers:
            columns.append(_number_column(name, [float(cell) for cell in known], numbers, missing))
        else:
            columns += _category_column(table, name, known, missing)
    if not columns:
        raise Refused("No column of {title} could be a feature.", title=table.title)
    return columns


def _number_column(name: str, known: list[float], numbers: Sequence[float | None], missing: bool) -> Column:
    if not all(value is not None and isfinite(value) and abs(value) < 1e30 for value in numbers):
        raise Refused("The column {name} has numbers without an end.", name=name)
    return Column(name, fill=float(median(known)), missing=missing)


def _category_column(table: _Table, name: str, known: list[str], missing: bool) -> list[Column]:
    counts = Counter(known)
    if len(counts) > max(MOST_CATEGORIES, len(known) // 2):
        told = {"name": name}
        table.warnings.append(
            Sentence("The column {name} is different in nearly every row, as a name is; it was left out.", told)
        )
        return []
    if len(counts) > MOST_CATEGORIES:
        numbers: dict[str, Value] = {"name": name, "count": len(counts), "most": MOST_CATEGORIES}
        table.warnings.append(
            Sentence("The column {name} has {count} categories; the {most} commonest became features.", numbers)
        )
    common = [category for category, _ in counts.most_common(MOST_CATEGORIES)]
    return [Column(name, tuple(sorted(common)), missing=missing)]


def _inputs(table: _Table, columns: Sequence[Column], cells: Sequence[Row]) -> "NDArray[Any]":
    """Return what `features` makes of each row, column by column."""
    import numpy as np

    made = []
    for column in columns:
        at = table.header.index(column.name)
        values = np.array([row[at] for row in cells], object)
        unknown = np.array([is_missing(cell) for cell in values], bool)
        if column.categories:
            made += [((values == category) & ~unknown).astype(np.float32) for category in column.categories]
        else:
            filled = np.full(len(values), column.fill, np.float64)
            filled[~unknown] = [float(cell) for cell in values[~unknown]]
            made.append(filled.astype(np.float32))
        if column.missing:
            made.append(unknown.astype(np.float32))
    return np.stack(made, axis=1)

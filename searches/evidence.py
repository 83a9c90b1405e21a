"""What stands behind the final numbers: which classes each contestant confuses, and its ROC curve."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from nas.confusion import Confusion, classes_of, summed
from nas.events import Evidence
from searches.contestants import Contestant, contestants
from searches.drawing.roc import roc
from searches.finals import final_of
from searches.models import Run


@dataclass(frozen=True)
class Cell:
    """How many images of the row's class were taken for the column's; `share` is of the row, in percent."""

    count: int
    share: int
    is_right: bool


@dataclass(frozen=True)
class Truth:
    """A true class: what its images were taken for, and how often they (recall) and its name (precision) were right."""

    name: str
    cells: tuple[Cell, ...]
    recall: float | None
    precision: float | None


@dataclass(frozen=True)
class Matrix:
    """A contestant's confusion matrix, summed over `trainings`, which differ in their seed."""

    of: Contestant
    rows: tuple[Truth, ...]
    answers: int
    trainings: int


@dataclass(frozen=True)
class Shown:
    """The matrix of each contestant that was measured, and the ROC curves of their first seeds."""

    classes: tuple[str, ...]
    matrices: tuple[Matrix, ...]
    roc: SafeString

    @property
    def letters(self) -> int:
        """How wide the columns of the classes are: where there is room beside them, the curves stand there."""
        digits = max(len(str(cell.count)) for matrix in self.matrices for row in matrix.rows for cell in row.cells)
        return sum(max(digits, len(name)) + 3 for name in self.classes)


def evidence(run: Run) -> Shown | None:
    """Return what is known of the final trainings that were measured; None before a finalist's first one."""
    final = final_of(run)
    if final is None or not final.evidence(final.winner):
        return None
    known = [(one, found) for one in contestants(run, final) if (found := final.evidence(one.number))]
    classes = classes_of(run.plan, len(known[0][1][0].confusion))
    return Shown(
        classes,
        tuple(_matrix(one, found, classes) for one, found in known),
        roc([(one.line, one.title, found[0].roc) for one, found in known]),
    )


def _matrix(of: Contestant, found: Sequence[Evidence], classes: Sequence[str]) -> Matrix:
    counted = summed(found)
    rows = tuple(_truth(name, counted, at) for at, name in enumerate(classes))
    return Matrix(of, rows, counted.total, len(found))


def _truth(name: str, counted: Confusion, at: int) -> Truth:
    row = counted.counts[at]
    every = max(sum(row), 1)
    cells = (Cell(count, round(100 * count / every), taken == at) for taken, count in enumerate(row))
    return Truth(name, tuple(cells), counted.recall(at), counted.precision(at))

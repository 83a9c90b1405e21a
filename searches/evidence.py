"""What stands behind the final numbers: which classes the winner confuses, and both networks' ROC curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from nas.datasets.known import DATASETS
from nas.events import Evidence
from searches.drawing.roc import roc
from searches.models import Evaluation, Run

Matrix = list[list[int]]


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
class Shown:
    """The winner's confusion matrix, summed over `seeds` trainings, and the ROC curves of the first seed."""

    classes: tuple[str, ...]
    rows: tuple[Truth, ...]
    images: int
    seeds: int
    roc: SafeString


def evidence(run: Run) -> Shown | None:
    """Return what is known of the final trainings that were measured; None before the winner's first one."""
    final = run.evaluations.filter(stage=Run.Stage.FINAL, status=Evaluation.Status.MEASURED)
    measured = list(final.exclude(evidence_json=None).select_related("candidate").order_by("seed"))
    winners = [one.evidence for one in measured if one.candidate_id == run.winner_id and one.evidence]
    baselines = [one.evidence for one in measured if one.of.is_baseline and one.evidence]
    if not winners:
        return None
    matrix = _sum(winners)
    classes = _classes(run, len(matrix))
    curves = [(_("winner"), winners[0].roc), *((_("baseline"), one.roc) for one in baselines[:1])]
    rows = tuple(_truth(name, matrix, index) for index, name in enumerate(classes))
    return Shown(classes, rows, sum(map(sum, matrix)), len(winners), roc(curves))


def _sum(found: Sequence[Evidence]) -> Matrix:
    return [
        [sum(counts) for counts in zip(*rows, strict=True)] for rows in zip(*(f.confusion for f in found), strict=True)
    ]


def _classes(run: Run, count: int) -> tuple[str, ...]:
    known = DATASETS.get(run.plan.split.dataset)
    return known.classes if known and len(known.classes) == count else tuple(str(index) for index in range(count))


def _truth(name: str, matrix: Matrix, index: int) -> Truth:
    row, right = matrix[index], matrix[index][index]
    images, named = sum(row), sum(other[index] for other in matrix)
    cells = (Cell(count, round(100 * count / max(images, 1)), at == index) for at, count in enumerate(row))
    return Truth(name, tuple(cells), 100 * right / images if images else None, 100 * right / named if named else None)

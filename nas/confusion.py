"""Which classes were taken for which on the test split, and what that comes to for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from nas.datasets.catalogue import dataset
from nas.events import Evidence
from nas.plan import Plan
from nas.sentences import Refused


@dataclass(frozen=True)
class Confusion:
    """`counts` of answers, by true class (row) and by the class that it was taken for (column)."""

    counts: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        """All answers."""
        return sum(map(sum, self.counts))

    def recall(self, of: int) -> float | None:
        """Return how much of a class was recognised, in percent; None where there is nothing of it."""
        return _percent(self.counts[of][of], sum(self.counts[of]))

    def precision(self, of: int) -> float | None:
        """Return how much of what was taken for a class was of it, in percent; None where nothing was."""
        return _percent(self.counts[of][of], sum(row[of] for row in self.counts))

    @property
    def mistakes(self) -> list[tuple[int, int, int]]:
        """How often a true class was taken for which other one, the most frequent mistake first."""
        pairs = ((at, row, count) for at, line in enumerate(self.counts) for row, count in enumerate(line))
        wrong = [(count, true, taken) for true, taken, count in pairs if count and true != taken]
        return sorted(wrong, key=lambda one: (-one[0], *one[1:]))


def summed(found: Sequence[Evidence]) -> Confusion:
    """Return the sum over trainings, one at least, that differ in their seed."""
    matrices = [one.confusion for one in found]
    return Confusion(tuple(tuple(map(sum, zip(*rows, strict=True))) for rows in zip(*matrices, strict=True)))


def classes_of(plan: Plan, count: int) -> tuple[str, ...]:
    """Return what the classes of a search's data are called; their numbers where the data are gone or others by now."""
    try:
        names = dataset(plan.split.dataset).classes
    except Refused:
        names = ()
    return names if len(names) == count else tuple(map(str, range(count)))


def _percent(some: int, of: int) -> float | None:
    return 100 * some / of if of else None

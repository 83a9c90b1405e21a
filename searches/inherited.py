"""How far shared weights are to be trusted: their order of the finalists beside that of the full trainings."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from statistics import fmean

from django.utils.translation import gettext as _

from nas.objectives import METRICS, VALIDATION
from nas.significance import compared_by
from searches.columns import figure_of
from searches.figures import Figure, decimals
from searches.finals import final_of
from searches.models import Run
from searches.queries import Measurement
from searches.trust import FEWEST


@dataclass(frozen=True)
class Finalist:
    """What shared weights said of a finalist's validation, and what it reached trained by itself, with its places."""

    number: int
    shared: float
    own: float
    shared_place: int
    own_place: int


@dataclass(frozen=True)
class Agreement:
    """The finalists in the order of shared weights; `kendall` is None where one of the orders has only equals."""

    figure: Figure
    finalists: tuple[Finalist, ...]
    kendall: float | None

    @property
    def words(self) -> tuple[str, ...]:
        """What that means, and how little it rests on."""
        count = len(self.finalists)
        if self.kendall is None:
            found = [_("All of them are alike by one of the two, so there are no orders to compare.")]
        else:
            told = _("Kendall's rank correlation of the two orders is {value}: 1 is the same order, -1 the reverse.")
            found = [told.format(value=decimals(self.kendall, 2))]
        if count < FEWEST:
            few = _("It rests on {count} networks: chance alone gives so few the same order once in {orders} times.")
            found.append(few.format(count=count, orders=factorial(count)))
        found.append(_("They are those that shared weights liked best; of all others it says nothing."))
        return tuple(found)


def inherited(run: Run, measured: Sequence[Measurement]) -> Agreement | None:
    """Return how both orders agree; None without shared weights, or before two finalists are trained."""
    final = final_of(run) if run.plan.is_shared else None
    if final is None:
        return None
    name = compared_by(run.plan)
    sign = 1 if METRICS[name].goal == "max" else -1
    shared = {one.candidate: one.metrics[name] for one in measured if name in one.metrics}
    own = {
        number: fmean(values)
        for number in final.finalists
        if (values := [row[VALIDATION + name] for row in final.metrics(number) if VALIDATION + name in row])
    }
    both = sorted(own.keys() & shared.keys(), key=lambda number: -sign * shared[number])
    if len(both) < 2:
        return None
    rows = tuple(
        Finalist(number, shared[number], own[number], *(_place(sign, of, both, number) for of in (shared, own)))
        for number in both
    )
    return Agreement(figure_of(run.plan, name), rows, _kendall(rows))


def _place(sign: int, values: dict[int, float], among: Sequence[int], number: int) -> int:
    return 1 + sum(sign * values[other] > sign * values[number] for other in among)


def _kendall(rows: Sequence[Finalist]) -> float | None:
    shared, own = [one.shared for one in rows], [one.own for one in rows]
    if len({*shared}) == 1 or len({*own}) == 1:
        return None
    # SciPy takes a second to load, which only a page that shows this has to pay.
    from scipy.stats import kendalltau

    return float(kendalltau(shared, own).statistic)

"""How far a proxy is to be trusted: its rank correlation with what was measured, beside that of size alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import atanh, sqrt, tanh
from typing import Literal

from django.utils.translation import gettext as _

from nas import selection
from nas.plan import Plan
from nas.proxies import SIZES
from nas.strategies.screened import REJECTED
from searches.columns import figure_of
from searches.figures import Figure
from searches.models import Run
from searches.queries import Measurement

FEWEST = 8
MARGIN = 0.05
Verdict = Literal["few", "flat", "nothing", "wrong", "size", "no better", "better"]


@dataclass(frozen=True)
class Trust:
    """One proxy's rank correlations with how good candidates were: 1 is the same order, 0 none, -1 the reverse.

    `low` and `high` bound Spearman's with 95 % confidence; all are None before 8 candidates.
    """

    figure: Figure
    count: int
    verdict: Verdict
    spearman: float | None = None
    kendall: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def words(self) -> str:
        """What that means."""
        texts = {
            "few": _("Too few candidates to tell: {count} of {fewest}.").format(count=self.count, fewest=FEWEST),
            "flat": _("It gives all candidates the same value."),
            "nothing": _("It does not help: no order that could not be chance."),
            "wrong": _("It ranks the other way round: what it likes turns out worse."),
            "size": _("What size alone tells, for comparison."),
            "no better": _("It helps, but no more than the number of parameters alone."),
            "better": _("It helps more than the number of parameters alone."),
        }
        return texts[self.verdict]


@dataclass(frozen=True)
class Rejected:
    """How many proposals a proxy spoke against."""

    figure: Figure
    count: int


def watched(plan: Plan) -> tuple[str, ...]:
    """Return the proxies that a run's page compares with what was measured; sizes are there to compare them with."""
    if plan.is_scored:
        return ()
    proxies = dict.fromkeys((*plan.policy.watch, *((plan.policy.proxy,) if plan.policy.proxy else ())))
    return tuple(dict.fromkeys((*proxies, *SIZES))) if proxies else ()


def trust(run: Run, measured: Sequence[Measurement]) -> list[Trust]:
    """Return a line per proxy, of those candidates that were measured with most training; none where none is watched.

    Scores of the first objective are minimised, so the best candidates have the largest goodness.
    """
    alive = [one for one in measured if not one.failed]
    most = max((selection.trained(run.plan, one.metrics) for one in alive), default=())
    compared = [one for one in alive if selection.trained(run.plan, one.metrics) >= most]
    found = [_trust(run.plan, name, compared) for name in watched(run.plan)]
    size = next((one.spearman for one in found if one.figure.name == SIZES[0]), None)
    return [_against(size, one) for one in found]


def rejected(run: Run) -> Rejected | None:
    """Return how many proposals the proxy of the policy has rejected, None where it may reject none."""
    latest = run.generations.order_by("number").last() if run.plan.policy.proxy else None
    if latest is None or REJECTED not in latest.trace:
        return None
    return Rejected(figure_of(run.plan, run.plan.policy.proxy), int(latest.trace[REJECTED]))


def value(one: Measurement, name: str) -> float | None:
    """Return what a proxy says of a measured candidate, None where it said nothing."""
    known = {"parameters": one.parameters, "multiply_adds": one.multiply_adds}
    return one.metrics.get(name, known.get(name))


def _trust(plan: Plan, name: str, compared: Sequence[Measurement]) -> Trust:
    figure, aim = figure_of(plan, name), plan.objectives[0]
    both = [(value(one, name), -aim.score(one.metrics)) for one in compared]
    said, good = [one for one, _good in both if one is not None], [good for one, good in both if one is not None]
    if len(said) < FEWEST:
        return Trust(figure, len(said), "few")
    if len(set(said)) == 1 or len(set(good)) == 1:
        return Trust(figure, len(said), "flat")
    # SciPy takes a second to load, which only a page that shows this has to pay.
    from scipy.stats import kendalltau, spearmanr

    spearman, kendall = float(spearmanr(said, good).statistic), float(kendalltau(said, good).statistic)
    low, high = interval(spearman, len(said))
    verdict: Verdict = "better" if low > 0 else "wrong" if high < 0 else "nothing"
    return Trust(figure, len(said), verdict, spearman, kendall, low, high)


def interval(correlation: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of Spearman's correlation: Bonett and Wright, Psychometrika 65, 2000, equation 3."""
    middle = atanh(max(-0.9999, min(0.9999, correlation)))
    reach = 1.96 * sqrt((1 + correlation**2 / 2) / (count - 3))
    return tanh(middle - reach), tanh(middle + reach)


def _against(size: float | None, one: Trust) -> Trust:
    """Compare with size, which has the last word of every proxy that is worth something."""
    if one.figure.name in SIZES and one.spearman is not None:
        return replace(one, verdict="size")
    if one.verdict == "better" and size is not None and one.spearman is not None and one.spearman < size + MARGIN:
        return replace(one, verdict="no better")
    return one

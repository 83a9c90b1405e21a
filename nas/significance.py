"""Whether the winner's lead over the baseline could be chance: between seeds, and between test predictions."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from nas.events import Evidence
from nas.objectives import METRICS
from nas.plan import Plan
from nas.sentences import Sentence, Value

LEVEL = 0.05
FEW_SEEDS = 5


@dataclass(frozen=True)
class Verdict:
    """`ahead` is the winner's lead in `metric`, positive where it is better; each p is None where it cannot be told.

    `welch` compares the means over `seeds`, `mcnemar` the answers of one training of each on the same test inputs:
    `only_winner` are those that the winner alone had right.
    """

    metric: str
    ahead: float
    seeds: int
    welch: float | None = None
    mcnemar: float | None = None
    only_winner: int = 0
    only_baseline: int = 0

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """What it means, in words."""
        found = []
        if self.welch is None:
            found.append(Sentence("One seed says nothing of the spread between seeds: train with three or more."))
        elif self.welch < LEVEL:
            found.append(Sentence(SURE, {"p": _written(self.welch), "seeds": self.seeds}))
        else:
            found.append(Sentence(UNSURE, {"p": _written(self.welch), "seeds": self.seeds}))
        if self.welch is not None and self.seeds < FEW_SEEDS:
            found.append(Sentence("So few seeds find only large differences, and the p value is itself uncertain."))
        if self.mcnemar is not None:
            values: dict[str, Value] = {
                "winner": self.only_winner,
                "baseline": self.only_baseline,
                "p": _written(self.mcnemar),
            }
            found.append(Sentence(DIFFER if self.mcnemar < LEVEL else ALIKE, values))
        return tuple(found)


SURE = "Over {seeds} seeds the difference is larger than chance explains (Welch's t-test, p {p})."
UNSURE = "Over {seeds} seeds the difference may be chance (Welch's t-test, p {p})."
DIFFER = (
    "Of the same test inputs, the winner's first training alone had {winner} right and the baseline's alone "
    "{baseline}: these two models differ (McNemar's test, p {p})."
)
ALIKE = (
    "Of the same test inputs, the winner's first training alone had {winner} right and the baseline's alone "
    "{baseline}: these two models may be equally good (McNemar's test, p {p})."
)


def verdict(
    plan: Plan,
    winner: Sequence[Mapping[str, float]],
    baseline: Sequence[Mapping[str, float]],
    pair: tuple[Evidence | None, Evidence | None] = (None, None),
) -> Verdict | None:
    """Compare the test metrics of both, one mapping per seed; None where one of them was not measured.

    `pair` is the evidence of one training of each.
    """
    metric = compared_by(plan)
    ours = [row[metric] for row in winner if metric in row]
    theirs = [row[metric] for row in baseline if metric in row]
    if not ours or not theirs:
        return None
    sign = 1 if METRICS[metric].goal == "max" else -1
    ahead = sign * (fmean(ours) - fmean(theirs))
    told = [one.right for one in pair if one and one.right]
    answers = _answers(*told) if len(told) == 2 else None
    return Verdict(metric, ahead, min(len(ours), len(theirs)), _welch(ours, theirs), *(answers or ()))


def compared_by(plan: Plan) -> str:
    """Return the metric of the test split that decides: the first objective where it is a quality."""
    aim = plan.objectives[0].metric
    if aim in METRICS and METRICS[aim].is_quality and METRICS[aim].fits(plan.task.classes):
        return aim
    return "accuracy" if METRICS["accuracy"].fits(plan.task.classes) else "rmse"


def _welch(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """Return the p value of Welch's t-test, None of fewer than two seeds each; all alike are no difference."""
    if min(len(ours), len(theirs)) < 2:
        return None
    if len({*ours}) == 1 and len({*theirs}) == 1:
        return 1.0 if ours[0] == theirs[0] else 0.0
    # SciPy's statistics take a second to import, which most pages need not pay.
    from scipy.stats import ttest_ind

    return float(ttest_ind(ours, theirs, equal_var=False).pvalue)


def _answers(ours: str, theirs: str) -> tuple[float, int, int] | None:
    """Return McNemar's exact p value and how many inputs one of the two alone had right."""
    first, second = base64.b64decode(ours), base64.b64decode(theirs)
    if len(first) != len(second):
        return None
    only_ours = sum((a & ~b & 255).bit_count() for a, b in zip(first, second, strict=True))
    only_theirs = sum((b & ~a & 255).bit_count() for a, b in zip(first, second, strict=True))
    if not only_ours + only_theirs:
        return 1.0, 0, 0
    from scipy.stats import binomtest

    return float(binomtest(only_ours, only_ours + only_theirs).pvalue), only_ours, only_theirs


def _written(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"

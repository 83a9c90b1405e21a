"""Scores on a scale that a Gaussian process can learn: the good half as it is, the bad half by rank alone.

Song et al., "The Vizier Gaussian process bandit algorithm", 2024: half-rank warping. A few broken networks far below
the rest would otherwise decide what the scale is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Warp:
    """The scale of some minimised scores: 0 is their median, 1 the root mean square of the better half below it."""

    median: float
    spread: float
    known: Vector

    def __call__(self, scores: Sequence[float | None]) -> Vector:
        """Return the warped scores, all of those that the scale was made from; None (a failure) is as the worst."""
        worst = self.known[-1]
        y = np.array([worst if score is None else score for score in scores])
        order = np.sort(y)
        middle = (np.searchsorted(order, y, "left") + np.searchsorted(order, y, "right")) / (2 * len(y))
        ranked = [NormalDist().inv_cdf(min(q, 1 - 0.5 / len(y))) for q in middle]
        return np.where(y <= self.median, (y - self.median) / self.spread, np.maximum(ranked, 0.0))

    def back(self, warped: float) -> float:
        """Return the score of a warped value; of a bad one, whose size the warping forgot, only the order is kept."""
        return float(self.median + self.spread * warped)


def warp(scores: Sequence[float | None]) -> Warp:
    """Return the scale of minimised scores, at least one of them known."""
    known = np.sort(np.array([score for score in scores if score is not None]))
    median = float(np.median(known))
    good = known[known <= median]
    spread = float(np.sqrt(np.mean((good - median) ** 2)))
    return Warp(median, spread if spread > 0 else 1.0, known)

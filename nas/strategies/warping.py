"""Scores on a scale that a Gaussian process can learn: the good ones as they are, the bad ones by rank alone.

Song et al., "The Vizier Gaussian process bandit algorithm", 2024: half-rank warping. A few broken networks far below
the rest would otherwise decide what the scale is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Warp:
    """The scale of some minimised scores: 0 is `middle`, and -1 is better than it by `spread`."""

    middle: float
    spread: float
    worst: float

    def __call__(self, scores: Sequence[float | None]) -> Vector:
        """Return the warped scores; None (a failure) is as the worst, and all above the middle are half normal."""
        y = np.array([self.worst if score is None else score for score in scores])
        warped = (y - self.middle) / self.spread
        bad = np.flatnonzero(warped > 0)
        order = np.sort(y[bad])
        places = (np.searchsorted(order, y[bad], "left") + np.searchsorted(order, y[bad], "right")) / 2
        warped[bad] = [NormalDist().inv_cdf(0.5 + place / len(bad) / 2) for place in places]
        return warped

    def back(self, warped: float) -> float:
        """Return the score of a warped value; of a bad one, whose size the warping forgot, only the order is kept."""
        return float(self.middle + self.spread * warped)


def warp(scores: Sequence[float | None], sampled: int) -> Warp:
    """Return the scale of minimised scores, at least one of them known; the first `sampled` were drawn at random.

    It lies half-way between the scale of those and that of all. What was searched for crowds around a few values: their
    own scale would magnify its noise until nothing else seems worth a try, and that of the sample would hide it.
    """
    known = [score for score in scores if score is not None]
    usual = [score for score in scores[:sampled] if score is not None]
    (middle, spread), (middle_now, spread_now) = _half(usual if len(usual) > 2 else known), _half(known)
    # Where one of them has no spread, the other's has to do.
    both = sqrt((spread or spread_now or 1.0) * (spread_now or spread or 1.0))
    return Warp((middle + middle_now) / 2, both, max(known))


def _half(scores: Sequence[float]) -> tuple[float, float]:
    """Return the median, and the root mean square distance from it of the better half."""
    values = np.array(scores)
    middle = float(np.median(values))
    return middle, float(np.sqrt(np.mean((values[values <= middle] - middle) ** 2)))

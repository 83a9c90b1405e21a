"""What a controller is rewarded with: MnasNet's weighted product of accuracy and cost, and how good that is by now.

Tan et al., "MnasNet: Platform-aware neural architecture search for mobile", CVPR 2019, section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from nas.sentences import Refused
from nas.strategies.protocol import Terms

LARGEST, DECAY = 3.0, 0.95


@dataclass(frozen=True, slots=True)
class Baseline:
    """Moving averages of reward and squared distance from it, and the worst reward so far, which failures get."""

    mean: float | None = None
    variance: float = 0.0
    worst: float = 0.0
    count: int = 0

    def after(self, reward: float | None) -> "Baseline":
        """Return the averages with one more reward, a plain mean at first; a failure (None) counts as the worst."""
        if self.mean is None:
            return self if reward is None else Baseline(reward, 0.0, reward, 1)
        worst = self.worst if reward is None else min(self.worst, reward)
        above = (worst if reward is None else reward) - self.mean
        share = max(1 - DECAY, 1 / (self.count + 1))
        variance = (1 - share) * (self.variance + share * above**2)
        return Baseline(self.mean + share * above, variance, worst, self.count + 1)

    def advantage(self, reward: float | None) -> float:
        """Return how far a reward is above average, in standard deviations and three at most: no unit, no outliers."""
        if self.mean is None or not self.variance:
            return 0.0
        above = ((self.worst if reward is None else reward) - self.mean) / sqrt(self.variance)
        return max(-LARGEST, min(LARGEST, above))


def refuse(target: float, terms: Terms) -> None:
    """Raise Refused where the number of objectives does not fit the target; 0 means that there is none."""
    if terms.objectives > 2:
        raise Refused(
            "The reward is made of one or two objectives, not of {count}; make the others limits.",
            count=terms.objectives,
        )
    if terms.objectives == 2 and target == 0:
        raise Refused("With two objectives the target of the second one must be set; it is {target}.", target=target)
    if terms.objectives == 1 and target != 0:
        raise Refused("The target is {target}, but there is no second objective to hold to it.", target=target)


def reward(scores: Sequence[float], target: float, exponent: float, *, hard: bool) -> float:
    """Return what to bring up: the first score turned round, times (cost / target)^w; equations 2 and 3.

    `exponent` is w on both sides of a soft target; a hard one leaves a cost within it alone and divides by the excess
    beyond it (w = 0 and w = -1). A second objective that is maximised arrives negative: it should exceed the target.
    """
    value = -scores[0]
    if len(scores) < 2:
        return value
    ratio = max(abs(scores[1]), 1e-12) / target
    excess = 1 / ratio if scores[1] < 0 else ratio
    factor = min(1.0, 1 / excess) if hard else excess**exponent
    # A loss is below 0 when it is turned round; there a penalty has to be a division.
    return value * factor if value >= 0 else value / factor

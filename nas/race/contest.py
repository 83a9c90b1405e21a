"""Strategies side by side: a lane is one strategy with one seed on one budget."""

from dataclasses import dataclass, replace

from nas.checks import check
from nas.gradient import GRADIENT
from nas.plan import Plan
from nas.sentences import Refused

BASELINE = "random"


@dataclass(frozen=True)
class Lane:
    """What one strategy reached with one seed: an entry per evaluation, the last one repeated in a spent space.

    `best` is the first objective of the best so far, `report` the first column that is read of it (the objective
    where there is none), `epochs` what was trained until then.
    """

    strategy: str
    seed: int
    best: tuple[float, ...]
    report: tuple[float, ...]
    epochs: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class Race:
    """The plans of a race: the same one but for its strategy and seed, with random among them."""

    plan: Plan
    strategies: tuple[str, ...]
    seeds: tuple[int, ...]

    @property
    def entrants(self) -> tuple[str, ...]:
        """Every strategy once, random last."""
        return (*(name for name in dict.fromkeys(self.strategies) if name != BASELINE), BASELINE)

    @property
    def starts(self) -> tuple[tuple[str, int], ...]:
        """Every pair of strategy and seed, seeds outermost, so that all strategies come forward together."""
        return tuple((name, seed) for seed in self.seeds for name in self.entrants)

    def check(self) -> None:
        """Raise Refused where one of the strategies cannot do what is asked."""
        for name in self.entrants:
            if name in GRADIENT:
                raise Refused("{strategy} searches by gradient; it makes no proposals to race with.", strategy=name)
            check(self.lane_plan(name, self.seeds[0]))

    def lane_plan(self, strategy: str, seed: int) -> Plan:
        """Return the plan of one lane; settings of the plan are those of its own strategy."""
        settings = self.plan.strategy_settings if strategy == self.plan.strategy else {}
        return replace(self.plan, strategy=strategy, strategy_settings=settings, seed=seed)

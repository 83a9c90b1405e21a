"""What spares a run evaluations, or makes them surer, whatever its strategy."""

from dataclasses import dataclass

from nas.proxies import METRICS
from nas.settings import setting


@dataclass(frozen=True)
class Bar:
    """What the proxy of a network must reach to be worth its training; `high` says that the good ones are above."""

    at: float
    high: bool

    def rejects(self, value: float) -> bool:
        """Tell whether a value is on the wrong side; at the bar it is not."""
        return value < self.at if self.high else value > self.at


@dataclass(frozen=True)
class Policy:
    """Settings that wrap any strategy; all of them are off unless asked for."""

    replicates: int = setting(
        1, low=1, high=20, unit="seeds", help="Trainings per candidate, each with its own seed; their mean counts."
    )
    proxy: str = setting(
        "",
        help="What is known before training and tells good from bad: parameters, multiply_adds, depth, a column of the "
        "table or, where networks are built, a zero-cost proxy such as synflow. Empty: reject nothing.",
    )
    proxy_share: float = setting(0.5, low=0.05, high=0.95, help="Share of proposals that the proxy rejects.")
    proxy_trust: float = setting(
        0.2,
        low=0.0,
        high=0.9,
        help="Rank correlation with what was measured below which the proxy stops rejecting; it takes 10 candidates.",
    )
    watch: tuple[str, ...] = setting(
        (),
        options=tuple(METRICS),
        help="Proxies that are computed of every candidate beside its training, to see how well they rank.",
    )
    stopping: str = setting(
        "none",
        options=("none", "median", "extrapolation"),
        help="Ends a hopeless training early: below the median of the others, or where its predicted end is behind.",
    )
    grace: int = setting(3, low=1, high=100_000, unit="epochs", help="Epochs that every candidate gets in any case.")
    warm_start: int = setting(
        10, low=0, high=1000, help="Architectures to begin with out of earlier searches, where any are given."
    )

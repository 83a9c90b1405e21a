"""What the final stage has measured so far, and who has won it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean

from nas import selection
from nas.architecture import Architecture
from nas.events import Ended, Evidence, Measured
from nas.plan import Plan
from nas.significance import Verdict, verdict


@dataclass
class Final:
    """Measurements of the finalists by number, in the order of the search's ranking; the baseline has number 0."""

    plan: Plan
    finalists: Mapping[int, Architecture]
    measured: dict[int, list[Measured]] = field(default_factory=lambda: defaultdict(list))

    def add(self, number: int, over: Measured | Ended | None) -> None:
        """Take in one training that is over, measured or failed."""
        if isinstance(over, Measured):
            self.measured[number].append(over)

    def metrics(self, number: int) -> list[dict[str, float]]:
        """Return the test metrics of a contestant, one mapping per seed."""
        return [dict(one.metrics) for one in self.measured[number]]

    def evidence(self, number: int) -> list[Evidence]:
        """Return what stands behind the test metrics of a contestant, one item per seed; none of numbers."""
        return [one.evidence for one in self.measured[number] if one.evidence]

    @property
    def winner(self) -> int:
        """The number of the finalist that has won, as validation says; the search's best where none was measured."""
        trained = [(number, self.metrics(number)) for number in self.finalists]
        found = selection.champion(self.plan, trained)
        return next(iter(self.finalists)) if found is None else found

    @property
    def seconds(self) -> float:
        """How long the baseline shall train: 0 where epochs count, or nothing was measured."""
        times = [row["training_seconds"] for row in self.metrics(self.winner) if "training_seconds" in row]
        return fmean(times) if times and self.plan.baseline.budget == "time" else 0.0

    @property
    def verdict(self) -> Verdict | None:
        """Whether the lead could be chance."""
        pair = (next(iter(self.evidence(self.winner)), None), next(iter(self.evidence(0)), None))
        return verdict(self.plan, self.metrics(self.winner), self.metrics(0), pair)

"""How fast a trained network answers: by what computes it, where, and how many inputs at once. No torch here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from nas import codec

FILE = "latency.json"


@dataclass(frozen=True)
class Speed:
    """Milliseconds that a runtime takes on a device for one batch: the median, and what 95 of 100 stay below."""

    runtime: str
    device: str
    batch: int
    median_ms: float
    p95_ms: float

    @property
    def per_second(self) -> float:
        """Inputs answered in a second, batch after batch."""
        return 1000 * self.batch / self.median_ms

    @property
    def place(self) -> str:
        """What computes it, and where."""
        return f"{self.runtime}, {self.device}"


def dump(speeds: Sequence[Speed]) -> str:
    """Return the file's text."""
    return json.dumps(codec.dump(list(speeds)), indent=2) + "\n"


def load(text: str) -> tuple[Speed, ...]:
    """Read what `dump` wrote; raises ValueError for anything else."""
    return codec.load(tuple[Speed, ...], json.loads(text))

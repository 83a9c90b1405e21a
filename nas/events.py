"""What an evaluation may say while it runs, and how one that cannot go on ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from nas.architecture import Architecture
from nas.sentences import Sentence, Value

# "data": they are missing or not those that the run began with; no other candidate could be measured either.
# "rejected": a proxy spoke against it before it was trained, which costs nothing of the budget.
Cause = Literal["oom", "nan", "timeout", "invalid", "lost", "data", "rejected", "error"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data is read and the network built: the data's fingerprint, and the device that will train."""

    fingerprint: str
    device: str


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """One point of a learning curve; accuracies in percent, `seconds` since the training began (all attempts)."""

    epoch: int
    epochs: int
    train_loss: float
    valid_loss: float | None
    valid_accuracy: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class EpochSearched:
    """An epoch of a search that is one long evaluation: the architecture that its weights point to so far.

    `metrics` are measured on validation under the shared weights; `trace` are numbers worth drawing, and `alpha` the
    probability of each operation, by edge.
    """

    epoch: int
    epochs: int
    architecture: Architecture
    metrics: Mapping[str, float]
    trace: Mapping[str, float]
    alpha: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind the metrics of a classifier on the test split.

    `confusion` counts, by true class, what was taken for which class. `roc` are points (false positive rate, true
    positive rate) of all classes pooled, each against the rest. `right` has a bit per input, in base64: whether it was
    told right.
    """

    confusion: tuple[tuple[int, ...], ...]
    roc: tuple[tuple[float, float], ...]
    right: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something a person should know that does not end the evaluation; it begins anew, its epochs from the first."""

    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Measured:
    """The end of an evaluation: its metrics, and the files it left, by name, in its work folder.

    `missing` says of each file that could not be made why.
    """

    metrics: Mapping[str, float]
    artifacts: tuple[str, ...] = ()
    evidence: Evidence | None = None
    missing: Mapping[str, Sentence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Derived:
    """The end of a search that is one long evaluation: the architecture of an epoch, usually of the last."""

    architecture: Architecture
    epoch: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an evaluation that could not be measured: the cause and a sentence for a person.

    `metrics` are what was known of the network all the same.
    """

    cause: Cause
    sentence: Sentence
    metrics: Mapping[str, float] = field(default_factory=dict)


Event = Prepared | EpochEnded | EpochSearched | Noted | Measured | Derived | Ended
EVENTS: tuple[type, ...] = (Prepared, EpochEnded, EpochSearched, Noted, Measured, Derived, Ended)


class EvaluationFailed(Exception):
    """Raised inside an evaluator where it cannot go on."""

    def __init__(self, cause: Cause, template: str, **values: Value) -> None:
        self.ended = Ended(cause, Sentence(template, values))
        super().__init__(str(self.ended.sentence))

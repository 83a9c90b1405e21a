"""What a search strategy is: settings, and a pure step over a state that JSON can carry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, TypeVar, runtime_checkable

from nas.architecture import Architecture
from nas.spaces.protocol import SearchSpace


@dataclass(frozen=True)
class Terms:
    """What a run offers its strategy: evaluations at most, scores per outcome, and the fidelities that it may ask for.

    `fidelities` are numbers of epochs in rising order, a range or a tuple; the last one is the run's own. Where `rungs`
    are not of epochs but of share, side or width, they are percent of it.
    """

    budget: int
    objectives: int = 1
    fidelities: Sequence[int] = (0,)
    rungs: str = "epochs"


@dataclass(frozen=True, slots=True)
class Proposal:
    """An architecture to measure: `number` counts up from 1; `origin` says how it was made, from which parents.

    `fidelity` is one of those that the run offers, 0 for its own; `generation` counts the strategy's steps from 1.
    """

    number: int
    architecture: Architecture
    origin: str
    generation: int = 1
    parents: tuple[int, ...] = ()
    fidelity: int = 0


@dataclass(frozen=True, slots=True)
class Scored:
    """A proposal that was measured and keeps to every limit: one finite score per objective, all minimised.

    `proxy` is what the evaluation says of the network's proxy, where one may reject it.
    """

    number: int
    architecture: Architecture
    fidelity: int
    scores: tuple[float, ...]
    proxy: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A proposal that could not be measured or broke a limit. It is told too: silence would starve a population.

    `proxy` as of one that was measured; `rejected` where it was not trained for it.
    """

    number: int
    architecture: Architecture
    fidelity: int = 0
    proxy: float | None = None
    rejected: bool = False


PROMOTED = "promoted"  # the origin of what was measured before, on a lower rung
Outcome = Scored | Failed
OUTCOMES: tuple[type, ...] = (Scored, Failed)
S = TypeVar("S")


class Strategy(Protocol[S]):
    """A frozen dataclass of settings; `S` is its state, a frozen dataclass that `nas.codec` can dump.

    The same state and calls give the same answers: the randomness of proposal n comes from `dice(seed, n)`.
    Proposals that come out of `ask` may be told in any order, and late; some may never be told. What counts is the
    architecture in the outcome: a wrapper may have measured another one in the place of the proposed.
    """

    @property
    def state(self) -> type:
        """The type of the state, to load it with."""

    @property
    def many_objectives(self) -> bool:
        """Whether it takes more than one score."""

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """Raise Refused where the settings cannot work on this space or on these terms."""

    def begin(self, seed: int, terms: Terms) -> S:
        """Return the state before the first proposal."""

    def ask(self, space: SearchSpace, state: S, count: int) -> tuple[S, list[Proposal]]:
        """Propose up to `count`; fewer means: wait for outcomes. None with nothing in flight: the search is over."""

    def tell(self, space: SearchSpace, state: S, outcome: Outcome) -> S:
        """Take in one outcome."""

    def trace(self, state: S) -> Mapping[str, float]:
        """Return the numbers worth drawing about the latest generation, by name."""


AnyStrategy = Strategy[Any]


@runtime_checkable
class Climbing(Protocol):
    """A strategy that measures on rungs of rising fidelity."""

    def steps(self, terms: Terms) -> tuple[int, ...]:
        """Return the fidelity of each rung, rising to the run's own."""


def dice(seed: int, number: int) -> Random:
    """Return the random source of one proposal: nothing to store, nothing to lose."""
    return Random(f"{seed}/{number}")

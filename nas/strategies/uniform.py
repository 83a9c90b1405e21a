"""Random search: every proposal is a fresh uniform sample. The baseline that every other strategy must beat.

Li and Talwalkar, "Random search and reproducibility for neural architecture search", UAI 2019.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.protocol import Outcome, Proposal, Terms, dice


@dataclass(frozen=True, slots=True)
class UniformState:
    """The seed and how many proposals were made."""

    seed: int
    asked: int = 0


@dataclass(frozen=True)
class Uniform:
    """Random search has no settings."""

    state = UniformState
    many_objectives = True

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """It works everywhere that one architecture can be sampled."""
        moves.sample(space, dice(0, 0))

    def begin(self, seed: int, terms: Terms) -> UniformState:
        """Nothing asked yet."""
        return UniformState(seed)

    def ask(self, space: SearchSpace, state: UniformState, count: int) -> tuple[UniformState, list[Proposal]]:
        """Sample `count` architectures."""
        numbers = range(state.asked + 1, state.asked + count + 1)
        proposals = [Proposal(n, moves.sample(space, dice(state.seed, n)), "sampled") for n in numbers]
        return replace(state, asked=state.asked + count), proposals

    def tell(self, space: SearchSpace, state: UniformState, outcome: Outcome) -> UniformState:
        """Learn nothing."""
        return state

    def trace(self, state: UniformState) -> Mapping[str, float]:
        """There is nothing to draw."""
        return {}

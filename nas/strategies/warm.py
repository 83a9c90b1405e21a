"""Warm start, around any strategy: it begins with architectures that did well in earlier searches.

Feurer et al., "Initializing Bayesian hyperparameter optimization via meta-learning", AAAI 2015.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nas.architecture import Architecture
from nas.spaces.protocol import SearchSpace
from nas.strategies.nested import opened
from nas.strategies.protocol import AnyStrategy, Outcome, Proposal, Terms

ORIGIN = "warm start"


@dataclass(frozen=True)
class WarmState:
    """The inner state, and how many of the given architectures were proposed."""

    inner: Any
    used: int = 0


@dataclass(frozen=True)
class Warm:
    """Puts a given architecture in the place of each of the first proposals, for the strategy to learn from."""

    inner: AnyStrategy
    starts: tuple[Architecture, ...]

    state = WarmState

    @property
    def many_objectives(self) -> bool:
        """As the strategy inside."""
        return self.inner.many_objectives

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """As the strategy inside."""
        self.inner.refuse(space, terms)

    def begin(self, seed: int, terms: Terms) -> WarmState:
        """None of them proposed yet."""
        return WarmState(self.inner.begin(seed, terms))

    def ask(self, space: SearchSpace, state: WarmState, count: int) -> tuple[WarmState, list[Proposal]]:
        """Ask the inner strategy, and exchange architectures while there are any left."""
        inner, proposals = self.inner.ask(space, opened(self.inner, state.inner), count)
        used, given = state.used, []
        for proposal in proposals:
            if used < len(self.starts) and not proposal.parents:
                proposal = replace(proposal, architecture=self.starts[used], origin=ORIGIN)
                used += 1
            given.append(proposal)
        return WarmState(inner, used), given

    def tell(self, space: SearchSpace, state: WarmState, outcome: Outcome) -> WarmState:
        """Pass it on: what counts for the strategy is the architecture in the outcome."""
        return replace(state, inner=self.inner.tell(space, opened(self.inner, state.inner), outcome))

    def trace(self, state: WarmState) -> Mapping[str, float]:
        """As the strategy inside."""
        return self.inner.trace(opened(self.inner, state.inner))

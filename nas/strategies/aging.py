"""Aging evolution: a steady population whose oldest member dies, however good it is.

Real, Aggarwal, Huang and Le, "Regularized evolution for image classifier architecture search", AAAI 2019, algorithm 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import fmean

from nas.architecture import Architecture
from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.protocol import Outcome, Proposal, Scored, Terms, dice


@dataclass(frozen=True, slots=True)
class Member:
    """A measured architecture that is still alive; its score is minimised."""

    number: int
    choices: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class AgingState:
    """The living, oldest first; `size` is how many may live."""

    seed: int
    size: int
    asked: int = 0
    population: tuple[Member, ...] = ()


@dataclass(frozen=True)
class Aging:
    """The best of a few members drawn at random has a child with one choice changed; the oldest member dies."""

    population: int = setting(
        25, low=2, high=10_000, help="Members alive, at most a quarter of the budget; the paper has 100 of 20,000."
    )
    sample: int = setting(15, low=1, high=10_000, help="Members drawn, with return; the best is the parent.")

    state = AgingState
    many_objectives = False

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """It works everywhere that one architecture can be sampled."""
        moves.sample(space, dice(0, 0))

    def begin(self, seed: int, terms: Terms) -> AgingState:
        """Nobody is alive."""
        return AgingState(seed, max(2, min(self.population, terms.budget // 4)))

    def ask(self, space: SearchSpace, state: AgingState, count: int) -> tuple[AgingState, list[Proposal]]:
        """Propose at any time: samples until the population is full, then children."""
        numbers = range(state.asked + 1, state.asked + count + 1)
        return replace(state, asked=state.asked + count), [self._propose(space, state, n) for n in numbers]

    def tell(self, space: SearchSpace, state: AgingState, outcome: Outcome) -> AgingState:
        """Let a measured architecture live, and the oldest die where the population is full."""
        if not isinstance(outcome, Scored):
            return state
        born = Member(outcome.number, outcome.architecture.choices, outcome.scores[0])
        return replace(state, population=(*state.population, born)[-state.size :])

    def trace(self, state: AgingState) -> Mapping[str, float]:
        """Best and mean score of the living, and the mean age in evaluations."""
        if not state.population:
            return {}
        scores = [one.score for one in state.population]
        return {"best": min(scores), "mean": fmean(scores)}

    def _propose(self, space: SearchSpace, state: AgingState, number: int) -> Proposal:
        random = dice(state.seed, number)
        generation = 1 + (number - 1) // state.size
        if number <= state.size or not state.population:
            return Proposal(number, moves.sample(space, random), "sampled", generation)
        drawn = (random.choice(state.population) for _ in range(self.sample))
        parent = min(drawn, key=lambda one: (one.score, one.number))
        child = moves.mutate(space, Architecture(space.name, parent.choices), 0, random)
        return Proposal(number, child, "mutated", generation, (parent.number,))

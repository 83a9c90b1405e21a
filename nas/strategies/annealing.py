"""Simulated annealing: a walk that also takes steps down, ever more rarely as the temperature falls.

Kirkpatrick, Gelatt and Vecchi, "Optimization by simulated annealing", Science 220, 1983.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp
from statistics import fmean, median

from nas.architecture import Architecture
from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.protocol import Outcome, Proposal, Scored, Terms, dice

RECENT = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A measured architecture; its score is minimised."""

    number: int
    choices: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class AnnealingState:
    """Where the walk stands, and the scores of the first samples, from which the start temperature is fitted.

    `heated` is how many outcomes were told when the cooling began, `stalled` how many since the last better place;
    `accepted` are the latest decisions, 1 for a step that was taken.
    """

    seed: int
    budget: int
    asked: int = 0
    told: int = 0
    first: tuple[float, ...] = ()
    here: Place | None = None
    best: Place | None = None
    heated: int = 0
    reheats: int = 0
    stalled: int = 0
    accepted: tuple[int, ...] = ()


@dataclass(frozen=True)
class Annealing:
    """Temperatures are shares of the spread of the first samples, so that they fit scores of any unit."""

    samples: int = setting(
        10, low=1, high=1000, help="Random architectures at the start, at most a fifth of the budget."
    )
    start: float = setting(
        0.03, low=1e-6, high=100, help="Temperature at the start: 1 is the spread of the first samples."
    )
    end: float = setting(0.01, low=1e-6, high=100, help="Temperature when the budget is used up.")
    patience: int = setting(
        50, low=0, high=100_000, help="Outcomes without a better place before the walk reheats at the best; 0 is never."
    )

    state = AnnealingState
    many_objectives = False

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """The temperature must fall."""
        moves.sample(space, dice(0, 0))

    def begin(self, seed: int, terms: Terms) -> AnnealingState:
        """Nowhere yet."""
        return AnnealingState(seed, terms.budget)

    def ask(self, space: SearchSpace, state: AnnealingState, count: int) -> tuple[AnnealingState, list[Proposal]]:
        """Propose at any time: first samples, then neighbours of where the walk stands."""
        numbers = range(state.asked + 1, state.asked + count + 1)
        return replace(state, asked=state.asked + count), [self._propose(space, state, n) for n in numbers]

    def tell(self, space: SearchSpace, state: AnnealingState, outcome: Outcome) -> AnnealingState:
        """Take the step or not, by Metropolis' rule; outcomes are judged in the order in which they are told."""
        state = replace(state, told=state.told + 1, stalled=state.stalled + 1)
        if not isinstance(outcome, Scored):
            return state
        place = Place(outcome.number, outcome.architecture.choices, outcome.scores[0])
        if len(state.first) < self._samples(state):
            here = min(state.here or place, place, key=_score)
            return replace(state, here=here, best=here, first=(*state.first, place.score), heated=state.told, stalled=0)
        taken = self._accepts(state, place)
        state = replace(state, accepted=(*state.accepted, int(taken))[-RECENT:], here=place if taken else state.here)
        if state.best is None or place.score < state.best.score:
            return replace(state, best=place, stalled=0)
        if 0 < self.patience <= state.stalled:
            return replace(state, here=state.best, heated=state.told, reheats=state.reheats + 1, stalled=0)
        return state

    def trace(self, state: AnnealingState) -> Mapping[str, float]:
        """Temperature in the unit of the score, share of the latest steps taken, current and best score, reheats."""
        if state.here is None or state.best is None or not state.accepted:
            return {}
        return {
            "temperature": self._temperature(state),
            "acceptance rate": fmean(state.accepted),
            "current": state.here.score,
            "best": state.best.score,
            "reheats": state.reheats,
        }

    def _samples(self, state: AnnealingState) -> int:
        return max(1, min(self.samples, state.budget // 5))

    def _propose(self, space: SearchSpace, state: AnnealingState, number: int) -> Proposal:
        random = dice(state.seed, number)
        if number <= self._samples(state) or state.here is None:
            return Proposal(number, moves.sample(space, random), "sampled")
        here = Architecture(space.name, state.here.choices)
        generation = 2 + (number - self._samples(state) - 1) // RECENT
        return Proposal(number, moves.mutate(space, here, 0, random), "mutated", generation, (state.here.number,))

    def _accepts(self, state: AnnealingState, place: Place) -> bool:
        if state.here is None or place.score <= state.here.score:
            return True
        temperature = self._temperature(state)
        worse = place.score - state.here.score
        return temperature > 0 and dice(state.seed, -place.number).random() < exp(-worse / temperature)

    def _temperature(self, state: AnnealingState) -> float:
        # Exponential cooling: the same factor with each outcome, from the latest heating to the end of the budget.
        spread = median(state.first) - min(state.first)
        left = (state.told - state.heated) / max(state.budget - state.heated, 1)
        start = max(self.start * 0.5**state.reheats, self.end)
        return spread * start * float((self.end / start) ** min(left, 1.0))


def _score(place: Place) -> float:
    return place.score

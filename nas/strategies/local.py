"""Local search: walk from neighbour to better neighbour, and start anew where none is better.

White, Nolen and Savani, "Exploring the loss landscape in neural architecture search", UAI 2021; Den Ottelander et al.,
"Local search is a remarkably strong baseline for neural architecture search", EMO 2021.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from nas.architecture import Architecture
from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.protocol import Outcome, Proposal, Scored, Terms, dice


@dataclass(frozen=True, slots=True)
class Place:
    """A measured architecture; its score is minimised."""

    number: int
    choices: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class LocalState:
    """Where the walk stands (None while a start is sampled), and the best that came in since and is better.

    `tried` counts the samples of the start, or the shuffled changes of this place, that were used up; `step` counts
    starts and moves, and `awaited` are the proposals without an outcome.
    """

    seed: int
    asked: int = 0
    step: int = 1
    starts: int = 1
    here: Place | None = None
    ahead: Place | None = None
    tried: int = 0
    awaited: tuple[int, ...] = ()
    best: float | None = None


@dataclass(frozen=True)
class Local:
    """Neighbours differ in one choice. First improvement moves at once; best improvement measures all of them."""

    improvement: str = setting(
        "first", options=("first", "best"), help="Move to the first better neighbour, or to the best of all."
    )
    samples: int = setting(
        10, low=1, high=1000, help="Random architectures per start; the best is where a walk begins."
    )

    state = LocalState
    many_objectives = False

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """It works everywhere that one architecture can be sampled."""
        moves.sample(space, dice(0, 0))

    def begin(self, seed: int, terms: Terms) -> LocalState:
        """Before the first start."""
        return LocalState(seed)

    def ask(self, space: SearchSpace, state: LocalState, count: int) -> tuple[LocalState, list[Proposal]]:
        """Propose what is left of a start or a neighbourhood; where nothing is, wait for its outcomes and go on."""
        proposals: list[Proposal] = []
        while len(proposals) < count:
            more = list(itertools.islice(self._left(space, state), count - len(proposals)))
            if more:
                tried, last = more[-1]
                numbers = tuple(proposal.number for _, proposal in more)
                state = replace(state, asked=last.number, tried=tried, awaited=(*state.awaited, *numbers))
                proposals += [proposal for _, proposal in more]
            elif state.awaited:
                break
            else:
                state = _moved(state)
        return state, proposals

    def tell(self, space: SearchSpace, state: LocalState, outcome: Outcome) -> LocalState:
        """Note a place that is better than here; first improvement goes there."""
        state = replace(state, awaited=tuple(number for number in state.awaited if number != outcome.number))
        if not isinstance(outcome, Scored):
            return state
        place = Place(outcome.number, outcome.architecture.choices, outcome.scores[0])
        state = replace(state, best=place.score if state.best is None else min(state.best, place.score))
        goal = state.ahead or state.here
        if goal is not None and place.score >= goal.score:
            return state
        state = replace(state, ahead=place)
        return _moved(state) if state.here and self.improvement == "first" else state

    def trace(self, state: LocalState) -> Mapping[str, float]:
        """Best score, score of the place where the walk stands, and the starts so far."""
        if state.best is None:
            return {}
        here = {"current": state.here.score} if state.here else {}
        return {"best": state.best, **here, "starts": state.starts}

    def _left(self, space: SearchSpace, state: LocalState) -> Iterator[tuple[int, Proposal]]:
        # Yields the count of samples or changes that are used up then, and the proposal.
        numbers = itertools.count(state.asked + 1)
        if state.here is None:
            for tried, number in zip(range(state.tried + 1, self.samples + 1), numbers, strict=False):
                yield tried, Proposal(number, moves.sample(space, dice(state.seed, number)), "sampled", state.step)
            return
        here = Architecture(space.name, state.here.choices)
        for tried, neighbour in _neighbours(space, here, dice(state.seed, -state.here.number), state.tried):
            yield tried, Proposal(next(numbers), neighbour, "mutated", state.step, (state.here.number,))


def _moved(state: LocalState) -> LocalState:
    """Return the state at the better place that was found, or at a new start where there is none."""
    starts = state.starts + (state.ahead is None)
    return replace(state, here=state.ahead, ahead=None, tried=0, step=state.step + 1, starts=starts)


def _neighbours(
    space: SearchSpace, here: Architecture, random: Random, tried: int
) -> Iterator[tuple[int, Architecture]]:
    """Yield what one changed choice leads to, in shuffled order from change `tried` on, with the changes used up."""
    changes = [(index, option) for index, it in enumerate(space.decisions) for option in range(len(it.options))]
    random.shuffle(changes)
    for used, (index, option) in enumerate(changes[tried:], start=tried + 1):
        choices = (*here.choices[:index], option, *here.choices[index + 1 :])
        other = space.canonical(Architecture(space.name, choices))
        if other != here and not space.complaint(other):
            yield used, other

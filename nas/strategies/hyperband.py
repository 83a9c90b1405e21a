"""Hyperband: brackets of successive halving, from many candidates with little training to few with all of it.

Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, "Hyperband: a novel bandit-based approach to hyperparameter
optimization", JMLR 18, 2018, algorithm 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nas.architecture import Architecture
from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.protocol import PROMOTED, Outcome, Proposal, Scored, Terms, dice
from nas.strategies.rungs import ladder, refuse_one_rung, rung_name


@dataclass(frozen=True, slots=True)
class Entrant:
    """Who takes part in a rung: an architecture with the number of its measurement, and the minimised score."""

    number: int
    choices: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Bracket:
    """A round of successive halving on its current rung of `size` places.

    `entrants` come from the rung below; there are none on the first rung, whose places are filled with samples.
    """

    number: int
    rung: int
    size: int
    asked: int = 0
    entrants: tuple[Entrant, ...] = ()
    awaited: tuple[int, ...] = ()
    results: tuple[Entrant, ...] = ()


@dataclass(frozen=True, slots=True)
class HyperbandState:
    """The fidelity of each rung, rising, the brackets that are not over, and what was measured on each rung.

    `of` says what a fidelity counts: epochs, or percent of something.
    """

    seed: int
    ladder: tuple[int, ...]
    counts: tuple[int, ...]
    best: tuple[float | None, ...]
    asked: int = 0
    opened: int = 0
    brackets: tuple[Bracket, ...] = ()
    of: str = "epochs"


@dataclass(frozen=True)
class Hyperband:
    """Brackets follow each other, the most daring first; while one waits for a rung, the next fills the workers."""

    reduction: int = setting(3, low=2, high=100, help="One in so many climbs to the next rung (eta in the paper).")
    rungs: int = setting(4, low=2, high=20, help="Rungs at most; as many kinds of brackets take turns.")

    state = HyperbandState
    many_objectives = False

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """There must be at least two rungs."""
        refuse_one_rung("hyperband", terms, self.reduction)
        moves.sample(space, dice(0, 0))

    def steps(self, terms: Terms) -> tuple[int, ...]:
        """Return the fidelity of each rung, rising."""
        return ladder(terms.fidelities, self.reduction, self.rungs)

    def begin(self, seed: int, terms: Terms) -> HyperbandState:
        """No bracket is open."""
        steps = self.steps(terms)
        return HyperbandState(seed, steps, (0,) * len(steps), (None,) * len(steps), of=terms.rungs)

    def ask(self, space: SearchSpace, state: HyperbandState, count: int) -> tuple[HyperbandState, list[Proposal]]:
        """Fill the places of the oldest bracket that has some; where none has, open the next bracket."""
        proposals = []
        for _ in range(count):
            open_places = [bracket for bracket in state.brackets if bracket.asked < bracket.size]
            if not open_places:
                state = self._with_next_bracket(state)
                open_places = [state.brackets[-1]]
            bracket = open_places[0]
            proposal = _propose(space, state, bracket)
            asked = replace(bracket, asked=bracket.asked + 1, awaited=(*bracket.awaited, proposal.number))
            state = replace(_with_bracket(state, bracket.number, asked), asked=proposal.number)
            proposals.append(proposal)
        return state, proposals

    def tell(self, space: SearchSpace, state: HyperbandState, outcome: Outcome) -> HyperbandState:
        """Note the result in its bracket; with the last one of a rung the best go on to the next."""
        state = _counted(state, outcome)
        bracket = next((one for one in state.brackets if outcome.number in one.awaited), None)
        if bracket is None:
            return state
        results = bracket.results
        if isinstance(outcome, Scored):
            results = (*results, Entrant(outcome.number, outcome.architecture.choices, outcome.scores[0]))
        awaited = tuple(number for number in bracket.awaited if number != outcome.number)
        told: Bracket | None = replace(bracket, awaited=awaited, results=results)
        if not awaited and bracket.asked == bracket.size:
            told = self._next_rung(state, replace(bracket, results=results))
        return _with_bracket(state, bracket.number, told)

    def trace(self, state: HyperbandState) -> Mapping[str, float]:
        """How many were measured on each rung, and the best score on the highest one reached."""
        rungs = zip(state.ladder, state.counts, strict=True)
        counts = {rung_name(state.of, fidelity): count for fidelity, count in rungs}
        reached = [best for best in state.best if best is not None]
        return {**counts, "best": reached[-1]} if reached else {}

    def _with_next_bracket(self, state: HyperbandState) -> HyperbandState:
        top = len(state.ladder) - 1
        s = top - state.opened % (top + 1)
        size = -(-(top + 1) * self.reduction**s // (s + 1))
        bracket = Bracket(state.opened + 1, top - s, size)
        return replace(state, opened=bracket.number, brackets=(*state.brackets, bracket))

    def _next_rung(self, state: HyperbandState, bracket: Bracket) -> Bracket | None:
        if bracket.rung == len(state.ladder) - 1 or not bracket.results:
            return None
        best = sorted(bracket.results, key=lambda one: (one.score, one.number))
        climbers = tuple(best[: max(1, bracket.size // self.reduction)])
        return Bracket(bracket.number, bracket.rung + 1, len(climbers), entrants=climbers)


def _propose(space: SearchSpace, state: HyperbandState, bracket: Bracket) -> Proposal:
    number, fidelity = state.asked + 1, state.ladder[bracket.rung]
    if not bracket.entrants:
        sample = moves.sample(space, dice(state.seed, number))
        return Proposal(number, sample, "sampled", bracket.number, fidelity=fidelity)
    one = bracket.entrants[bracket.asked]
    architecture = Architecture(space.name, one.choices)
    return Proposal(number, architecture, PROMOTED, bracket.number, (one.number,), fidelity)


def _with_bracket(state: HyperbandState, number: int, bracket: Bracket | None) -> HyperbandState:
    kept = (bracket if one.number == number else one for one in state.brackets)
    return replace(state, brackets=tuple(one for one in kept if one is not None))


def _counted(state: HyperbandState, outcome: Outcome) -> HyperbandState:
    if not isinstance(outcome, Scored) or outcome.fidelity not in state.ladder:
        return state
    at = state.ladder.index(outcome.fidelity)
    before, score = state.best[at], outcome.scores[0]
    best = score if before is None else min(before, score)
    return replace(
        state,
        counts=(*state.counts[:at], state.counts[at] + 1, *state.counts[at + 1 :]),
        best=(*state.best[:at], best, *state.best[at + 1 :]),
    )

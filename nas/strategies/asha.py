"""Asynchronous successive halving: whoever is among the best of a rung climbs to the next at once.

Li, Jamieson, Rostamizadeh et al., "A system for massively parallel hyperparameter tuning", MLSys 2020, algorithm 2.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace

from nas.architecture import Architecture
from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.protocol import PROMOTED, Outcome, Proposal, Scored, Terms, dice
from nas.strategies.rungs import ladder, refuse_one_rung, rung_name


@dataclass(frozen=True, slots=True)
class Climber:
    """An architecture measured on a rung, with its minimised score, and whether it was sent to the next rung."""

    number: int
    choices: tuple[int, ...]
    score: float
    climbed: bool = False


@dataclass(frozen=True, slots=True)
class AshaState:
    """The fidelity of each rung, rising, how many were measured there, and the best of them, best first.

    `of` says what a fidelity counts: epochs, or percent of something.
    Of a rung as many are kept as could climb if it held its share of the budget; the others never will.
    """

    seed: int
    ladder: tuple[int, ...]
    kept: tuple[int, ...]
    counts: tuple[int, ...]
    rungs: tuple[tuple[Climber, ...], ...]
    asked: int = 0
    of: str = "epochs"


@dataclass(frozen=True)
class Asha:
    """The best 1/`reduction` of each rung are measured again on the next, which trains longer, or with more."""

    reduction: int = setting(4, low=2, high=100, help="One in so many climbs to the next rung.")
    rungs: int = setting(4, low=2, high=20, help="Rungs at most.")
    sampler: str = setting(
        "evolution",
        options=("evolution", "uniform"),
        help="Newcomers are children of the best of the highest rung so far, or samples as in the paper.",
    )

    state = AshaState
    many_objectives = False

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """There must be at least two rungs."""
        refuse_one_rung("asha", terms, self.reduction)
        moves.sample(space, dice(0, 0))

    def steps(self, terms: Terms) -> tuple[int, ...]:
        """Return the fidelity of each rung, rising."""
        return ladder(terms.fidelities, self.reduction, self.rungs)

    def begin(self, seed: int, terms: Terms) -> AshaState:
        """Empty rungs."""
        steps = self.steps(terms)
        kept = tuple(max(self.reduction, terms.budget // self.reduction ** (at + 1)) for at in range(len(steps)))
        return AshaState(seed, steps, kept, (0,) * len(steps), ((),) * len(steps), of=terms.rungs)

    def ask(self, space: SearchSpace, state: AshaState, count: int) -> tuple[AshaState, list[Proposal]]:
        """Send up whoever may climb, highest rung first; fill the other seats with newcomers on the lowest."""
        proposals = []
        for _ in range(count):
            state, proposal = self._next(space, replace(state, asked=state.asked + 1))
            proposals.append(proposal)
        return state, proposals

    def tell(self, space: SearchSpace, state: AshaState, outcome: Outcome) -> AshaState:
        """Give a measured architecture its place on its rung; a failed one has none."""
        if not isinstance(outcome, Scored):
            return state
        at = state.ladder.index(outcome.fidelity) if outcome.fidelity in state.ladder else len(state.ladder) - 1
        rung = state.rungs[at]
        if any(one.choices == outcome.architecture.choices for one in rung):
            return state
        climber = Climber(outcome.number, outcome.architecture.choices, outcome.scores[0])
        place = bisect_right(rung, climber.score, key=_score)
        counts = (*state.counts[:at], state.counts[at] + 1, *state.counts[at + 1 :])
        rung = (*rung[:place], climber, *rung[place:])[: state.kept[at]]
        return _with_rung(replace(state, counts=counts), at, rung)

    def trace(self, state: AshaState) -> Mapping[str, float]:
        """How many were measured on each rung, and the best score on the highest one reached."""
        reached = [rung for rung in state.rungs if rung]
        if not reached:
            return {}
        rungs = zip(state.ladder, state.counts, strict=True)
        counts = {rung_name(state.of, fidelity): count for fidelity, count in rungs}
        return {**counts, "best": reached[-1][0].score}

    def _next(self, space: SearchSpace, state: AshaState) -> tuple[AshaState, Proposal]:
        for at in reversed(range(len(state.ladder) - 1)):
            rung = state.rungs[at]
            for place, one in enumerate(rung[: state.counts[at] // self.reduction]):
                if not one.climbed:
                    state = _with_rung(state, at, (*rung[:place], replace(one, climbed=True), *rung[place + 1 :]))
                    promoted = Architecture(space.name, one.choices)
                    return state, Proposal(state.asked, promoted, PROMOTED, at + 2, (one.number,), state.ladder[at + 1])
        return state, self._newcomer(space, state)

    def _newcomer(self, space: SearchSpace, state: AshaState) -> Proposal:
        random = dice(state.seed, state.asked)
        both = zip(state.rungs, state.counts, strict=True)
        best = [rung[: count // self.reduction] for rung, count in both if count >= self.reduction]
        if self.sampler == "uniform" or not best:
            return Proposal(state.asked, moves.sample(space, random), "sampled", fidelity=state.ladder[0])
        parent = random.choice(best[-1])
        child = moves.mutate(space, Architecture(space.name, parent.choices), 0, random)
        return Proposal(state.asked, child, "mutated", 1, (parent.number,), state.ladder[0])


def _with_rung(state: AshaState, at: int, rung: tuple[Climber, ...]) -> AshaState:
    return replace(state, rungs=(*state.rungs[:at], rung, *state.rungs[at + 1 :]))


def _score(one: Climber) -> float:
    return one.score

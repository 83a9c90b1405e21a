"""Reuse of duplicates, around any strategy: no architecture is measured twice at the same fidelity."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nas import codec
from nas.architecture import Architecture
from nas.spaces.protocol import SearchSpace
from nas.strategies.protocol import AnyStrategy, Failed, Outcome, Proposal, Scored, Terms

PATIENCE = 1_000


@dataclass(frozen=True)
class Known:
    """What became of an architecture: the number it was proposed under, whether it is over, its scores if it has any.

    `waiting` are the inner strategy's numbers of the same architecture, told when the outcome comes.
    """

    number: int
    over: bool = False
    scores: tuple[float, ...] | None = None
    waiting: tuple[int, ...] = ()


@dataclass(frozen=True)
class DistinctState:
    """The inner state, and per architecture and fidelity what is known; `outer` maps inner numbers to ours."""

    inner: Any
    asked: int = 0
    known: dict[str, Known] = field(default_factory=dict)
    outer: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Distinct:
    """Numbers its own proposals without gaps, and answers repeated ones itself from what was told before."""

    inner: AnyStrategy

    state = DistinctState

    @property
    def many_objectives(self) -> bool:
        """As the strategy inside."""
        return self.inner.many_objectives

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """As the strategy inside."""
        self.inner.refuse(space, terms)

    def begin(self, seed: int, terms: Terms) -> DistinctState:
        """Nothing known yet."""
        return DistinctState(self.inner.begin(seed, terms))

    def ask(self, space: SearchSpace, state: DistinctState, count: int) -> tuple[DistinctState, list[Proposal]]:
        """Ask the inner strategy until `count` are new, it waits, or 1,000 in a row were known: the space is spent."""
        work = _Work(self.inner, space, state)
        fresh: list[Proposal] = []
        repeats = 0
        while len(fresh) < count and repeats < PATIENCE:
            asked = work.ask(count - len(fresh))
            if not asked:
                break
            for proposal in asked:
                new = work.admit(proposal)
                repeats = 0 if new else repeats + 1
                fresh += [new] if new else []
        return work.state(), fresh

    def tell(self, space: SearchSpace, state: DistinctState, outcome: Outcome) -> DistinctState:
        """Pass the outcome on to every inner proposal of that architecture."""
        work = _Work(self.inner, space, state)
        work.settle(outcome)
        return work.state()

    def trace(self, state: DistinctState) -> Mapping[str, float]:
        """As the strategy inside."""
        return self.inner.trace(_inner_state(self.inner, state))


def _inner_state(inner: AnyStrategy, state: DistinctState) -> Any:
    # Out of the database the inner state is plain JSON; between two calls in one process it stays what it is.
    return codec.load(inner.state, state.inner) if isinstance(state.inner, Mapping) else state.inner


def _key(architecture: Architecture, fidelity: int) -> str:
    return f"{architecture.key}/{fidelity}"


class _Work:
    """One call's private copy of the state."""

    def __init__(self, inner: AnyStrategy, space: SearchSpace, state: DistinctState) -> None:
        self._inner, self._space, self._before = inner, space, state
        self._state = _inner_state(inner, state)
        self._asked = state.asked
        self._known = dict(state.known)
        self._outer = dict(state.outer)

    def state(self) -> DistinctState:
        return replace(self._before, inner=self._state, asked=self._asked, known=self._known, outer=self._outer)

    def ask(self, count: int) -> list[Proposal]:
        self._state, proposals = self._inner.ask(self._space, self._state, count)
        return list(proposals)

    def admit(self, proposal: Proposal) -> Proposal | None:
        """Return the proposal under our number where it is new; otherwise answer it, now or when the outcome comes."""
        key = _key(proposal.architecture, proposal.fidelity)
        known = self._known.get(key)
        if known is None:
            self._asked += 1
            self._known[key] = Known(self._asked, waiting=(proposal.number,))
            self._outer[str(proposal.number)] = self._asked
            parents = tuple(dict.fromkeys(self._outer[str(parent)] for parent in proposal.parents))
            return replace(proposal, number=self._asked, parents=parents)
        self._outer[str(proposal.number)] = known.number
        if known.over:
            self._tell(proposal.number, proposal.architecture, proposal.fidelity, known.scores)
        else:
            self._known[key] = replace(known, waiting=(*known.waiting, proposal.number))
        return None

    def settle(self, outcome: Outcome) -> None:
        scores = outcome.scores if isinstance(outcome, Scored) else None
        key = _key(outcome.architecture, outcome.fidelity)
        known = self._known.get(key)
        if known is None or known.over:
            return
        for number in known.waiting:
            self._tell(number, outcome.architecture, outcome.fidelity, scores)
        self._known[key] = replace(known, over=True, scores=scores, waiting=())

    def _tell(self, number: int, architecture: Architecture, fidelity: int, scores: tuple[float, ...] | None) -> None:
        outcome: Outcome = Failed(number, architecture, fidelity)
        if scores is not None:
            outcome = Scored(number, architecture, fidelity, scores)
        self._state = self._inner.tell(self._space, self._state, outcome)

"""Reuse of duplicates, around any strategy: no architecture is measured twice at the same fidelity."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from random import Random
from typing import Any

from nas.architecture import Architecture
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.nested import opened
from nas.strategies.protocol import AnyStrategy, Failed, Outcome, Proposal, Scored, Terms

PATIENCE, FEWEST, FREE = 100, 2, 1
STEPS, SAMPLES = 20, 300
BLOCK = 256

# The number under which an architecture was proposed, and its scores; none until it is over, or where it failed.
Known = tuple[int, tuple[float, ...]]


@dataclass(frozen=True)
class DistinctState:
    """The inner state, how much was asked of us, and what is known per architecture and fidelity.

    `known` has by the first two letters of the keys a text with ";", the rest, our number and the scores of each: a
    step rewrites a small part, and text is read and written fast. `outer` has our number of every inner proposal, in
    blocks; 0 stands for one that a wrapper inside kept to itself. `waiting` are inner numbers, to be told when the
    outcome comes; `repeats` counts the inner proposals that were no new ones.
    """

    inner: Any
    seed: int = 0
    asked: int = 0
    known: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    outer: tuple[tuple[int, ...], ...] = ()
    repeats: int = 0

    def look_up(self, key: str) -> Known | None:
        """Return what is known under a key."""
        found = self._entry(key)
        if not found:
            return None
        _, number, *scores = found.split(" ")
        return int(number), tuple(map(float, scores))

    def with_known(self, key: str, known: Known, waiting: tuple[int, ...]) -> "DistinctState":
        """Return the state with this under the key; it is over where nobody waits."""
        number, scores = known
        place, before = key[:2], self._entry(key)
        shelf = self.known.get(place, "")
        shelf = shelf.replace(before, "") if before else shelf
        entry = f";{key[2:]} {number}" + "".join(f" {float(score)!r}" for score in scores)
        others = {name: numbers for name, numbers in self.waiting.items() if name != key}
        queue = {**others, key: waiting} if waiting else others
        return replace(self, known={**self.known, place: shelf + entry}, waiting=queue)

    def _entry(self, key: str) -> str:
        shelf = self.known.get(key[:2], "")
        at = shelf.find(f";{key[2:]} ")
        end = shelf.find(";", at + 1)
        return "" if at < 0 else shelf[at : end if end > 0 else None]

    def with_outer(self, inner: int, number: int) -> "DistinctState":
        """Return the state with our number of an inner proposal, which is later than all before it."""
        done = BLOCK * (len(self.outer) - 1) + len(self.outer[-1]) if self.outer else 0
        last = (*(self.outer[-1] if self.outer else ()), *(0,) * (inner - 1 - done), number)
        blocks = (last[at : at + BLOCK] for at in range(0, len(last), BLOCK))
        return replace(self, outer=(*self.outer[:-1], *blocks))

    def outer_number(self, inner: int) -> int:
        """Return our number of an inner proposal, 0 where we have none."""
        block, place = divmod(inner - 1, BLOCK)
        return self.outer[block][place]


@dataclass(frozen=True)
class Distinct:
    """Numbers its own proposals without gaps, and answers repeated ones itself from what was told before.

    A strategy that has settled may repeat itself for ever. Where its repeats in a row or in sum grow too many, an
    architecture nearby that is new is measured in the place of the repeated one.
    """

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
        return DistinctState(self.inner.begin(seed, terms), seed)

    def ask(self, space: SearchSpace, state: DistinctState, count: int) -> tuple[DistinctState, list[Proposal]]:
        """Ask the inner strategy until `count` are new, or it waits, or nothing new is found: the space is spent."""
        fresh: list[Proposal] = []
        in_row, spent = 0, False
        while len(fresh) < count and not spent:
            inner, asked = self.inner.ask(space, opened(self.inner, state.inner), count - len(fresh))
            state = replace(state, inner=inner)
            if not asked:
                break
            for proposal in asked:
                if _is_tiresome(state, in_row) and state.look_up(_key(proposal.architecture, proposal.fidelity)):
                    other = _instead(space, state, proposal)
                    proposal, spent = other or proposal, other is None
                state, new = self._admit(space, state, proposal)
                in_row = 0 if new else in_row + 1
                fresh += [new] if new else []
        return state, fresh

    def tell(self, space: SearchSpace, state: DistinctState, outcome: Outcome) -> DistinctState:
        """Pass the outcome on to every inner proposal of that architecture."""
        key = _key(outcome.architecture, outcome.fidelity)
        waiting, known = state.waiting.get(key, ()), state.look_up(key)
        if known is None or not waiting:
            return state
        scores = outcome.scores if isinstance(outcome, Scored) else ()
        for number in waiting:
            state = self._tell_inner(space, state, replace(outcome, number=number))
        return state.with_known(key, (known[0], scores), ())

    def trace(self, state: DistinctState) -> Mapping[str, float]:
        """As the strategy inside."""
        return self.inner.trace(opened(self.inner, state.inner))

    def _admit(
        self, space: SearchSpace, state: DistinctState, proposal: Proposal
    ) -> tuple[DistinctState, Proposal | None]:
        # A new one gets our number; a known one is answered, now or when its outcome comes.
        key = _key(proposal.architecture, proposal.fidelity)
        known = state.look_up(key)
        if known is None:
            number = state.asked + 1
            state = replace(state, asked=number).with_outer(proposal.number, number)
            state = state.with_known(key, (number, ()), (proposal.number,))
            parents = dict.fromkeys(state.outer_number(parent) for parent in proposal.parents)
            return state, replace(proposal, number=number, parents=tuple(filter(None, parents)))
        state = replace(state, repeats=state.repeats + 1).with_outer(proposal.number, known[0])
        if key in state.waiting:
            return state.with_known(key, known, (*state.waiting[key], proposal.number)), None
        told = _outcome(proposal.number, proposal.architecture, proposal.fidelity, known[1])
        return self._tell_inner(space, state, told), None

    def _tell_inner(self, space: SearchSpace, state: DistinctState, outcome: Outcome) -> DistinctState:
        return replace(state, inner=self.inner.tell(space, opened(self.inner, state.inner), outcome))


def _outcome(number: int, architecture: Architecture, fidelity: int, scores: tuple[float, ...]) -> Outcome:
    return Scored(number, architecture, fidelity, scores) if scores else Failed(number, architecture, fidelity)


def _key(architecture: Architecture, fidelity: int) -> str:
    return f"{architecture.key}/{fidelity}" if fidelity else architecture.key


def _is_tiresome(state: DistinctState, in_row: int) -> bool:
    return in_row >= PATIENCE or (in_row >= FEWEST and state.repeats >= PATIENCE + FREE * state.asked)


def _instead(space: SearchSpace, state: DistinctState, proposal: Proposal) -> Proposal | None:
    """Return a new architecture for a repeated one: the first on a random walk from it, else a sample, else none."""
    random = Random(f"{state.seed}/{state.asked + 1}/instead")
    for other in chain(_walk(space, proposal, random), _samples(space, proposal, random)):
        if state.look_up(_key(other.architecture, other.fidelity)) is None:
            return other
    return None


def _walk(space: SearchSpace, proposal: Proposal, random: Random) -> Iterator[Proposal]:
    for _ in range(STEPS):
        proposal = replace(proposal, architecture=moves.mutate(space, proposal.architecture, 0, random))
        yield replace(proposal, origin="mutated")


def _samples(space: SearchSpace, proposal: Proposal, random: Random) -> Iterator[Proposal]:
    for _ in range(SAMPLES):
        yield replace(proposal, architecture=moves.sample(space, random), origin="sampled", parents=())

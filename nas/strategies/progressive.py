"""Progressive search: decide the space level by level, and let a surrogate rank the expansions of a beam.

Liu et al., "Progressive neural architecture search", ECCV 2018, algorithm 1. The paper grows cells block by block; here
a level is a group of decisions (a layer, a node, a stage), and what is not decided yet keeps a sampled completion.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from math import prod
from random import Random
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Architecture, Decision
from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.kernel_ridge import Regression, fit
from nas.strategies.protocol import Outcome, Proposal, Scored, Terms, dice
from nas.strategies.ranks import rank_correlation, ranks

EDGE = re.compile(r"(\D*)\d+-(\d+)$")
PLACE = re.compile(r"\D*\d+")
# The surrogate learns from the best and from the latest so many: its work must not grow with the budget.
BEST, LATEST = 150, 150


@dataclass(frozen=True, slots=True)
class Expansion:
    """A network that the level measures: the beam's member that it came from, and what was predicted."""

    choices: tuple[int, ...]
    parent: int = 0
    predicted: float | None = None


@dataclass(frozen=True, slots=True)
class ProgressiveState:
    """The level's expansions, of which `proposed` have the numbers `asked - proposed + 1` to `asked`; what was told.

    `numbers`, `measured` and `scores` run in parallel; choices are spelled with spaces, a failed one's score is None.
    """

    seed: int
    budget: int
    asked: int = 0
    generation: int = 0
    level: int = 0
    start: int = 1
    pass_start: int = 1
    expansions: tuple[Expansion, ...] = ()
    proposed: int = 0
    awaited: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    measured: tuple[str, ...] = ()
    scores: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Progressive:
    """One pass over the levels takes half of the budget at most; later passes open the levels of the beam again."""

    beam: int = setting(8, low=1, high=1000, help="Networks measured per level, fewer where the budget is small.")
    expansions: int = setting(
        1000, low=1, high=10_000, help="Expansions of the beam that the surrogate ranks per level."
    )
    exploration: float = setting(
        0.5, low=0, high=10, help="How much being unlike all measured networks speaks for one; 0 in the paper."
    )

    state = ProgressiveState
    many_objectives = False

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """Any space with an architecture will do."""
        moves.sample(space, dice(0, 0))

    def begin(self, seed: int, terms: Terms) -> ProgressiveState:
        """Before the first level."""
        return ProgressiveState(seed, terms.budget)

    def ask(self, space: SearchSpace, state: ProgressiveState, count: int) -> tuple[ProgressiveState, list[Proposal]]:
        """Propose the rest of the level; when all its outcomes are known, the next one begins."""
        if state.proposed == len(state.expansions) and not state.awaited:
            state = self._next_level(space, state)
        origin = "sampled" if state.expansions[0].predicted is None else "expanded"
        proposals: list[Proposal] = []
        for expansion in state.expansions[state.proposed : state.proposed + count]:
            parents = (expansion.parent,) if expansion.parent else ()
            number = state.asked + len(proposals) + 1
            proposals.append(Proposal(number, _architecture(space, expansion), origin, state.generation, parents))
        state = replace(
            state,
            asked=state.asked + len(proposals),
            proposed=state.proposed + len(proposals),
            awaited=(*state.awaited, *(proposal.number for proposal in proposals)),
        )
        return state, proposals

    def tell(self, space: SearchSpace, state: ProgressiveState, outcome: Outcome) -> ProgressiveState:
        """Note the score; a failed network counts as the worst."""
        return replace(
            state,
            awaited=tuple(number for number in state.awaited if number != outcome.number),
            numbers=(*state.numbers, outcome.number),
            measured=(*state.measured, _spelled(outcome.architecture.choices)),
            scores=(*state.scores, outcome.scores[0] if isinstance(outcome, Scored) else None),
        )

    def trace(self, state: ProgressiveState) -> Mapping[str, float]:
        """The level, the beam's size and best score, and how well the surrogate ranked what was then measured."""
        known = dict(zip(state.numbers, state.scores, strict=True))
        first = state.asked - state.proposed + 1
        pairs = [
            (expansion.predicted, score)
            for number, expansion in enumerate(state.expansions, start=first)
            if (score := known.get(number)) is not None
        ]
        found: dict[str, float] = {"level": state.level, "beam size": len(state.expansions)}
        if pairs:
            found["beam best"] = min(score for _, score in pairs)
        ranked = [(predicted, score) for predicted, score in pairs if predicted is not None]
        if len(ranked) > 2:
            predicted, scores = zip(*ranked, strict=True)
            found["surrogate rank correlation"] = rank_correlation(predicted, scores)
        return found

    def _next_level(self, space: SearchSpace, state: ProgressiveState) -> ProgressiveState:
        random = dice(state.seed, state.asked + 1)
        groups = levels(space.decisions)
        size = max(1, min(self.beam, state.budget // (2 * len(groups))))
        state = replace(_remembered(state), generation=state.generation + 1, proposed=0)
        if state.level % len(groups) == 0 and _is_stuck(state):
            # A first level of one or two would say nothing about the decisions that follow.
            first = max(size, min(self.beam, state.budget // 4))
            state = replace(state, level=1, start=state.asked + 1, pass_start=state.asked + 1)
            return replace(state, expansions=_sampled(space, groups[0], first, random))
        choices, targets = _examples(state)
        surrogate = fit(choices, targets)
        order = np.argsort(targets, kind="stable").tolist()
        beam = [index for index in order if state.numbers[index] >= state.start][:size]
        for _ in groups:
            # A small group runs dry: where all of the beam's expansions have been measured, the next one is due.
            level = state.level % len(groups) + 1
            state = replace(state, level=level, pass_start=state.asked + 1 if level == 1 else state.pass_start)
            found = self._expanded(space, state, beam, groups[level - 1], random)
            best = self._best(space, surrogate, found, size) if found else ()
            if best:
                return replace(state, expansions=best)
        return replace(state, expansions=_sampled(space, (), size, random))

    def _best(
        self, space: SearchSpace, surrogate: Regression, found: Sequence[Expansion], size: int
    ) -> tuple[Expansion, ...]:
        expected, unsure = surrogate.predict(np.array([expansion.choices for expansion in found], np.int16))
        ranked = expected - self.exploration * unsure
        order = np.argsort(ranked, kind="stable").tolist()
        allowed = (index for index in order if not space.complaint(_architecture(space, found[index])))
        return tuple(replace(found[index], predicted=float(ranked[index])) for index in islice(allowed, size))

    def _expanded(
        self, space: SearchSpace, state: ProgressiveState, beam: Sequence[int], group: Sequence[int], random: Random
    ) -> list[Expansion]:
        """Return what the members of the beam become by other options in one group of decisions, each network once."""
        known = set(state.measured)
        found = []
        for member in beam:
            choices = _read(state.measured[member])
            for options in _combinations(space.decisions, group, self.expansions // len(beam) or 1, random):
                grown = space.canonical(Architecture(space.name, _with(choices, group, options))).choices
                if (spelled := _spelled(grown)) not in known:
                    known.add(spelled)
                    found.append(Expansion(grown, state.numbers[member]))
        if state.generation > len(levels(space.decisions)):
            # Once every level was open, newcomers compete with the beam: it may sit on a hill of its own.
            every = range(len(space.decisions))
            drawn = (_anything(space.decisions, every, random) for _ in range(self.expansions // 4))
            whole = dict.fromkeys(space.canonical(Architecture(space.name, choices)).choices for choices in drawn)
            found += [Expansion(choices) for choices in whole if _spelled(choices) not in known]
        return found


def levels(decisions: Sequence[Decision]) -> list[tuple[int, ...]]:
    """Group decisions, by index: those of one layer, node or stage, named alike up to a number, are one level.

    An edge "1-3" belongs to node 3, where it ends; a decision without a number is a level by itself.
    """
    groups: dict[str, list[int]] = {}
    for index, decision in enumerate(decisions):
        edge, place = EDGE.match(decision.name), PLACE.match(decision.name)
        name = edge[1] + edge[2] if edge else place[0] if place else decision.name
        groups.setdefault(name, []).append(index)
    return [tuple(group) for group in groups.values()]


def _architecture(space: SearchSpace, expansion: Expansion) -> Architecture:
    return Architecture(space.name, expansion.choices)


def _is_stuck(state: ProgressiveState) -> bool:
    """Tell whether nothing was measured yet since the start, or the last pass has not bettered what was known since."""
    best = None
    for number, score in zip(state.numbers, state.scores, strict=True):
        if score is not None and number >= state.start and (best is None or score < best[0]):
            best = (score, number)
    return best is None or best[1] < state.pass_start


def _sampled(space: SearchSpace, group: Sequence[int], count: int, random: Random) -> tuple[Expansion, ...]:
    """Return each option of the group in turn, the rest sampled; where the space forbids it, the whole is sampled."""
    options = list(_combinations(space.decisions, group, count, random))
    found = []
    for index in range(count):
        sample = moves.sample(space, random)
        grown = space.canonical(Architecture(space.name, _with(sample.choices, group, options[index % len(options)])))
        found.append(Expansion((sample if space.complaint(grown) else grown).choices))
    return tuple(dict.fromkeys(found))


def _combinations(
    decisions: Sequence[Decision], group: Sequence[int], most: int, random: Random
) -> Iterator[tuple[int, ...]]:
    sizes = [len(decisions[index].options) for index in group]
    if prod(sizes) <= most:
        yield from random.sample(list(product(*map(range, sizes))), prod(sizes))
        return
    for _ in range(most):
        yield _anything(decisions, group, random)


def _anything(decisions: Sequence[Decision], group: Sequence[int], random: Random) -> tuple[int, ...]:
    return tuple(random.randrange(len(decisions[index].options)) for index in group)


def _with(choices: Sequence[int], group: Sequence[int], options: Sequence[int]) -> tuple[int, ...]:
    changed = list(choices)
    for index, option in zip(group, options, strict=True):
        changed[index] = option
    return tuple(changed)


def _examples(state: ProgressiveState) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Return the choices, and the normal quantile of each score's rank: failures and outliers are ranks like others."""
    known = [score for score in state.scores if score is not None]
    worst = max(known, default=0.0) + 1
    order = ranks([worst if score is None else score for score in state.scores])
    quantile = NormalDist().inv_cdf
    targets = np.array([quantile((rank + 0.5) / len(order)) for rank in order.tolist()])
    return np.array([_read(spelled) for spelled in state.measured], np.int16), targets


def _remembered(state: ProgressiveState) -> ProgressiveState:
    if len(state.scores) <= BEST + LATEST:
        return state
    scores = state.scores[:-LATEST]
    best = sorted(range(len(scores)), key=lambda index: (scores[index] is None, scores[index] or 0.0, index))[:BEST]
    kept = [*sorted(best), *range(len(scores), len(state.scores))]
    return replace(
        state,
        numbers=tuple(state.numbers[index] for index in kept),
        measured=tuple(state.measured[index] for index in kept),
        scores=tuple(state.scores[index] for index in kept),
    )


def _spelled(choices: Sequence[int]) -> str:
    return " ".join(map(str, choices))


def _read(spelled: str) -> tuple[int, ...]:
    return tuple(map(int, spelled.split()))

"""NSGA-II: a population that is kept good in every objective at once, and spread along the front.

Deb, Pratap, Agarwal and Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002; one child at a
time as in Durillo, Nebro, Luna and Alba, "On the effect of the steady-state selection scheme in multi-objective genetic
algorithms", EMO 2009, so that no worker waits for a generation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from nas.architecture import Architecture
from nas.pareto import crowding, dominates, fronts, hypervolume
from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.protocol import Outcome, Proposal, Scored, Terms, dice

Scores = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A measured architecture of the population: `rank` is its front, from 0; `room` the crowding distance there."""

    number: int
    choices: tuple[int, ...]
    scores: Scores
    rank: int = 0
    room: float = 0.0

    def placed(self, rank: int, room: float) -> "Member":
        """Return the same member at its place among the others."""
        return Member(self.number, self.choices, self.scores, rank, room)


@dataclass(frozen=True, slots=True)
class Nsga2State:
    """The population of at most `size`, the scores of all that nothing measured dominates, and the range of scores."""

    seed: int
    size: int
    asked: int = 0
    population: tuple[Member, ...] = ()
    front: tuple[Scores, ...] = ()
    best: Scores = ()
    worst: Scores = ()


@dataclass(frozen=True)
class Nsga2:
    """Parents win a tournament by front, then by the room around them; a child is crossed and then mutated."""

    population: int = setting(
        50,
        low=4,
        high=1000,
        help="Members of the population, at most a fifth of the budget; the paper has 100 of 25,000.",
    )
    crossover_rate: float = setting(0.9, low=0, high=1, help="Share of children with two parents.")

    state = Nsga2State
    many_objectives = True

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """It works everywhere that one architecture can be sampled."""
        moves.sample(space, dice(0, 0))

    def begin(self, seed: int, terms: Terms) -> Nsga2State:
        """Nobody is measured."""
        return Nsga2State(seed, max(4, min(self.population, terms.budget // 5)))

    def ask(self, space: SearchSpace, state: Nsga2State, count: int) -> tuple[Nsga2State, list[Proposal]]:
        """Propose at any time: samples until a population was asked for, then children."""
        numbers = range(state.asked + 1, state.asked + count + 1)
        return replace(state, asked=state.asked + count), [self._propose(space, state, n) for n in numbers]

    def tell(self, space: SearchSpace, state: Nsga2State, outcome: Outcome) -> Nsga2State:
        """Take a measured architecture in, and drop the most crowded of the last front where there are too many.

        What failed or broke a limit is dominated by everything that did not, so it has no place.
        """
        if not isinstance(outcome, Scored):
            return state
        new = Member(outcome.number, outcome.architecture.choices, outcome.scores)
        kept = (one for one in state.population if one.choices != new.choices)
        return replace(
            state,
            population=_survivors((*kept, new), state.size),
            front=_front(state.front, new.scores),
            best=tuple(map(min, state.best or new.scores, new.scores)),
            worst=tuple(map(max, state.worst or new.scores, new.scores)),
        )

    def trace(self, state: Nsga2State) -> Mapping[str, float]:
        """Share of the box from best to worst seen scores that the front dominates, and how many are on the front."""
        if not state.front:
            return {}
        box = tuple((high - low) or 1.0 for low, high in zip(state.best, state.worst, strict=True))
        scaled = [
            tuple((score - low) / size for score, low, size in zip(scores, state.best, box, strict=True))
            for scores in state.front
        ]
        return {"hypervolume": hypervolume(scaled, (1.0,) * len(box)), "front size": float(len(state.front))}

    def _propose(self, space: SearchSpace, state: Nsga2State, number: int) -> Proposal:
        random = dice(state.seed, number)
        generation = 1 + (number - 1) // state.size
        if number <= state.size or not state.population:
            return Proposal(number, moves.sample(space, random), "sampled", generation)
        mother = _winner(state.population, random)
        child = Architecture(space.name, mother.choices)
        origin, parents = "mutated", [mother.number]
        if random.random() < self.crossover_rate:
            father = _winner(state.population, random)
            child = moves.crossover(space, child, Architecture(space.name, father.choices), "uniform", random)
            if child.choices not in (mother.choices, father.choices):
                origin, parents = "crossed", [mother.number, father.number]
        child = moves.mutate(space, child, 1 / len(space.decisions), random)
        return Proposal(number, child, origin, generation, tuple(parents))


def _winner(population: Sequence[Member], random: Random) -> Member:
    pair = (random.choice(population), random.choice(population))
    return min(pair, key=lambda one: (one.rank, -one.room, one.number))


def _front(known: tuple[Scores, ...], new: Scores) -> tuple[Scores, ...]:
    if any(old == new or dominates(old, new) for old in known):
        return known
    return (*(old for old in known if not dominates(new, old)), new)


def _survivors(members: Sequence[Member], size: int) -> tuple[Member, ...]:
    """Rank everyone; keep whole fronts while they fit, and of the last the members with most room (III.C)."""
    found: list[Member] = []
    for rank, indices in enumerate(fronts([one.scores for one in members])):
        # Infinite room is no JSON; within a front, the room in one objective is at most 1.
        rooms = [min(room, 1e3) for room in crowding([members[index].scores for index in indices])]
        ranked = [members[index].placed(rank, room) for index, room in zip(indices, rooms, strict=True)]
        found += sorted(ranked, key=lambda one: (-one.room, one.number))[: size - len(found)]
        if len(found) == size:
            break
    return tuple(found)

"""The genetic algorithm with generations: selection, crossover, mutation and elitism over choices.

Holland, "Adaptation in Natural and Artificial Systems", 1975; for networks: Xie and Yuille, "Genetic CNN", ICCV 2017.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean
from typing import Literal

from nas.architecture import Architecture
from nas.sentences import Refused
from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace, magnitude
from nas.strategies.protocol import Outcome, Proposal, Scored, Terms, dice

TRIES = 10


@dataclass(frozen=True, slots=True)
class Individual:
    """A member of a generation; its score is minimised, None while it is not known or where it failed."""

    number: int
    choices: tuple[int, ...]
    score: float | None = None


@dataclass(frozen=True, slots=True)
class GeneticState:
    """The parents, the offspring born so far in this generation, and those of them whose outcome is awaited."""

    seed: int
    asked: int = 0
    generation: int = 1
    parents: tuple[Individual, ...] = ()
    offspring: tuple[Individual, ...] = ()
    awaited: tuple[int, ...] = ()


@dataclass(frozen=True)
class Genetic:
    """Each generation is bred from the one before; the best `elitism` parents live on without being measured again."""

    population: int = setting(10, low=2, high=1000, help="Individuals in a generation; the classic value is 100.")
    generations: int = setting(0, low=0, high=10_000, help="Generations at most; 0 leaves the end to the budget.")
    crossover_rate: float = setting(0.5, low=0, high=1, help="Share of children with two parents.")
    mutation_rate: float = setting(
        0.0, low=0, high=1, help="Probability that a choice of a child is drawn anew; 0 is one choice on average."
    )
    crossover: str = setting("uniform", options=("uniform", "one_point"), help="How two parents are mixed.")
    selection: str = setting(
        "tournament",
        options=("tournament", "roulette", "rank"),
        help="How parents are picked: best of a few, by fitness, or by their place in the order.",
    )
    tournament: int = setting(5, low=1, high=100, help="Individuals in a tournament.")
    elitism: int = setting(3, low=0, high=100, help="Best individuals that live on into the next generation.")

    state = GeneticState
    many_objectives = False

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """The population must fit into the space and leave room for children."""
        moves.sample(space, dice(0, 0))
        if self.population > 10 ** min(magnitude(space), 12) + 0.5:
            raise Refused(
                "The population is {population}, but the space has at most {size} architectures.",
                population=self.population,
                size=round(10 ** magnitude(space)),
            )
        if self.elitism >= self.population:
            raise Refused(
                "elitism is {elitism} and the population {population}; it must be smaller.",
                elitism=self.elitism,
                population=self.population,
            )

    def begin(self, seed: int, terms: Terms) -> GeneticState:
        """Before the first generation."""
        return GeneticState(seed)

    def ask(self, space: SearchSpace, state: GeneticState, count: int) -> tuple[GeneticState, list[Proposal]]:
        """Fill the generation; when all its outcomes are known, the next one begins."""
        state = self._next_generation(state) if self._is_complete(state) else state
        if 0 < self.generations < state.generation:
            return state, []
        proposals = []
        for _ in range(min(count, self._size(state) - len(state.offspring))):
            proposal = self._propose(space, state)
            born = Individual(proposal.number, proposal.architecture.choices)
            state = replace(
                state,
                asked=proposal.number,
                offspring=(*state.offspring, born),
                awaited=(*state.awaited, proposal.number),
            )
            proposals.append(proposal)
        return state, proposals

    def tell(self, space: SearchSpace, state: GeneticState, outcome: Outcome) -> GeneticState:
        """Note the score of one of the offspring; a failed one stays without."""
        score = outcome.scores[0] if isinstance(outcome, Scored) else None
        told = Individual(outcome.number, outcome.architecture.choices, score)
        known = (told if one.number == outcome.number else one for one in state.offspring)
        awaited = tuple(number for number in state.awaited if number != outcome.number)
        return replace(state, offspring=tuple(known), awaited=awaited)

    def trace(self, state: GeneticState) -> Mapping[str, float]:
        """Best and mean score of the generation, and its diversity: the mean share of choices that differ."""
        scored = [one.score for one in state.offspring if one.score is not None]
        if not scored:
            return {}
        return {"best": min(scored), "mean": fmean(scored), "diversity": _diversity(state.offspring)}

    def _size(self, state: GeneticState) -> int:
        return self.population if state.generation == 1 else self.population - self.elitism

    def _is_complete(self, state: GeneticState) -> bool:
        return len(state.offspring) == self._size(state) and not state.awaited

    def _next_generation(self, state: GeneticState) -> GeneticState:
        elite = sorted(state.parents, key=_rank)[: self.elitism]
        parents = sorted((*elite, *state.offspring), key=_rank)[: self.population]
        return replace(state, generation=state.generation + 1, parents=tuple(parents), offspring=())

    def _propose(self, space: SearchSpace, state: GeneticState) -> Proposal:
        number = state.asked + 1
        random = dice(state.seed, number)
        if state.generation == 1:
            return Proposal(number, moves.sample(space, random), "sampled")
        taken = {one.choices for one in (*state.parents, *state.offspring)}
        for _ in range(TRIES):
            child, parents = self._child(space, state.parents, random)
            if child.choices not in taken:
                break
        origin = "crossed" if len(parents) > 1 else "mutated"
        return Proposal(number, child, origin, state.generation, parents)

    def _child(
        self, space: SearchSpace, parents: Sequence[Individual], random: Random
    ) -> tuple[Architecture, tuple[int, ...]]:
        mother = self._select(parents, random)
        child, names = Architecture(space.name, mother.choices), [mother.number]
        if random.random() < self.crossover_rate:
            father = self._select(parents, random)
            how: Literal["uniform", "one_point"] = "uniform" if self.crossover == "uniform" else "one_point"
            child = moves.crossover(space, child, Architecture(space.name, father.choices), how, random)
            if child.choices not in (mother.choices, father.choices):
                names = [mother.number, father.number]
        # A child that is a copy of a parent would only measure the parent again.
        rate = self.mutation_rate or 1 / max(len(space.decisions), 1)
        mutated = len(names) == 1 or any(random.random() < rate for _ in space.decisions)
        return moves.mutate(space, child, rate, random) if mutated else child, tuple(names)

    def _select(self, parents: Sequence[Individual], random: Random) -> Individual:
        if self.selection == "tournament":
            return min((random.choice(parents) for _ in range(self.tournament)), key=_rank)
        if self.selection == "rank":
            # Baker's linear ranking: the best is picked twice as often as the middle, the worst hardly ever.
            return random.choices(sorted(parents, key=_rank), range(len(parents), 0, -1))[0]
        scored = [one.score for one in parents if one.score is not None]
        if not scored:
            return random.choice(parents)
        # Fitness is how much better than the worst one is; a tenth of the range keeps the worst in the game.
        worst = max(scored) + 0.1 * (max(scored) - min(scored)) + 1e-12
        return random.choices(parents, [0.0 if one.score is None else worst - one.score for one in parents])[0]


def _rank(one: Individual) -> tuple[bool, float, int]:
    return (one.score is None, one.score or 0.0, one.number)


def _diversity(members: Sequence[Individual]) -> float:
    columns = list(zip(*(one.choices for one in members), strict=True))
    pairs = len(members) * (len(members) - 1) / 2
    if not columns or not pairs:
        return 0.0
    differing = 0.0
    for column in columns:
        same = sum(column.count(option) * (column.count(option) - 1) / 2 for option in set(column))
        differing += 1 - same / pairs
    return differing / len(columns)

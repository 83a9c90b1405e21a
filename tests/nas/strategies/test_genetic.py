"""The genetic algorithm: generations, selection, elitism."""

from collections import Counter

import pytest

from nas.architecture import Architecture
from nas.sentences import Refused
from nas.strategies.catalogue import build
from nas.strategies.genetic import Genetic, Individual
from nas.strategies.protocol import Failed, Scored, Terms, dice
from tests.nas.strategies.landscapes import ToySpace, distance, search


def scored(proposal):
    return Scored(proposal.number, proposal.architecture, proposal.fidelity, (distance(proposal.architecture),))


@pytest.mark.parametrize("selection", ["tournament", "roulette", "rank"])
@pytest.mark.parametrize("crossover", ["uniform", "one_point"])
def test_each_generation_waits_for_the_one_before(selection, crossover):
    settings = {"population": 6, "elitism": 2, "tournament": 3, "selection": selection, "crossover": crossover}
    by_generation = {}
    for one in search(build("genetic", settings), ToySpace(), seed=1, budget=40, seats=3):
        by_generation.setdefault(one.generation, []).append(one)
    first = by_generation[1]
    assert len(first) == 6
    assert all(one.origin == "sampled" for one in first)
    for number, members in by_generation.items():
        assert all(one.parents and max(one.parents) < members[0].number for one in members if number > 1)


def test_rank_selection_prefers_by_place_and_not_by_distance():
    parents = [Individual(n, (n,), score) for n, score in enumerate([-1000.0, 1.0, 2.0, None], start=1)]
    picked = Counter(Genetic(selection="rank")._select(parents, dice(0, n)).number for n in range(4000))
    assert [round(picked[number] / 400) for number in (1, 2, 3, 4)] == [4, 3, 2, 1]


def test_the_generations_are_an_end_of_their_own():
    strategy = build("genetic", {"population": 4, "elitism": 1, "generations": 3})
    assert 4 < len(search(strategy, ToySpace(), seed=0, budget=1000)) <= 4 + 3 + 3


def test_the_best_live_on_without_being_measured_again():
    strategy = Genetic(population=4, elitism=2)
    space, state = ToySpace(), strategy.begin(3, Terms(budget=100))
    state, first = strategy.ask(space, state, 4)
    for one in first:
        state = strategy.tell(space, state, scored(one))
    state, _ = strategy.ask(space, state, 4)
    before = {one.number for one in sorted(state.parents, key=lambda one: one.score)[:2]}
    for one in state.offspring:
        state = strategy.tell(space, state, Failed(one.number, Architecture("toy", one.choices)))
    state, _ = strategy.ask(space, state, 4)
    assert before <= {one.number for one in state.parents}


def test_no_child_is_a_copy_of_a_living_individual():
    strategy = Genetic(population=8)
    space, state = ToySpace(), strategy.begin(5, Terms(budget=100))
    for _ in range(10):
        state, children = strategy.ask(space, state, 8)
        living = [one.choices for one in (*state.parents, *state.offspring)]
        assert len(set(living)) == len(living)
        for one in children:
            state = strategy.tell(space, state, scored(one))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"population": 100}, "The population is 100, but the space has at most 3 architectures."),
        ({"population": 2, "elitism": 2}, "elitism is 2 and the population 2; it must be smaller."),
    ],
)
def test_it_refuses_early_what_cannot_work(values, said):
    with pytest.raises(Refused) as refusal:
        build("genetic", values).refuse(ToySpace(1, 3), Terms(budget=10))
    assert str(refusal.value) == said


def test_the_classic_settings_can_be_chosen():
    classic = {"population": 100, "generations": 50, "crossover_rate": 0.5, "mutation_rate": 0.1}
    assert len(search(build("genetic", classic), ToySpace(), seed=0, budget=150)) == 150


def test_the_trace_tells_the_spread_of_a_generation():
    strategy = Genetic(population=2, elitism=1)
    space, state = ToySpace(2, 2), strategy.begin(0, Terms(budget=100))
    state, pair = strategy.ask(space, state, 2)
    for one in pair:
        state = strategy.tell(space, state, scored(one))
    trace = strategy.trace(state)
    differing = sum(a != b for a, b in zip(pair[0].architecture.choices, pair[1].architecture.choices, strict=True))
    assert trace["diversity"] == pytest.approx(differing / 2)
    assert trace["best"] <= trace["mean"]

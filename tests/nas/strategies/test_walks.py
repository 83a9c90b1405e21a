"""Strategies without generations: aging evolution, annealing, local search."""

from itertools import pairwise
from math import exp

import pytest

from nas.architecture import Architecture
from nas.spaces import moves
from nas.strategies.aging import Aging
from nas.strategies.annealing import Annealing, Place
from nas.strategies.catalogue import build
from nas.strategies.local import Local
from nas.strategies.protocol import Scored, Terms, dice
from tests.nas.strategies.landscapes import Rugged, ToySpace, distance, search

SPACE = ToySpace()


def told(strategy, state, number, choices, score):
    return strategy.tell(SPACE, state, Scored(number, Architecture("toy", choices), 0, (score,)))


def changed(one, other):
    return sum(a != b for a, b in zip(one, other, strict=True))


def test_the_oldest_dies_even_if_it_is_the_best():
    strategy = Aging(population=3, sample=2)
    state = strategy.begin(0, Terms(budget=100))
    for number, score in enumerate([-9.0, 1.0, 2.0, 3.0], start=1):
        state = told(strategy, state, number, (number % 4,) * 8, score)
    assert [one.number for one in state.population] == [2, 3, 4]


def test_the_parent_is_the_best_of_the_sample_and_the_child_one_change_away():
    asked = search(Aging(population=10, sample=200), SPACE, seed=2, budget=60)
    by_number = {one.number: one.architecture.choices for one in asked}
    for one in asked[10:]:
        best = min(sum(by_number[number]) for number in range(one.number - 10, one.number))
        assert sum(by_number[one.parents[0]]) == best
        assert changed(by_number[one.parents[0]], one.architecture.choices) == 1


def test_the_population_leaves_most_of_a_small_budget_to_evolution():
    asked = search(build("aging_evolution", {"population": 100}), SPACE, seed=0, budget=40)
    assert [one.origin for one in asked].count("sampled") == 10


@pytest.fixture
def walk():
    strategy = Annealing(samples=4, start=1.0, end=0.01, patience=0)
    state = strategy.begin(7, Terms(budget=104))
    for number, score in enumerate([10.0, 12.0, 14.0, 30.0], start=1):
        state = told(strategy, state, number, (number - 1,) * 8, score)
    return strategy, state


def test_the_temperature_is_fitted_to_the_samples_and_falls_to_its_end(walk):
    strategy, state = walk
    temperatures = []
    for number in range(5, 105):
        state = told(strategy, state, number, (0,) * 8, 1e9)
        temperatures.append(strategy.trace(state)["temperature"])
    spread = 13 - 10
    assert temperatures == pytest.approx([spread * 0.01 ** (told / 100) for told in range(1, 101)])


def test_worse_steps_are_taken_as_often_as_metropolis_says(walk):
    strategy, state = walk
    taken = sum(strategy._accepts(state, Place(number, (1,) * 8, 12.0)) for number in range(5, 4005))
    assert taken / 4000 == pytest.approx(exp(-2 / 3), abs=0.03)
    assert all(strategy._accepts(state, Place(number, (1,) * 8, 10.0)) for number in range(5, 50))


def test_scores_of_another_unit_make_the_same_walk():
    rugged = Rugged(8, 4, 2)
    in_units = [
        search(build("annealing", {}), SPACE, seed=3, budget=80, value=lambda it, unit=unit: unit * rugged(it))
        for unit in (1, 1024)
    ]
    assert in_units[0] == in_units[1]


def test_it_reheats_at_the_best_after_a_stall():
    strategy = Annealing(samples=2, start=1.0, end=1e-6, patience=5)
    state = strategy.begin(0, Terms(budget=50))
    for number, score in enumerate([1.0, 3.0], start=1):
        state = told(strategy, state, number, (number,) * 8, score)
    temperatures = []
    for number in range(3, 9):
        state = told(strategy, state, number, (3,) * 8, 100.0)
        temperatures.append(strategy.trace(state)["temperature"])
    assert strategy.trace(state)["reheats"] == 1
    assert state.here == state.best
    falls = [later < earlier for earlier, later in pairwise(temperatures)]
    assert falls.count(False) == 1


@pytest.mark.parametrize("improvement", ["first", "best"])
@pytest.mark.parametrize("seats", [1, 5])
def test_local_search_stops_only_where_no_neighbour_is_better(improvement, seats):
    rugged, space = Rugged(6, 3, 2), ToySpace(6, 3)
    strategy = Local(improvement=improvement, samples=3)
    asked = search(strategy, space, seed=1, budget=200, seats=seats, value=rugged)
    starts = [at for at, one in enumerate(asked) if one.origin == "sampled"]
    second = next(at for at in starts if at > 2)
    optimum = min((one.architecture for one in asked[:second]), key=rugged)
    assert not [one for one in moves.neighbours(space, optimum) if rugged(one) < rugged(optimum)]


def test_best_improvement_moves_to_the_best_neighbour():
    asked = search(Local(improvement="best", samples=1), SPACE, seed=4, budget=100)
    first = asked[0].architecture
    second_parent = next(one.parents[0] for one in asked if one.generation == 3)
    best = min(sum(one.choices) for one in moves.neighbours(SPACE, first))
    assert sum(asked[second_parent - 1].architecture.choices) == best


def test_first_improvement_moves_at_once():
    strategy = Local(samples=1)
    state = strategy.begin(0, Terms(budget=50))
    state, (start,) = strategy.ask(SPACE, state, 1)
    state = told(strategy, state, start.number, start.architecture.choices, 5.0)
    state, (one,) = strategy.ask(SPACE, state, 1)
    state = told(strategy, state, one.number, one.architecture.choices, 4.0)
    state, (after,) = strategy.ask(SPACE, state, 1)
    assert after.parents == (one.number,)
    assert changed(after.architecture.choices, one.architecture.choices) == 1


def test_the_smooth_landscape_is_walked_down_to_the_end():
    for name in ("local_search", "annealing", "aging_evolution"):
        asked = search(build(name, {}), SPACE, seed=0, budget=250)
        assert min(distance(one.architecture) for one in asked) == 0, name


def test_randomness_of_a_proposal_does_not_depend_on_the_seats():
    alone = search(Aging(), SPACE, seed=0, budget=20)
    assert [one.architecture for one in alone[:5]] == [moves.sample(SPACE, dice(0, n)) for n in range(1, 6)]

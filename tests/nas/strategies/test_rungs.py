"""Strategies over fidelities: the ladder, ASHA, Hyperband, and what they save on a real table."""

from collections import Counter
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.sentences import Refused
from nas.strategies.asha import Asha
from nas.strategies.catalogue import build
from nas.strategies.hyperband import Hyperband
from nas.strategies.protocol import Scored, Terms
from nas.strategies.rungs import ladder
from tests.nas.strategies.landscapes import ToySpace, distance, search
from tests.nas.strategies.places import nasbench201, needs_tables

SPACE = ToySpace()


@pytest.mark.parametrize(
    ("offered", "reduction", "most", "rungs"),
    [
        ((12, 200), 3, 4, (12, 200)),
        ((12, 200), 4, 4, (12, 200)),
        (range(1, 82), 3, 5, (1, 3, 9, 27, 81)),
        (range(1, 82), 3, 3, (9, 27, 81)),
        (range(1, 21), 4, 4, (1, 5, 20)),
        ((4, 12, 36, 108), 3, 4, (4, 12, 36, 108)),
        ((3, 9), 4, 4, (3, 9)),
        ((3, 9, 27), 4, 4, (3, 9, 27)),
        ((3, 9, 27), 4, 2, (3, 27)),
        ((12, 25, 50, 100, 200), 4, 4, (12, 50, 200)),
        ((160, 180, 200), 3, 2, (160, 200)),
        (range(1, 10), 4, 4, (2, 9)),
        ((200,), 3, 4, (200,)),
        ((0,), 3, 4, (0,)),
    ],
)
def test_rungs_are_geometric_from_the_top_and_snapped_to_what_is_offered(offered, reduction, most, rungs):
    assert ladder(offered, reduction, most) == rungs


@given(st.integers(1, 500), st.integers(2, 10), st.integers(2, 8))
def test_a_ladder_of_training_rises_by_the_reduction_at_least(epochs, reduction, most):
    rungs = ladder(range(1, epochs + 1), reduction, most)
    assert rungs[0] >= 1
    assert rungs[-1] == epochs
    assert len(rungs) == most or rungs[0] < reduction
    assert all(low * reduction <= high for low, high in pairwise(rungs))


@given(st.sets(st.integers(1, 500), min_size=2), st.integers(2, 10), st.integers(2, 8))
def test_a_ladder_of_a_table_has_two_rungs_at_least(offered, reduction, most):
    rungs = ladder(tuple(sorted(offered)), reduction, most)
    assert set(rungs) <= offered
    assert rungs[-1] == max(offered)
    assert 2 <= len(rungs) <= most
    assert len(rungs) == len(offered) or len(offered) > most
    assert all(low < high for low, high in pairwise(rungs))


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_every_fidelity_of_a_small_table_is_used(name):
    terms = Terms(100, 1, (3, 9, 27))
    strategy = build(name, {})
    strategy.refuse(SPACE, terms)
    assert {one.fidelity for one in search(strategy, SPACE, seed=1, budget=100, terms=terms)} == {3, 9, 27}


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_one_fidelity_is_refused(name):
    with pytest.raises(Refused, match=f"{name} .* at most 3 epochs .* give candidates more epochs"):
        build(name, {"reduction": 4}).refuse(SPACE, Terms(10, 1, range(1, 4)))
    build(name, {"reduction": 3}).refuse(SPACE, Terms(10, 1, range(1, 4)))


def test_asha_promotes_the_best_of_a_rung_at_once():
    strategy = Asha(reduction=3)
    state = strategy.begin(0, Terms(100, 1, (1, 9)))
    state, first = strategy.ask(SPACE, state, 3)
    assert [one.fidelity for one in first] == [1, 1, 1]
    for one in first[:2]:
        state = strategy.tell(SPACE, state, Scored(one.number, one.architecture, 1, (distance(one.architecture),)))
    _, (waiting,) = strategy.ask(SPACE, state, 1)
    assert waiting.fidelity == 1
    last = first[2]
    state = strategy.tell(SPACE, state, Scored(last.number, last.architecture, 1, (distance(last.architecture),)))
    state, (promoted, newcomer) = strategy.ask(SPACE, state, 2)
    best = min(first, key=lambda one: distance(one.architecture))
    assert (promoted.origin, promoted.fidelity, promoted.parents) == ("promoted", 9, (best.number,))
    assert promoted.architecture == best.architecture
    assert newcomer.fidelity == 1


@pytest.mark.parametrize("sampler", ["uniform", "evolution"])
def test_asha_measures_fewer_the_higher_the_rung(sampler):
    asked = search(
        build("asha", {"sampler": sampler}), SPACE, seed=0, budget=300, seats=4, terms=Terms(300, 1, (1, 4, 16))
    )
    counts = Counter(one.fidelity for one in asked)
    assert counts[1] > 2 * counts[4] > 3 * counts[16] > 0


def test_hyperband_opens_the_brackets_of_the_paper():
    asked = search(Hyperband(reduction=3, rungs=5), SPACE, seed=0, budget=206, terms=Terms(206, 1, range(1, 82)))
    brackets = [Counter(one.fidelity for one in asked if one.generation == number) for number in range(1, 6)]
    # Table 1 of the paper, R = 81 and eta = 3.
    assert brackets == [
        {1: 81, 3: 27, 9: 9, 27: 3, 81: 1},
        {3: 34, 9: 11, 27: 3, 81: 1},
        {9: 15, 27: 5, 81: 1},
        {27: 8, 81: 2},
        {81: 5},
    ]


def best_within(name, seed, epochs):
    """The best validation accuracy at 200 epochs, with so many epochs in all."""
    space, table = nasbench201()
    accuracies = {at: table.values[f"cifar10.valid_accuracy.{at}ep"] for at in (12, 200)}
    strategy = build(name, {})
    state, best = strategy.begin(seed, Terms(1000, 1, (12, 200))), 0.0
    while True:
        state, (one,) = strategy.ask(space, state, 1)
        at = one.fidelity or 200
        epochs -= at
        if epochs < 0:
            return best
        accuracy = float(accuracies[at][table.row(one.architecture.choices)])
        best = max(best, accuracy) if at == 200 else best
        state = strategy.tell(space, state, Scored(one.number, one.architecture, one.fidelity, (-accuracy,)))


@needs_tables
def test_asha_is_as_good_as_full_training_at_a_third_of_the_epochs():
    seeds = range(40)
    full = fmean(best_within("random", seed, 100 * 200) for seed in seeds)
    third = fmean(best_within("asha", seed, 100 * 200 // 3) for seed in seeds)
    assert third >= full

"""Progressive search: levels, beam, surrogate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import PairwiseKernel

from nas.architecture import Architecture, Decision
from nas.strategies import kernel_ridge, progressive
from nas.strategies.catalogue import build
from nas.strategies.progressive import Progressive, levels
from nas.strategies.protocol import Failed, Scored, Terms
from tests.nas.strategies.landscapes import DeepSpace, Rugged, ToySpace, distance, search
from tests.nas.strategies.places import nasbench201, needs_tables

SPACE = ToySpace(6, 4)


def named(*names):
    return [Decision(name, ("a", "b")) for name in names]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["depth", "layer 1 units", "layer 1 skip", "layer 2 units", "layer 2 skip"], [(0,), (1, 2), (3, 4)]),
        (["edge 0-1", "edge 0-2", "edge 1-2"], [(0,), (1, 2)]),
        (["normal edge 0-2", "reduce edge 0-2", "normal edge 1-2"], [(0, 2), (1,)]),
        (["normal node 2 input 1", "normal node 2 operation 1", "normal node 3 input 1"], [(0, 1), (2,)]),
        (["width", "activation"], [(0,), (1,)]),
    ],
)
def test_decisions_of_one_place_are_one_level(names, expected):
    assert levels(named(*names)) == expected


def test_the_first_level_varies_its_own_decision_evenly_and_samples_the_rest():
    asked = search(Progressive(), SPACE, seed=1, budget=100)[:8]
    assert sorted(one.architecture.choices[0] for one in asked) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert all(one.origin == "sampled" for one in asked)
    assert len({one.architecture.choices[1:] for one in asked}) == 8


def test_each_level_expands_the_beam_in_its_own_decision():
    asked = search(Progressive(), SPACE, seed=2, budget=100)
    by_number = {one.number: one for one in asked}
    for one in asked:
        if 1 < one.generation <= 6:
            parent = by_number[one.parents[0]].architecture.choices
            changed = [at for at in range(6) if one.architecture.choices[at] != parent[at]]
            assert changed == [one.generation - 1]


def test_the_beam_is_the_best_measured_so_far():
    rugged = Rugged(6, 4, 2)
    asked = search(Progressive(beam=4), SPACE, seed=3, budget=100, value=rugged)
    scores = {one.number: rugged(one.architecture) for one in asked}
    for one in asked:
        if 1 < one.generation <= 6:
            before = [number for number in scores if by(asked, number).generation < one.generation]
            assert one.parents[0] in sorted(before, key=scores.get)[:4]


def by(asked, number):
    return asked[number - 1]


@pytest.mark.parametrize(("budget", "most"), [(12, 1), (48, 4), (1000, 8)])
def test_a_pass_over_the_levels_takes_half_of_the_budget_at_most(budget, most):
    asked = search(Progressive(), SPACE, seed=0, budget=min(budget, 60), terms=Terms(budget))
    later = [one.generation for one in asked if 1 < one.generation <= 6]
    assert later
    assert max(map(later.count, later)) == most


def test_a_level_waits_for_every_outcome_and_failures_are_outcomes():
    strategy = Progressive(beam=2)
    state = strategy.begin(0, Terms(100))
    state, pair = strategy.ask(SPACE, state, 8)
    assert len(pair) == 2
    state = strategy.tell(SPACE, state, Failed(1, pair[0].architecture))
    assert strategy.ask(SPACE, state, 8)[1] == []
    state = strategy.tell(SPACE, state, Scored(2, pair[1].architecture, 0, (1.0,)))
    _, following = strategy.ask(SPACE, state, 8)
    assert [one.generation for one in following] == [2, 2]
    assert 2 in following[0].parents


def test_it_starts_anew_where_a_pass_found_nothing_better():
    asked = search(build("progressive", {}), ToySpace(3, 6), seed=1, budget=120)
    best = next(one.number for one in asked if distance(one.architecture) == 0)
    later = [one for one in asked if one.number > best and one.origin == "sampled"]
    assert len(later) >= 8
    assert best < 60


def test_scores_of_another_unit_make_the_same_search():
    rugged = Rugged(6, 4, 2)
    in_units = [
        search(Progressive(), SPACE, seed=3, budget=60, value=lambda it, unit=unit: unit * rugged(it))
        for unit in (1, 1024)
    ]
    assert in_units[0] == in_units[1]


def test_unread_choices_are_not_measured_twice():
    asked = search(Progressive(), DeepSpace(), seed=0, budget=80, value=Rugged(8, 4, 2))
    assert len({one.architecture for one in asked}) == 80


def test_the_trace_tells_how_well_the_surrogate_ranks():
    strategy, space = Progressive(exploration=0.0), ToySpace(8, 4)
    state = strategy.begin(0, Terms(400))
    correlations = []
    for _ in range(20):
        state, level = strategy.ask(space, state, 100)
        for one in level:
            state = strategy.tell(space, state, Scored(one.number, one.architecture, 0, (distance(one.architecture),)))
        trace = strategy.trace(state)
        assert trace["beam size"] == len(level)
        assert trace["beam best"] == min(distance(one.architecture) for one in level)
        assert trace["level"] == (level[0].generation - 1) % 8 + 1 or len(level) < 8
        correlations.append(trace.get("surrogate rank correlation"))
    assert correlations[0] is None
    assert np.mean([found for found in correlations[3:12] if found is not None]) > 0.3


def test_the_memory_is_bounded_and_keeps_the_best():
    strategy = Progressive()
    state = strategy.begin(0, Terms(3000))
    for number in range(1, 1501):
        score = float((number * 7919) % 1500)
        architecture = Architecture("toy", tuple(number // 4**at % 4 for at in range(6)))
        state = strategy.tell(SPACE, state, Scored(number, architecture, 0, (score,)))
    state, _ = strategy.ask(SPACE, state, 1)
    assert len(state.scores) == progressive.BEST + progressive.LATEST
    assert min(state.scores) == 0
    assert state.numbers[-1] == 1500


def test_the_regression_is_a_gaussian_process():
    random = np.random.default_rng(0)
    known, asked = random.integers(0, 4, (40, 5)).astype(np.int16), random.integers(0, 4, (15, 5)).astype(np.int16)
    targets = random.normal(size=40)
    found = kernel_ridge.fit(known, targets)
    ridges = {
        ridge: np.linalg.inv(kernel_ridge.kernel(known, known, found.reach) + ridge * np.eye(40))
        for ridge in kernel_ridge.RIDGES
    }
    ridge = min(ridges, key=lambda one: np.abs(ridges[one] - found.inverse).max())
    kernel = PairwiseKernel(metric=lambda a, b, gamma: np.exp(-np.mean(a != b) / found.reach))
    oracle = GaussianProcessRegressor(kernel, alpha=ridge, optimizer=None).fit(known, targets - targets.mean())
    mean, deviation = oracle.predict(asked, return_std=True)
    expected, unsure = found.predict(asked)
    assert expected == pytest.approx(targets.mean() + mean)
    assert unsure == pytest.approx(deviation)


@given(st.integers(0, 100))
def test_reach_and_ridge_have_the_least_leave_one_out_error(seed):
    random = np.random.default_rng(seed)
    known = random.integers(0, 3, (12, 4)).astype(np.int16)
    targets = known.sum(axis=1) + random.normal(size=12)
    errors = {}
    for reach in kernel_ridge.REACHES:
        for ridge in kernel_ridge.RIDGES:
            left_out = []
            for out in range(12):
                rest = np.arange(12) != out
                gram = kernel_ridge.kernel(known[rest], known[rest], reach) + ridge * np.eye(11)
                weights = np.linalg.solve(gram, targets[rest] - targets.mean())
                near = kernel_ridge.kernel(known[[out]], known[rest], reach)
                left_out.append(float((near @ weights)[0]) + targets.mean() - targets[out])
            errors[reach, ridge] = np.mean(np.square(left_out))
    found = kernel_ridge.fit(known, targets)
    best = min(error for (reach, _), error in errors.items() if reach == found.reach)
    assert best == pytest.approx(min(errors.values()))


@needs_tables
@pytest.mark.parametrize(("dataset", "random_at_500"), [("cifar10", 88.50), ("cifar100", 60.03)])
def test_it_does_on_nasbench201_in_100_evaluations_what_random_needs_500_for(dataset, random_at_500):
    space, table = nasbench201()

    def accuracy(architecture, split="valid"):
        return table.value(f"{dataset}.{split}_accuracy.12ep", table.row(architecture.choices))

    found = []
    for seed in range(25):
        asked = search(build("progressive", {}), space, seed=seed, budget=100, value=lambda it: -accuracy(it))
        found.append(accuracy(max((one.architecture for one in asked), key=accuracy), "test"))
    assert np.mean(found) > random_at_500

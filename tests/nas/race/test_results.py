"""What is kept of lanes and drawn of them, against the lanes themselves."""

from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.objectives import Objective
from nas.race.contest import Lane
from nas.race.results import MOST_POINTS, kept, results, whole
from nas.race.standings import default_marks, standings

UP = Objective("accuracy", "max")
BUDGETS = st.integers(1, 40)


@st.composite
def lanes(draw, budget=BUDGETS):
    """A lane as one comes out of a search: the best rises, the report jumps with it, epochs add up."""
    length = draw(budget)
    numbers = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=length, max_size=length))
    best = np.maximum.accumulate([float(value) for value, _epochs in numbers])
    epochs = np.cumsum([float(1 + more) for _value, more in numbers])
    return Lane("genetic", draw(st.integers(0, 99)), tuple(best), tuple(best * 2 - 1), tuple(epochs), 0.5)


@given(lanes())
def test_what_is_kept_of_a_lane_is_the_lane(lane):
    again = whole(kept(lane))
    assert (again.strategy, again.seed, again.seconds) == (lane.strategy, lane.seed, lane.seconds)
    assert again.best == lane.best
    assert again.report == lane.report
    for mark in default_marks(len(lane.best)):
        assert again.epochs[mark - 1] == lane.epochs[mark - 1]


def test_a_lane_in_which_nothing_was_measured_is_kept_too():
    empty = Lane("genetic", 1, (), (), (), 0.5)
    assert whole(kept(empty)) == empty
    assert results([kept(empty)], ("genetic", "random"), UP, 10).lanes == 0


def test_what_is_kept_is_small():
    rising = Lane("genetic", 1, (1.0,) * 5000, (2.0,) * 5000, tuple(map(float, range(1, 5001))), 1.0)
    assert [point.evaluation for point in kept(rising).points] == [1, 1250, 2500, 3750, 5000]


@given(st.lists(lanes(st.just(37)), min_size=1, max_size=6))
def test_standings_of_what_is_kept_are_those_of_the_lanes(some):
    found = results([kept(lane) for lane in some], ("genetic", "random"), UP, 37)
    assert found.standings == standings(some, UP, default_marks(37))


def test_curves_are_means_and_quantiles_over_seeds():
    values = np.random.default_rng(3).normal(size=(20, 60)).cumsum(axis=1)
    some = [Lane("genetic", seed, tuple(row), tuple(row + 1), tuple(range(60)), 0.1) for seed, row in enumerate(values)]
    found = results([kept(lane) for lane in some], ("genetic", "random"), UP, 60)
    best, report = found.curves
    assert found.evaluations == tuple(range(1, 61))
    assert best.mean == pytest.approx([fmean(column) for column in values.T], rel=1e-5)
    assert best.low == pytest.approx(np.quantile(values, 0.1, axis=0), rel=1e-5)
    assert best.high == pytest.approx(np.quantile(values, 0.9, axis=0), rel=1e-5)
    assert report.mean == pytest.approx([value + 1 for value in best.mean], rel=1e-4, abs=1e-5)


def test_long_races_are_drawn_with_few_points_from_the_first_to_the_last():
    lane = Lane("random", 1, tuple(map(float, range(1000))), tuple(map(float, range(1000))), (1.0,) * 1000, 0.1)
    found = results([kept(lane)], ("random",), UP, 1000)
    assert len(found.evaluations) == MOST_POINTS
    assert (found.evaluations[0], found.evaluations[-1]) == (1, 1000)
    assert found.curves[0].mean == tuple(float(at - 1) for at in found.evaluations)


def test_strategies_stand_in_the_order_of_the_race_whoever_ended_first():
    def ended(strategy, seed):
        return kept(Lane(strategy, seed, (1.0, 2.0), (1.0, 2.0), (1.0, 2.0), 0.1))

    found = results([ended("random", 1), ended("genetic", 2), ended("genetic", 1)], ("genetic", "random"), UP, 2)
    assert [curve.strategy for curve in found.curves] == ["genetic", "genetic", "random", "random"]
    assert [one.strategy for one in found.standings if one.evaluations == 2] == ["genetic", "random"]

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas import pareto


def clouds(objectives: int):
    point = st.tuples(*[st.integers(0, 6).map(float)] * objectives)
    return st.lists(point, min_size=1, max_size=14)


def counted(points, reference):
    """The hypervolume of points with whole coordinates, by counting the unit cells that some point dominates."""
    cells = np.stack(np.meshgrid(*[np.arange(edge) for edge in reference], indexing="ij"), -1)
    dominated = np.zeros(cells.shape[:-1], bool)
    for point in points:
        dominated |= (cells >= np.array(point)).all(-1)
    return float(dominated.sum())


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_the_hypervolume_is_the_number_of_dominated_cells(objectives):
    @given(clouds(objectives))
    def check(points):
        reference = (5,) * objectives
        assert pareto.hypervolume(points, reference) == counted(points, reference)

    check()


def test_the_hypervolume_of_three_objectives_agrees_with_sampling():
    generator = np.random.default_rng(0)
    points = generator.random((60, 3)) ** 0.5
    sampled = generator.random((200_000, 3))
    dominated = np.zeros(len(sampled), bool)
    for point in points:
        dominated |= (sampled >= point).all(1)
    found = pareto.hypervolume([tuple(point) for point in points.tolist()], (1.0, 1.0, 1.0))
    assert found == pytest.approx(dominated.mean(), abs=4 * (dominated.std() / len(sampled) ** 0.5))


def test_the_order_of_objectives_and_points_does_not_matter():
    source = random.Random(1)
    points = [tuple(source.random() for _ in range(4)) for _ in range(25)]
    turned = [tuple(reversed(point)) for point in reversed(points)]
    assert pareto.hypervolume(points, (1,) * 4) == pytest.approx(pareto.hypervolume(turned, (1,) * 4))


def test_nothing_better_than_the_reference_has_no_volume():
    assert pareto.hypervolume([], (1.0, 1.0)) == 0
    assert pareto.hypervolume([(0.0, 1.0), (2.0, 0.0)], (1.0, 1.0)) == 0


@given(clouds(3))
def test_fronts_are_peeled_one_after_the_other(points):
    left = list(range(len(points)))
    for found in pareto.fronts(points):
        undominated = [i for i in left if not any(pareto.dominates(points[j], points[i]) for j in left)]
        assert sorted(found) == undominated
        left = [index for index in left if index not in found]
    assert not left
    assert sorted(pareto.fronts(points)[0]) == sorted(pareto.front(points))


def test_there_are_no_fronts_of_nothing():
    assert pareto.fronts([]) == []


def test_crowding_is_the_room_between_the_neighbours():
    points = [(0.0, 10.0), (1.0, 4.0), (4.0, 1.0), (10.0, 0.0)]
    ends = float("inf")
    assert pareto.crowding(points) == [ends, pytest.approx(0.4 + 0.9), pytest.approx(0.9 + 0.4), ends]


def test_equal_points_have_no_room():
    assert sorted(pareto.crowding([(1.0, 1.0)] * 3)) == [0.0, float("inf"), float("inf")]

"""What the catalogue refuses, limits on a space, and the costs of a graph."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.objectives import Limit
from nas.sentences import Refused
from nas.spaces import moves
from nas.spaces.catalogue import SpaceSpec, build
from nas.spaces.graph import Task
from nas.spaces.protocol import magnitude
from nas.spaces.sketch import Sketch

TASK = Task((1, 8, 8), 10)
seeds = st.integers(0, 10_000)


@settings(max_examples=20)
@given(seeds, st.integers(5_000, 50_000))
def test_a_limit_holds_for_every_sample_and_child(seed, bound):
    space = build(SpaceSpec("chain", {}, (Limit("parameters", bound),)), TASK)
    random = Random(seed)
    one = moves.sample(space, random)
    assert space.graph(one).parameters <= bound
    assert space.graph(moves.mutate(space, one, 0.2, random)).parameters <= bound


def test_a_space_without_a_legal_architecture_is_refused_with_the_last_reason():
    space = build(SpaceSpec("chain", {}, (Limit("parameters", 3),)), TASK)
    with pytest.raises(Refused, match=r"None of 1000 sampled architectures is allowed .* the limit 3"):
        moves.sample(space, Random(0))


def test_costs_of_a_graph_by_hand():
    sketch = Sketch(Task((3, 8, 8), 10))
    at = sketch.conv("a", "input", filters=4, kernel=3, norm=True)
    at = sketch.pool("b", at, how="max", size=2)
    at = sketch.dense("c", sketch.flatten("f", at), units=5)
    graph = sketch.classify(at)
    assert graph.parameters == (3 * 9 * 4 + 8) + (4 * 16 * 5 + 5) + (5 * 10 + 10)
    assert graph.multiply_adds == 3 * 9 * 4 * 64 + 64 * 5 + 50


def test_the_nearest_name_is_offered():
    with pytest.raises(Refused, match="nearest is chain"):
        build(SpaceSpec("chian", {}), TASK)


def test_more_layers_at_least_than_at_most_is_refused():
    with pytest.raises(Refused, match="min_layers is 5 and max_layers 3"):
        build(SpaceSpec("chain", {"min_layers": 5, "max_layers": 3}), TASK)


def test_the_magnitude_counts_the_spellings():
    space = build(SpaceSpec("chain", {"min_layers": 1, "max_layers": 1}), TASK)
    product = 1
    for one in space.decisions:
        product *= len(one.options)
    assert round(10 ** magnitude(space)) == product

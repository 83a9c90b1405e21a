"""The contract of every search space; being in the catalogue is what puts a space under test."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.architecture import Architecture
from nas.objectives import Limit
from nas.sentences import Refused
from nas.spaces import moves
from nas.spaces.catalogue import SPACES, SpaceSpec, build
from nas.spaces.graph import Task
from nas.spaces.protocol import magnitude
from nas.spaces.sketch import Sketch

TASKS = (Task((1, 8, 8), 10), Task((3, 32, 32), 100), Task((2, 5, 3), 2), Task((1, 1, 1), 2))
spaces = st.builds(
    lambda name, task: build(SpaceSpec(name, {}), task), st.sampled_from(list(SPACES)), st.sampled_from(TASKS)
)
seeds = st.integers(0, 10_000)


def spelling(space, seed):
    random = Random(seed)
    return Architecture(space.name, tuple(random.randrange(len(one.options)) for one in space.decisions))


@given(spaces, seeds)
def test_canonical_is_idempotent_and_draws_the_network_it_repaired(space, seed):
    once = space.canonical(spelling(space, seed))
    assert space.canonical(once) == once
    assert all(0 <= choice < len(one.options) for choice, one in zip(once.choices, space.decisions, strict=True))
    graph = space.graph(once)
    assert graph.nodes[-1].shape == (graph.task.classes,)


@given(spaces, seeds)
def test_one_network_has_one_spelling(space, seed):
    """Two canonical architectures that differ must draw different graphs."""
    random = Random(seed)
    one = moves.sample(space, random)
    other = moves.mutate(space, one, 0.05, random)
    assert (one == other) == (space.graph(one) == space.graph(other))


@given(spaces, seeds, st.floats(0, 1), st.sampled_from(["uniform", "one_point"]))
def test_moves_stay_inside_the_space(space, seed, rate, how):
    random = Random(seed)
    mother, father = moves.sample(space, random), moves.sample(space, random)
    for made in (
        moves.mutate(space, mother, rate, random),
        moves.crossover(space, mother, father, how, random),
        *list(moves.neighbours(space, mother))[:5],
    ):
        assert space.canonical(made) == made
        assert not space.complaint(made)


@given(spaces, seeds)
def test_a_mutation_changes_something_where_there_is_something_to_change(space, seed):
    random = Random(seed)
    parent = moves.sample(space, random)
    changed = moves.mutate(space, parent, 0.0, random)
    assert (changed != parent) == (len(space.decisions) > 0)


@given(spaces, seeds)
def test_a_graph_reads_only_what_came_before(space, seed):
    seen = set()
    for node in space.graph(moves.sample(space, Random(seed))).nodes:
        assert set(node.inputs) <= seen
        assert node.id not in seen
        assert node.label
        seen.add(node.id)


@settings(max_examples=20)
@given(seeds, st.integers(5_000, 50_000))
def test_a_limit_holds_for_every_sample_and_child(seed, bound):
    space = build(SpaceSpec("chain", {}, (Limit("parameters", bound),)), TASKS[0])
    random = Random(seed)
    one = moves.sample(space, random)
    assert space.graph(one).parameters <= bound
    assert space.graph(moves.mutate(space, one, 0.2, random)).parameters <= bound


def test_a_space_without_a_legal_architecture_is_refused_with_the_last_reason():
    space = build(SpaceSpec("chain", {}, (Limit("parameters", 3),)), TASKS[0])
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
        build(SpaceSpec("chian", {}), TASKS[0])


def test_more_layers_at_least_than_at_most_is_refused():
    with pytest.raises(Refused, match="min_layers is 5 and max_layers 3"):
        build(SpaceSpec("chain", {"min_layers": 5, "max_layers": 3}), TASKS[0])


def test_the_magnitude_counts_the_spellings():
    space = build(SpaceSpec("chain", {"min_layers": 1, "max_layers": 1}), TASKS[0])
    product = 1
    for one in space.decisions:
        product *= len(one.options)
    assert round(10 ** magnitude(space)) == product

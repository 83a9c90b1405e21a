"""The module of a graph has the graph's shapes, parameters and multiply-adds, in every space."""

from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.architecture import Architecture
from nas.datasets import DATASETS
from nas.evaluation import costs
from nas.evaluation.networks import Network, build, layer_name
from nas.spaces import catalogue, moves
from nas.spaces.catalogue import SPACES, SpaceSpec
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch

TASKS = [known.task for known in DATASETS.values()] + [Task((2, 7, 5), 3)]
EVERYTHING = {
    "chain": {
        "kernels": (1, 3, 5, 7),
        "filters": (2, 3),
        "pools": ("max 2", "max 3", "average 2", "average 3"),
        "units": (4, 5),
        "activations": ("relu", "silu", "tanh"),
        "smallest": 1,
    }
}


def node_shapes(network: Network, graph: Graph, images: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """What each layer really put out, by the node's id; those without a layer of their own are left out."""
    seen: dict[str, tuple[int, ...]] = {}
    for node in graph.nodes:
        layer = dict(network.named_children()).get(layer_name(node.id))
        if layer is not None:
            layer.register_forward_hook(lambda _, __, out, id=node.id: seen.__setitem__(id, tuple(out.shape[1:])))
    network.eval()(images)
    return seen


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), task=st.sampled_from(TASKS))
def test_the_module_has_the_shapes_and_costs_of_its_graph(name: str, seed: int, task: Task) -> None:
    space = catalogue.build(SpaceSpec(name, EVERYTHING.get(name, {})), task)
    graph = space.graph(moves.sample(space, Random(seed)))
    network = build(graph)
    images = torch.zeros(2, *task.input_shape)
    assert tuple(network.eval()(images).shape) == (2, task.classes)
    assert costs.parameters(network) == graph.parameters
    assert costs.multiply_adds(network, images) == graph.multiply_adds
    shapes = {node.id: node.shape for node in graph.nodes}
    assert all(shape == shapes[id] for id, shape in node_shapes(network, graph, images).items())


def test_operations_compute_what_their_names_say() -> None:
    sketch = Sketch(Task((1, 4, 4), 2))
    pooled = sketch.pool("pooled", "input", how="average", size=3)
    graph = sketch.classify(sketch.flatten("flat", pooled))
    network = build(graph)
    with torch.no_grad():
        network.output.weight.fill_(1.0)
    # The border's zeros are not counted, so the average of ones is one everywhere.
    assert network(torch.ones(1, 1, 4, 4)).tolist() == [[4.0, 4.0]]


def test_a_strided_convolution_rounds_up() -> None:
    sketch = Sketch(Task((1, 5, 7), 2))
    graph = sketch.classify(sketch.flatten("flat", sketch.conv("conv", "input", filters=3, kernel=5, stride=2)))
    assert node_shapes(build(graph), graph, torch.zeros(1, 1, 5, 7))["conv"] == (3, 3, 4)


def test_more_than_two_outputs_add_up() -> None:
    sketch = Sketch(Task((1, 2, 2), 2))
    branches = tuple(sketch.conv(id, "input", filters=2, kernel=1, norm=False) for id in ("a", "b", "c"))
    graph = sketch.classify(sketch.flatten("flat", sketch.add("sum", branches)))
    assert build(graph)(torch.zeros(1, 1, 2, 2)).shape == (1, 2)


def test_weights_follow_from_the_seed_and_leave_the_global_source_alone() -> None:
    space = catalogue.build(SpaceSpec("baseline", {}), TASKS[0])
    graph = space.graph(Architecture("baseline", ()))
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first, again, other = build(graph, 3), build(graph, 3), build(graph, 4)
    assert torch.rand(1) == expected
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.output.weight, other.output.weight)

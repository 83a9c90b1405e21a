"""The module of a graph has the graph's shapes, parameters and multiply-adds, and computes what its labels say."""

import weakref

import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch.nn import functional

from nas.architecture import Architecture
from nas.datasets.known import DATASETS
from nas.evaluation.layers import Attention, FactorizedReduce, PixelConv, SqueezeExcite
from nas.evaluation.networks import Network, build, layer_name
from nas.sentences import Refused
from nas.spaces import catalogue
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch
from tests.nas.evaluation import measured
from tests.nas.evaluation.graphs import graphs, inputs


@settings(max_examples=40, deadline=None)
@given(graph=graphs)
def test_the_module_has_the_costs_of_its_graph(graph: Graph) -> None:
    network = build(graph)
    assert measured.parameters(network) == graph.parameters
    assert measured.multiply_adds(network, inputs(graph.task)) == graph.multiply_adds


@settings(max_examples=20, deadline=None)
@given(graph=graphs)
def test_every_node_has_the_shape_that_the_graph_says(graph: Graph) -> None:
    """A network whose last node is any one of them puts that one out."""
    for end, node in enumerate(graph.nodes[1:], start=2):
        network = Network(Graph(graph.task, graph.nodes[:end])).eval()
        assert tuple(network(inputs(graph.task)).shape[1:]) == node.shape


def test_averages_leave_padding_out() -> None:
    sketch = Sketch(Task((1, 4, 4), 2))
    pooled = sketch.pool("pooled", "input", how="average", size=3)
    graph = sketch.classify(sketch.flatten("flat", pooled))
    network = build(graph)
    with torch.no_grad():
        network.output.weight.fill_(1.0)
    assert network(torch.ones(1, 1, 4, 4)).tolist() == [[4.0, 4.0]]


def test_normalisation_and_activation_come_in_the_order_told() -> None:
    sketch = Sketch(Task((2, 1, 1), 2))
    before = sketch.conv("before", "input", filters=2, kernel=1, order="activation first", norm=False, bias=False)
    after = sketch.conv("after", before, filters=2, kernel=1, norm=False, bias=False)
    network = Network(Graph(sketch.task, sketch.classify(sketch.flatten("flat", after)).nodes[:3]))
    with torch.no_grad():
        network.before.weight.copy_(-torch.eye(2)[:, :, None, None])
        network.after.weight.copy_(-torch.eye(2)[:, :, None, None])
    # relu(-(-relu(x))): negative values are cut before the first product, not after it.
    assert network(torch.tensor([3.0, -5.0]).view(1, 2, 1, 1)).flatten().tolist() == [3.0, 0.0]


def test_attention_is_torchs_own() -> None:
    torch.manual_seed(0)
    ours, theirs = Attention(12, 3), nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        ours.project.weight.copy_(theirs.in_proj_weight)
        ours.project.bias.copy_(theirs.in_proj_bias.normal_())
        ours.join.load_state_dict(theirs.out_proj.state_dict())
        tokens = torch.randn(2, 5, 12)
        assert torch.allclose(ours(tokens), theirs(tokens, tokens, tokens)[0], atol=1e-6)


@pytest.mark.parametrize("sides", [(1, 1), (4, 4), (5, 4), (5, 7)])
def test_a_factorized_reduction_reads_every_other_pixel_and_those_between(sides: tuple[int, int]) -> None:
    layer = FactorizedReduce(1, 2)
    with torch.no_grad():
        layer.even.weight.fill_(1.0)
        layer.odd.weight.fill_(1.0)
        image = torch.rand(1, 1, *sides)
        even, odd = layer(image)[0]
    assert torch.equal(even, image[0, 0, ::2, ::2])
    between = image[0, 0, 1::2, 1::2]
    assert torch.equal(odd, functional.pad(between, (0, sides[1] % 2, 0, sides[0] % 2)))


@pytest.mark.parametrize("channels", [3, 4, 16])
def test_a_strided_convolution_of_single_pixels_is_torchs_own_and_so_are_its_gradients(channels: int) -> None:
    torch.manual_seed(0)
    ours, theirs = PixelConv(channels, 8, 1, stride=2), nn.Conv2d(channels, 8, 1, stride=2)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(16, channels, 7, 8)
    # In torch's own the gradient of channels that lie innermost is what must not be asked for; outermost it is safe.
    made, expected = ours(images.contiguous(memory_format=torch.channels_last)), theirs(images)
    torch.testing.assert_close(made, expected)
    made.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)


def test_no_network_leaves_a_stride_to_a_convolution_of_single_pixels() -> None:
    sketch = Sketch(Task((4, 8, 8), 2))
    sketch.conv("shortcut", "input", filters=8, kernel=1, stride=2)
    sketch.conv("whole", "input", filters=8, kernel=1)
    sketch.conv("wide", "input", filters=8, kernel=3, stride=2)
    last = sketch.conv("last", "shortcut", filters=8, kernel=1)
    network = build(sketch.classify(sketch.global_pool("pool", last)))
    assert type(network.shortcut) is PixelConv
    assert {type(network.whole), type(network.wide)} == {nn.Conv2d}


def test_a_gate_scales_channels_by_what_it_sees_of_the_whole_image() -> None:
    layer = SqueezeExcite(2, 1, nn.ReLU())
    with torch.no_grad():
        for values in layer.parameters():
            values.zero_()
        layer.squeeze.weight[0, 0] = 1.0
        layer.excite.weight[1, 0] = 1.0
        image = torch.stack((torch.full((2, 2), 3.0), torch.ones(2, 2)))[None]
        scaled = layer(image)[0]
    assert scaled[0].flatten().tolist() == [1.5] * 4
    assert scaled[1, 0, 0] == torch.sigmoid(torch.tensor(3.0))


def test_a_place_is_part_of_a_token() -> None:
    sketch = Sketch(Task((2,), 2, vocabulary=3))
    graph = sketch.classify(sketch.flatten("flat", sketch.embed("embed", "input", width=4)))
    same = build(graph)(torch.tensor([[1, 1]])), build(graph)(torch.tensor([[1, 1]]))
    assert torch.equal(*same)
    embedded = build(graph).embed(torch.tensor([[1, 1]]))[0]
    assert not torch.equal(embedded[0], embedded[1])
    assert 0.005 < float(build(graph).embed.tokens.weight.detach().std()) < 0.05


def test_a_zero_keeps_nothing_of_its_source() -> None:
    sketch = Sketch(Task((1, 4, 4), 2))
    graph = sketch.classify(sketch.flatten("flat", sketch.zero("zero", "input", filters=3, stride=2)))
    assert build(graph)(torch.full((1, 1, 4, 4), float("nan"))).tolist() == [[0.0, 0.0]]


def test_weights_follow_from_the_seed_and_leave_the_global_source_alone() -> None:
    space = catalogue.build(SpaceSpec("baseline", {}), DATASETS["digits"].task)
    graph = space.graph(Architecture("baseline", ()))
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first, again, other = build(graph, 3), build(graph, 3), build(graph, 4)
    assert torch.rand(1) == expected
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.output.weight, other.output.weight)


def test_any_id_makes_the_name_of_a_layer() -> None:
    names = [layer_name(id) for id in ("edge 0-1", "cell3.conv", "3x3", "pass", "")]
    assert names == ["edge_0_1", "cell3_conv", "node_3x3", "node_pass", "node_"]


def test_two_layers_of_one_name_are_refused() -> None:
    sketch = Sketch(Task((1, 4, 4), 2))
    at = sketch.conv("a.norm", sketch.conv("a", "input", filters=2, kernel=1), filters=2, kernel=1)
    with pytest.raises(Refused, match="two layers of the name a_norm"):
        build(sketch.classify(sketch.flatten("flat", at)))


def test_a_value_is_let_go_once_nothing_reads_it() -> None:
    """A network of 600 operations must not hold all of their outputs for a batch of 512 images."""
    sketch = Sketch(Task((1, 4, 4), 2))
    at = "input"
    for number in range(20):
        at = sketch.conv(f"conv{number}", at, filters=2, kernel=1, norm=False, activation="none")
    network = build(sketch.classify(sketch.flatten("flat", at)))
    held: list[weakref.ref[torch.Tensor]] = []
    alive: list[int] = []

    def note(_: nn.Module, __: object, output: torch.Tensor) -> None:
        alive.append(sum(one() is not None for one in held))
        held.append(weakref.ref(output))

    for number in range(20):
        getattr(network, f"conv{number}").register_forward_hook(note)
    with torch.inference_mode():
        network(torch.zeros(1, 1, 4, 4))
    assert len(alive) == 20
    assert max(alive) <= 2

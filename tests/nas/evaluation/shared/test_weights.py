"""Weights that all networks of a space share: a network computes with its slices, and its gradients land in them."""

from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nas.evaluation.networks import build
from nas.evaluation.shared.weights import SharedWeights, places
from nas.spaces import catalogue, moves
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.graph import Task
from nas.spaces.sketch import Sketch

IMAGES, TEXT, FEATURES = Task((1, 8, 8), 10), Task((6,), 3, 20), Task((5,), 4)
SMALL = {
    "chain": ({"min_layers": 2, "max_layers": 3}, IMAGES),
    "nasbench201": ({"cells": 1, "channels": 4}, IMAGES),
    "nasnet": ({"cells": 3, "channels": 4, "nodes": 1}, IMAGES),
    "resnet": ({}, IMAGES),
    "mnasnet": ({}, IMAGES),
    "transformer": ({"widths": (8, 16), "heads": (1, 2, 4)}, TEXT),
    "mlp": ({}, FEATURES),
}
CPU = torch.device("cpu")


def space_of(name):
    chosen, task = SMALL[name]
    return catalogue.build(SpaceSpec(name, chosen), task), task


def inputs_of(task, count=4):
    draw = torch.Generator().manual_seed(3)
    if task.kind == "text":
        return torch.randint(0, task.vocabulary, (count, *task.input_shape), generator=draw)
    return torch.randn(count, *task.input_shape, generator=draw)


def drawn(space, number):
    return build(space.graph(moves.sample(space, Random(number))), 1)


@pytest.mark.parametrize("name", SMALL)
def test_a_network_computes_with_the_shared_weights_what_it_computes_with_a_copy_of_them(name):
    space, task = space_of(name)
    shared = SharedWeights(1, CPU)
    networks = [drawn(space, number) for number in range(4)]
    for network in networks:
        shared.of(network)
    with torch.no_grad():
        for tensor in shared.tensors.values():  # nothing as it was built
            tensor.add_(torch.randn(tensor.shape, generator=torch.Generator().manual_seed(1)) * 0.05)
    for network in networks:
        network.train()
        outputs = shared.outputs(network, inputs_of(task))
        shared.inherit(network)
        torch.testing.assert_close(network(inputs_of(task)), outputs)


@pytest.mark.parametrize("name", SMALL)
def test_gradients_land_in_the_slices_and_nowhere_else(name):
    space, task = space_of(name)
    shared = SharedWeights(1, CPU)
    wide = [drawn(space, number) for number in range(6)]
    for network in wide:
        shared.of(network)
    network = wide[0].train()
    shared.outputs(network, inputs_of(task)).square().sum().backward()
    alone = wide[0]
    shared.inherit(alone)
    alone.zero_grad()
    alone(inputs_of(task)).square().sum().backward()
    used = places(alone)
    for parameter, place in used.items():
        there = shared.tensors[place.key].grad
        own = alone.get_parameter(parameter).grad
        assert there is not None
        piece = there[tuple(slice(size) for size in place.shape)]
        torch.testing.assert_close(piece.reshape(own.shape), own)
        assert float(there.abs().sum()) == pytest.approx(float(piece.abs().sum()), rel=1e-6)
    untouched = set(shared.tensors) - {place.key for place in used.values()}
    assert all(shared.tensors[key].grad is None for key in untouched)


def test_a_step_is_that_of_torch_where_one_network_has_all_the_weights():
    space, task = space_of("chain")
    shared = SharedWeights(1, CPU)
    network = drawn(space, 2)
    shared.inherit(network)
    twin = drawn(space, 2)
    twin.load_state_dict(network.state_dict())
    weights = [one for one in twin.parameters() if one.ndim > 1]
    others = [one for one in twin.parameters() if one.ndim <= 1]
    groups = [{"params": weights, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)
    for step in range(3):
        inputs = inputs_of(task) + step
        shared.outputs(network.train(), inputs).square().mean().backward()
        shared.descend(network, rate=0.1, decay=0.01, clip=1.0)
        optimizer.zero_grad()
        twin.train()(inputs).square().mean().backward()
        nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
        optimizer.step()
    for name, piece in shared.of(network).items():
        torch.testing.assert_close(piece, twin.get_parameter(name), rtol=1e-4, atol=1e-6)


def conv_net(filters, kernel=3):
    sketch = Sketch(IMAGES)
    at = sketch.conv("layer", "input", filters=filters, kernel=kernel)
    return build(sketch.classify(sketch.global_pool("pool", at)), 1)


def test_a_narrow_layer_is_the_beginning_of_a_wide_one_and_another_kernel_another_layer():
    shared = SharedWeights(1, CPU)
    narrow, wide, other = conv_net(4), conv_net(12), conv_net(4, kernel=5)
    before = {name: piece.clone() for name, piece in shared.of(narrow).items()}
    keys = set(shared.tensors)
    shared.of(wide)
    assert set(shared.tensors) == keys
    for name, piece in shared.of(narrow).items():
        assert torch.equal(piece, before[name])
    assert torch.equal(shared.of(wide)["layer.weight"][:4], before["layer.weight"])
    shared.of(other)
    assert len(shared.tensors) == len(keys) + 3  # kernel, scale and shift; the classifier reads the same


@settings(max_examples=25, deadline=None)
@given(st.permutations([4, 8, 12, 16]), st.integers(0, 100))
def test_growing_keeps_what_was_learned_and_its_momentum(order, seed):
    shared = SharedWeights(seed, CPU)
    for filters in order:
        network = conv_net(filters).train()
        before = {key: tensor.detach().clone() for key, tensor in shared.tensors.items()}
        kept = {key: tensor.clone() for key, tensor in shared.momentum.items()}
        shared.of(network)
        for held, now in ((before, shared.tensors), (kept, shared.momentum)):
            for key, tensor in held.items():
                assert torch.equal(now[key].detach()[tuple(slice(size) for size in tensor.shape)], tensor)
        shared.outputs(network, inputs_of(IMAGES)).square().sum().backward()
        shared.descend(network, rate=0.01, decay=0.0, clip=5.0)
    assert shared.tensors["layer | conv 3 1 1 groups norm | layer.weight"].shape == (16, 1, 3, 3)


def test_queries_keys_and_values_of_a_narrow_attention_are_cut_from_those_of_a_wide_one():
    def attention(width):
        sketch = Sketch(TEXT)
        at = sketch.attention("look", sketch.embed("tokens", "input", width=width), heads=2)
        return build(sketch.classify(sketch.global_pool("pool", at)), 1)

    shared = SharedWeights(1, CPU)
    wide, narrow = attention(8), attention(4)
    whole = shared.of(wide)["look.project.weight"].unflatten(0, (3, 8))
    part = shared.of(narrow)["look.project.weight"].unflatten(0, (3, 4))
    assert torch.equal(part, whole[:, :4, :4])


def test_of_a_flattened_image_the_channels_are_cut_and_another_size_is_another_layer():
    def flat(filters, pooled):
        sketch = Sketch(IMAGES)
        at = sketch.conv("layer", "input", filters=filters, kernel=3)
        at = sketch.pool("small", at, how="max", size=2) if pooled else at
        return build(sketch.classify(sketch.flatten("head", at)), 1)

    shared = SharedWeights(1, CPU)
    wide = shared.of(flat(8, pooled=False))["output.weight"].unflatten(1, (8, 64))
    narrow = shared.of(flat(4, pooled=False))["output.weight"].unflatten(1, (4, 64))
    assert torch.equal(narrow, wide[:, :4])
    count = len(shared.tensors)
    shared.of(flat(4, pooled=True))
    assert len(shared.tensors) == count + 2


def test_where_a_layer_begins_does_not_hang_on_the_order_in_which_networks_come():
    one, other = SharedWeights(1, CPU), SharedWeights(1, CPU)
    for shared, order in ((one, (4, 12)), (other, (12, 4))):
        for filters in order:
            shared.of(conv_net(filters))
    two = SharedWeights(1, CPU)
    two.of(conv_net(12))
    assert torch.equal(two.of(conv_net(12))["layer.weight"], other.of(conv_net(12))["layer.weight"])
    assert one.tensors.keys() == other.tensors.keys()

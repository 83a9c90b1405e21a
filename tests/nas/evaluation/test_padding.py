"""What pads a text is not read: not by attention, not by a mean, nor by the files that are exported."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nas.architecture import Architecture
from nas.datasets.words import PAD
from nas.evaluation.export.network_source import network_source
from nas.evaluation.layers import padding_mask
from nas.evaluation.networks import Network
from nas.evaluation.shared.weights import SharedWeights
from nas.spaces.baseline import BASELINE, Baseline
from nas.spaces.graph import Graph, Task
from nas.spaces.transformer import Transformer
from tests.nas.evaluation.graphs import unsettled

SHORT, LONG = Task((6,), 3, vocabulary=20), Task((11,), 3, vocabulary=20)


def transformer(task: Task) -> Graph:
    """Two layers of two heads."""
    return Transformer(task, widths=(8,), heads=(2,), min_layers=2).graph(Architecture("transformer", (0,) * 11))


def averaged(task: Task) -> Graph:
    """The mean of word vectors."""
    return Baseline(task).graph(BASELINE)


DRAWN = {"transformer": transformer, "baseline": averaged}


def texts(length: int) -> Tensor:
    """Texts of four, of six and of no words, filled up."""
    ids = torch.full((3, length), PAD)
    ids[0, :4] = torch.tensor([3, 7, 1, 19])
    ids[1, :6] = torch.tensor([2, 2, 5, 11, 1, 4])
    return ids


def lengthened(network: Network, graph: Graph) -> Network:
    """The same network for longer texts: the places that there were are as before."""
    longer = unsettled(graph, seed=1)
    weights: dict[str, Any] = longer.state_dict()
    for name, value in network.state_dict().items():
        weights[name][: len(value)] = value
    longer.load_state_dict(weights)
    return longer


@pytest.mark.parametrize("kind", DRAWN)
def test_more_padding_behind_a_text_changes_nothing(kind: str) -> None:
    network = unsettled(DRAWN[kind](SHORT))
    longer = lengthened(network, DRAWN[kind](LONG))
    with torch.no_grad():
        found, expected = longer(texts(11)), network(texts(6))
    assert expected.isfinite().all()
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", DRAWN)
def test_the_vector_of_padding_is_read_by_no_text_that_has_words(kind: str) -> None:
    network = unsettled(DRAWN[kind](SHORT))
    (embedded,) = (module for module in network.modules() if isinstance(module, nn.Embedding))
    with torch.no_grad():
        before = network(texts(6))
        embedded.weight[PAD] += 5
        after = network(texts(6))
        embedded.weight[3] += 5
        other = network(texts(6))
    assert torch.equal(after[:2], before[:2])
    assert not torch.allclose(other[0], before[0])


@pytest.mark.parametrize("kind", DRAWN)
def test_a_text_without_words_has_an_answer_and_gradients(kind: str) -> None:
    network = unsettled(DRAWN[kind](SHORT)).train()
    outputs = network(texts(6)[2:].expand(4, -1))
    outputs.square().sum().backward()
    assert outputs.isfinite().all()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in network.parameters())


def test_the_mean_is_that_of_the_words() -> None:
    network = unsettled(averaged(SHORT))
    (pooled,) = (node for node in network.graph.nodes if node.op == "global_pool")
    nodes = network.graph.nodes[: network.graph.nodes.index(pooled) + 1]
    mean = Network(replace(network.graph, nodes=nodes))
    mean.load_state_dict(network.state_dict(), strict=False)
    words: Any = mean.words
    with torch.no_grad():
        tokens, found = words(texts(6)), mean(texts(6))
    assert torch.allclose(found[0], tokens[0, :4].mean(0), atol=1e-6)
    assert torch.allclose(found[1], tokens[1].mean(0), atol=1e-6)


def test_a_text_of_one_place_is_always_a_word() -> None:
    assert padding_mask(torch.tensor([[PAD], [4]])).tolist() == [[True], [True]]


def test_shared_weights_read_no_padding_either() -> None:
    network = unsettled(transformer(SHORT))
    shared = SharedWeights(0, torch.device("cpu"))
    ids = texts(6)
    with torch.no_grad():
        before = shared.outputs(network, ids)
        (key,) = (key for key in shared.tensors if "tokens.weight" in key)
        shared.tensors[key][PAD] += 5
        assert torch.equal(shared.outputs(network, ids)[:2], before[:2])


def test_the_source_of_an_image_knows_no_mask() -> None:
    task = Task((1, 4, 4), 2)
    graph = Transformer(task, widths=(8,), heads=(2,), patches=(2,)).graph(Architecture("transformer", (0,) * 12))
    assert "padding_mask" not in network_source(graph)
    assert "padding_mask" in network_source(transformer(SHORT))

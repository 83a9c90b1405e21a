"""Zero-cost proxies: each against its formula by another way, what they refuse, and that they leave no trace."""

from math import log, log10
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nas.architecture import Architecture
from nas.evaluation.networks import Network, build
from nas.evaluation.proxies.catalogue import PROXIES
from nas.evaluation.proxies.probe import Probe, measure
from nas.proxies import ABOUT, METRICS
from nas.sentences import Refused
from nas.spaces.graph import Graph, Task
from nas.spaces.nasbench201 import NasBench201
from nas.spaces.sketch import Sketch

IMAGES, VECTORS = Task((3, 8, 8), 4), Task((5,), 4)
CELLS = NasBench201(IMAGES, cells=1, channels=4)


def probe_of(graph: Graph, count: int = 8, seed: int = 0) -> Probe:
    draw = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, *graph.task.input_shape, generator=draw)
    return Probe(build(graph, seed), inputs, torch.arange(count) % graph.task.classes)


def double(probe: Probe) -> Probe:
    return Probe(probe.network.double(), probe.inputs.double(), probe.labels)


def dense(*layers: dict[str, Any]) -> Graph:
    sketch, at = Sketch(VECTORS), "input"
    for number, options in enumerate(layers):
        at = sketch.dense(f"layer{number}", at, **options)
    return sketch.classify(at)


def convolutions(*, norm: bool, activation: str = "silu", filters: int = 6) -> Graph:
    sketch, at = Sketch(IMAGES), "input"
    for number in range(3):
        at = sketch.conv(f"layer{number}", at, filters=filters, kernel=3, norm=norm, activation=activation)
    return sketch.classify(sketch.global_pool("head", at))


def cell(*choices: int) -> Graph:
    return CELLS.graph(Architecture("nasbench201", choices))


def matrices(network: Network) -> list[np.ndarray]:
    return [parameter.detach().double().numpy() for parameter in network.parameters() if parameter.ndim > 1]


def softmax_errors(probe: Probe) -> tuple[Tensor, Tensor]:
    """The logits of a linear classifier, and the gradient of its mean loss by them."""
    logits = probe.network(probe.inputs).detach()
    truth = torch.nn.functional.one_hot(probe.labels, logits.shape[1])
    return logits, (logits.softmax(1) - truth) / len(logits)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "relu6", "tanh", "none"])
def test_synflow_is_what_flows_along_all_paths_times_the_number_of_layers(norm, activation):
    """Every layer is linear in its weights, so each adds R itself: equations 1 and 2 of Tanaka et al."""
    probe = probe_of(dense({"units": 7, "norm": norm, "activation": activation}, {"units": 60, "norm": norm}))
    flow = np.ones(5)
    for matrix in matrices(probe.network):
        flow = np.abs(matrix) @ flow
    assert measure("synflow", probe) == pytest.approx(log10(3 * flow.sum()))


def test_naswot_is_the_determinant_of_the_agreements_of_all_pairs():
    probe = probe_of(dense({"units": 20}, {"units": 12, "activation": "relu6"}, {"units": 9, "activation": "tanh"}))
    first, second, *_ = matrices(probe.network)
    one = np.maximum(probe.inputs.double().numpy() @ first.T, 0)
    codes = np.hstack([one > 0, one @ second.T > 0])
    kernel = [[32 - sum(a != b for a, b in zip(left, right, strict=True)) for right in codes] for left in codes]
    assert measure("naswot", probe) == pytest.approx(np.linalg.slogdet(np.array(kernel, float))[1])


def test_jacob_cov_of_a_linear_network_has_one_eigenvalue():
    probe = double(probe_of(dense({"units": 6, "activation": "none"})))
    k, count = 1e-5, len(probe.inputs)
    vanished = (count - 1) * (log(k) + 1 / k)
    assert measure("jacob_cov", probe) == pytest.approx(-(log(count + k) + 1 / (count + k) + vanished))


def test_jacob_cov_is_higher_where_inputs_differ_in_their_jacobians():
    straight, bent = ("none", "relu")
    scores = [measure("jacob_cov", probe_of(convolutions(norm=False, activation=one))) for one in (straight, bent)]
    assert scores[1] > scores[0]


def test_snip_and_gradient_norm_of_a_linear_classifier():
    probe = probe_of(Sketch(VECTORS).classify("input"))
    _, errors = softmax_errors(probe)
    gradient = (errors.T @ probe.inputs).double().numpy()
    (weight,) = matrices(probe.network)
    assert measure("snip", probe) == pytest.approx(np.abs(weight * gradient).sum(), rel=1e-5)
    assert measure("grad_norm", probe) == pytest.approx(np.sqrt((gradient**2).sum()), rel=1e-5)


def test_gradient_norm_sums_the_norms_of_the_layers():
    probe = probe_of(cell(3, 2, 1, 4, 3, 2))
    network = build(probe.network.graph).train()
    probe.loss(network(probe.inputs), probe.labels).backward()
    norms = [float(one.grad.norm()) for one in network.parameters() if one.ndim > 1 and one.grad is not None]
    assert measure("grad_norm", probe) == pytest.approx(sum(norms), rel=1e-5)


def test_grasp_agrees_with_differences_of_the_gradient():
    probe = double(probe_of(convolutions(norm=True)))
    weights = [one for one in probe.network.parameters() if one.ndim > 1]

    def gradients() -> list[Tensor]:
        loss = probe.loss(probe.network.train()(probe.inputs), probe.labels)
        return list(torch.autograd.grad(loss, weights))

    direction, found, step = gradients(), [], 1e-5
    for sign in (1, -2):
        for weight, along in zip(weights, direction, strict=True):
            weight.data += sign * step * along
        found.append(gradients())
    for weight, along in zip(weights, direction, strict=True):
        weight.data += step * along
    expected = sum(
        -float((weight.detach() * (ahead - behind)).sum()) / (2 * step)
        for weight, ahead, behind in zip(weights, *found, strict=True)
    )
    assert measure("grasp", probe) == pytest.approx(expected, rel=1e-4)


def test_grasp_has_a_second_derivative_of_attention():
    sketch = Sketch(IMAGES)
    tokens = sketch.attention("mix", sketch.patches("cut", "input", size=4, width=8), heads=2)
    probe = probe_of(sketch.classify(sketch.global_pool("head", tokens)))
    assert measure("grasp", probe) != 0


def test_fisher_of_a_linear_classifier():
    probe = probe_of(Sketch(VECTORS).classify("input"))
    logits, errors = softmax_errors(probe)
    assert measure("fisher", probe) == pytest.approx(float((logits * errors).pow(2).mean(0).sum() / 2), rel=1e-5)


def test_fisher_is_the_gradient_of_a_mask_on_each_channel_of_each_input():
    probe = probe_of(cell(3, 2, 1, 4, 3, 2))
    network, masks = build(probe.network.graph).train(), []

    def masked(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        masks.append(torch.ones(*output.shape[:2], *[1] * (output.ndim - 2), requires_grad=True))
        return output * masks[-1]

    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(masked)
    probe.loss(network(probe.inputs), probe.labels).backward()
    expected = sum(float(mask.grad.pow(2).mean(0).sum()) / 2 for mask in masks if mask.grad is not None)
    assert measure("fisher", probe) == pytest.approx(expected, rel=1e-4)


def test_zen_gives_back_the_scale_that_batch_normalisation_took():
    plain, normalised = (measure("zen", probe_of(convolutions(norm=norm, activation="relu"))) for norm in (False, True))
    assert normalised == pytest.approx(plain, abs=0.3)
    assert plain > measure("zen", probe_of(convolutions(norm=False, activation="relu", filters=3))) + 1


def test_zen_needs_neither_the_weights_nor_the_data():
    assert measure("zen", probe_of(cell(3, 2, 1, 4, 3, 2), seed=1)) == measure("zen", probe_of(cell(3, 2, 1, 4, 3, 2)))


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_leaves_no_trace_and_repeats(name):
    probe = probe_of(cell(3, 2, 1, 4, 3, 2))
    before = {key: value.clone() for key, value in probe.network.state_dict().items()}
    inputs, random, mode = probe.inputs.clone(), torch.get_rng_state(), probe.network.eval().training
    first = measure(name, probe)
    assert measure(name, probe) == first
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.equal(probe.inputs, inputs)
    assert not probe.inputs.requires_grad
    assert probe.network.training == mode
    assert all(torch.equal(value, before[key]) for key, value in probe.network.state_dict().items())
    assert all(parameter.grad is None for parameter in probe.network.parameters())
    assert not any(module._forward_hooks for module in probe.network.modules())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("synflow", "Nothing flows from the input"),
        ("naswot", "does not tell all inputs of the batch apart"),
        ("jacob_cov", "do not depend on all inputs"),
        ("zen", "is the same for every input"),
    ],
)
def test_a_network_that_nothing_passes_through_is_refused(name, said):
    with pytest.raises(Refused, match=said):
        measure(name, probe_of(cell(0, 0, 0, 0, 0, 0)))


@pytest.mark.parametrize("name", ["grad_norm", "snip", "grasp", "fisher"])
def test_what_reaches_no_output_counts_nothing(name):
    """Only the classifier's bias has a gradient there."""
    assert measure(name, probe_of(cell(0, 0, 0, 0, 0, 0))) == 0


def test_equal_inputs_are_refused_by_naswot():
    probe = probe_of(cell(3, 2, 1, 4, 3, 2))
    with pytest.raises(Refused, match="does not tell all inputs"):
        measure("naswot", Probe(probe.network, probe.inputs[:1].repeat(4, 1, 1, 1), probe.labels[:4]))


@pytest.mark.parametrize(
    ("name", "said"), [("naswot", "this network has none"), ("zen", "this network has no convolution")]
)
def test_a_kind_of_network_that_a_proxy_cannot_read_is_refused(name, said):
    with pytest.raises(Refused, match=said):
        measure(name, probe_of(dense({"units": 6, "activation": "gelu"})))


def test_attention_is_refused_by_synflow():
    sketch = Sketch(IMAGES)
    tokens = sketch.attention("mix", sketch.patches("cut", "input", size=4, width=8), heads=2)
    with pytest.raises(Refused, match="those of attention differ"):
        measure("synflow", probe_of(sketch.classify(sketch.global_pool("head", tokens))))


@pytest.mark.parametrize("name", ["synflow", "jacob_cov"])
def test_token_ids_are_refused_where_numbers_are_needed(name):
    sketch = Sketch(Task((6,), 2, vocabulary=9))
    graph = sketch.classify(sketch.global_pool("head", sketch.embed("embed", "input", width=4)))
    ids = torch.arange(24).reshape(4, 6) % 9
    with pytest.raises(Refused, match="token ids"):
        measure(name, Probe(build(graph), ids, torch.tensor([0, 1, 0, 1])))


@pytest.mark.parametrize("name", ["snip", "grad_norm", "grasp", "fisher", "jacob_cov"])
def test_what_is_no_number_is_a_sentence(name):
    probe = probe_of(convolutions(norm=False))
    next(probe.network.parameters()).data.fill_(float("nan"))
    with pytest.raises(Refused):
        measure(name, probe)


def test_every_proxy_has_a_title_and_says_what_it_is():
    assert set(PROXIES) == set(METRICS) == set(ABOUT)


def test_the_loss_can_be_another():
    probe = probe_of(convolutions(norm=False))
    tripled = Probe(probe.network, probe.inputs, probe.labels, lambda logits, labels: 3 * cross_entropy(logits, labels))
    assert measure("grad_norm", tripled) == pytest.approx(3 * measure("grad_norm", probe), rel=1e-5)

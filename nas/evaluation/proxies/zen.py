"""Zen-score: Lin et al., "Zen-NAS: a zero-shot NAS for high-performance image recognition", ICCV 2021, algorithm 1."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from nas.evaluation.networks import Network
from nas.evaluation.proxies.probe import Probe
from nas.sentences import Refused
from nas.spaces.graph import Graph

ALPHA = 0.01  # of the noise beside the input, as in the paper's code
INPUTS, REPEATS = 16, 2


def zen(probe: Probe) -> float:
    """Return log E|f(x) - f(x + alpha e)| plus the logarithms of the scales that batch normalisation took away.

    f is the network up to the last image before the classifier; its weights, x and e are Gaussian. Of a batch
    normalisation the scale is the root of its variance, averaged over the channels. All is drawn from a fixed seed, the
    inputs give the shape alone; the result is the mean of 2 draws with 16 inputs each.
    """
    network = _features(probe.network.graph).to(probe.inputs.device)
    draw = torch.Generator().manual_seed(0)
    return sum(_once(network, probe.inputs, draw) for _ in range(REPEATS)) / REPEATS


def _once(network: Network, inputs: Tensor, draw: torch.Generator) -> float:
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.weight.data.copy_(torch.randn(module.weight.shape, generator=draw))
            if module.bias is not None:
                module.bias.data.zero_()
    shape = (INPUTS, *inputs.shape[1:])
    here, noise = (torch.randn(shape, generator=draw).to(inputs.device) for _ in range(2))
    scales: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _module, read, _output: scales.append(_scale(read[0])))
        for module in network.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    with torch.no_grad():
        before = network(here)
        for hook in hooks:
            hook.remove()
        moved = (before - network(here + ALPHA * noise)).abs().sum((1, 2, 3)).mean()
    if not moved or not all(scales):
        raise Refused("zen cannot rank this network: some layer, or its output, is the same for every input.")
    return float(moved.log() + sum(scale.log() for scale in scales))


def _scale(images: Tensor) -> Tensor:
    """Return the root of the variance over batch and image, averaged over the channels."""
    return images.var((0, 2, 3), correction=0).mean().sqrt()


def _features(graph: Graph) -> Network:
    """Return the network of the graph up to its last image, in training mode."""
    images = [index for index, node in enumerate(graph.nodes) if len(node.shape) == 3]
    if not images or not any(node.op == "conv" for node in graph.nodes):
        raise Refused("zen is defined for convolutional networks, and this network has no convolution.")
    with torch.random.fork_rng(devices=()):
        return Network(replace(graph, nodes=graph.nodes[: images[-1] + 1])).train()

"""Synaptic flow: Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic flow",
NeurIPS 2020, equations 1 and 2; summed over a network by Abdelfattah et al., "Zero-cost proxies for lightweight NAS",
ICLR 2021, section 3.2, who leave batch normalisation out.
"""

from collections.abc import Callable, Mapping
from math import log10
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from nas.evaluation.layers import Attention
from nas.evaluation.networks import ACTIVATIONS, Network
from nas.evaluation.proxies.probe import Probe, weights
from nas.sentences import Refused


def synflow(probe: Probe) -> float:
    """Return log10 of the sum of weight times gradient of R, the sum of the network's outputs for an input of ones.

    All weights are positive, and normalisation and activations are left out, so R counts what flows from input to
    output along all paths. The sum itself runs over tens of orders of magnitude, hence float64 and the logarithm,
    which ranks alike.
    """
    if not probe.inputs.is_floating_point():
        raise Refused("synflow needs an input of ones, which a text's token ids cannot be.")
    if any(isinstance(module, Attention) for module in probe.network.modules()):
        raise Refused(
            "synflow adds up what flows along paths of weights; those of attention differ from input to input."
        )
    network = _without_norms(probe.copy().double())
    for parameter in network.parameters():
        parameter.data.abs_()
    with _Linear():
        flow = network(torch.ones_like(probe.inputs[:1], dtype=torch.float64)).sum()
    through = weights(network)
    gradients = torch.autograd.grad(flow, through, materialize_grads=True)
    total = sum((weight * gradient).sum().item() for weight, gradient in zip(through, gradients, strict=True))
    if total == 0:
        raise Refused("Nothing flows from the input of this network to its output, so synflow cannot rank it.")
    return log10(total)


def _without_norms(network: Network) -> Network:
    for name, module in network.named_children():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)):
            setattr(network, name, nn.Identity())
    return network


class _Linear(TorchFunctionMode):
    """Passes on what comes to an activation: ReLU does so where all is positive, and ReLU6 or tanh would saturate."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return args[0] if function in ACTIVATIONS.values() else function(*args, **(kwargs or {}))

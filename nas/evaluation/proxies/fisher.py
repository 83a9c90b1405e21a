"""Fisher: Turner et al., "BlockSwap: Fisher-guided block substitution for network compression on a budget", ICLR 2020,
section 3, after Theis et al. (2018); summed over a network by Abdelfattah et al., ICLR 2021, section 3.2.
"""

import torch
from torch import Tensor, nn

from nas.evaluation.proxies.probe import Probe


def fisher(probe: Probe) -> float:
    """Return the sum over the channels of all convolutions and linear layers of what the loss hangs on each.

    With a channel's outputs a and their gradients g, that is 1/2 of the mean, over the inputs, of (sum of a g)^2, the
    sum over the image or the tokens.
    """
    outputs: list[Tensor] = []
    network = probe.copy()
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    loss = probe.loss(network(probe.inputs), probe.labels)
    gradients = torch.autograd.grad(loss, outputs, materialize_grads=True)
    return sum(_saliency(output, gradient) for output, gradient in zip(outputs, gradients, strict=True))


def _saliency(output: Tensor, gradient: Tensor) -> float:
    """Return the sum over the channels: the second dimension of images, the last of tokens and vectors."""
    product = output * gradient
    places = (2, 3) if product.ndim == 4 else tuple(range(1, product.ndim - 1))
    by_channel = product.sum(places) if places else product
    return by_channel.pow(2).mean(0).sum().item() / 2

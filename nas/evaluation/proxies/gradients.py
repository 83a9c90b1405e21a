"""What the gradients of one batch say: gradient norm, SNIP and GraSP, each summed over the weights of a network.

All three as in Abdelfattah et al., "Zero-cost proxies for lightweight NAS", ICLR 2021, section 3.2.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from nas.evaluation.proxies.probe import Probe, weights


def grad_norm(probe: Probe) -> float:
    """Return the sum over the layers of the Euclidean norm of the gradient of the loss by the layer's weights."""
    _, gradients = _gradients(probe)
    return sum(float(gradient.norm()) for gradient in gradients)


def snip(probe: Probe) -> float:
    """Return the sum of |weight x gradient|: what the loss would change by, to first order, without each weight.

    Lee et al., "SNIP: single-shot network pruning based on connection sensitivity", ICLR 2019, equation 4.
    """
    through, gradients = _gradients(probe)
    return sum((weight * gradient).abs().sum().item() for weight, gradient in zip(through, gradients, strict=True))


def grasp(probe: Probe) -> float:
    """Return the sum of -weight x (H g): what the length of the gradient g would change by without each weight.

    Wang et al., "Picking winning tickets before training by preserving gradient flow", ICLR 2020, section 4. The
    product with the Hessian H is the gradient of g . g', with g' held constant.
    """
    # The fused kernels of attention have no second derivative.
    with sdpa_kernel(SDPBackend.MATH):
        through, gradients = _gradients(probe, twice=True)
        flow = torch.stack([(gradient * gradient.detach()).sum() for gradient in gradients]).sum()
        products = torch.autograd.grad(flow, through, materialize_grads=True)
    return -sum((weight * product).sum().item() for weight, product in zip(through, products, strict=True))


def _gradients(probe: Probe, *, twice: bool = False) -> tuple[list[Tensor], Sequence[Tensor]]:
    """Return the weights of a copy and the gradients of the loss by them, 0 for those that reach no output."""
    network = probe.copy()
    through = weights(network)
    loss = probe.loss(network(probe.inputs), probe.labels)
    return through, torch.autograd.grad(loss, through, create_graph=twice, materialize_grads=True)

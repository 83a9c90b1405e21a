"""Jacobian covariance: Mellor et al., "Neural architecture search without training", the first version of 2020
(arXiv 2006.04647v1), section 3; a proxy of Abdelfattah et al., ICLR 2021, under this name.
"""

import torch

from nas.evaluation.proxies.probe import Probe
from nas.sentences import Refused

K = 1e-5  # keeps the logarithm and the quotient of an eigenvalue of zero finite


def jacob_cov(probe: Probe) -> float:
    """Return -sum(log(s + k) + 1 / (s + k)) over the eigenvalues s of the correlations between the inputs' Jacobians.

    The Jacobian of an input is the gradient of its summed outputs; where those of all inputs are alike, one eigenvalue
    is large and the others vanish, and the score is low.
    """
    if not probe.inputs.is_floating_point():
        raise Refused("jacob_cov needs gradients of the inputs, which a text's token ids do not have.")
    inputs = probe.inputs.detach().clone().requires_grad_()
    (jacobians,) = torch.autograd.grad(probe.copy()(inputs).sum(), inputs, materialize_grads=True)
    rows = jacobians.flatten(1).double()
    if not bool((rows.std(1) > 0).all()):
        raise Refused("jacob_cov cannot rank this network: its outputs do not depend on all inputs of the batch.")
    eigenvalues = torch.linalg.eigvalsh(torch.corrcoef(rows)).clamp(min=0) + K
    return -float((eigenvalues.log() + 1 / eigenvalues).sum())

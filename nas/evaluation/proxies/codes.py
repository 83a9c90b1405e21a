"""NASWOT: Mellor et al., "Neural architecture search without training", ICML 2021, equations 1 and 2."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from nas.evaluation.proxies.probe import Probe
from nas.sentences import Refused

RECTIFIERS = (functional.relu, functional.relu6)


def naswot(probe: Probe) -> float:
    """Return log |K_H|: the log-determinant of the kernel that counts in how many ReLUs two inputs agree.

    A ReLU is on or off for an input; all of them are its code c. K_H[i, j] = N_A - d_H(c_i, c_j), with the N_A ReLUs
    of the network and the Hamming distance d_H. Inputs that all share one code make the kernel singular.
    """
    network = probe.copy()
    with torch.no_grad(), _Codes() as codes:
        network(probe.inputs)
    if codes.kernel is None:
        raise Refused("naswot reads the on and off of ReLUs, and this network has none.")
    sign, logarithm = torch.linalg.slogdet(codes.kernel)
    if sign <= 0 or torch.linalg.matrix_rank(codes.kernel, hermitian=True) < len(codes.kernel):
        raise Refused("naswot cannot rank this network: it does not tell all inputs of the batch apart.")
    return float(logarithm)


class _Codes(TorchFunctionMode):
    """Adds up the kernel from every ReLU that is computed inside the block, whoever calls it."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel: Tensor | None = None

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if function in RECTIFIERS:
            # With +1 for on and -1 for off, a product counts agreements less differences, exactly up to 2^24 units.
            signs = (result > 0).flatten(1).float().mul_(2).sub_(1)
            agree = (signs @ signs.T + signs.shape[1]).double() / 2
            self.kernel = agree if self.kernel is None else self.kernel + agree
        return result

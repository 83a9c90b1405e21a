"""What a network really does, found by computing it: the oracle of shapes and costs."""

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

Shape = tuple[int, ...]


def parameters(network: nn.Module) -> int:
    """The trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def multiply_adds(network: nn.Module, inputs: Tensor) -> int:
    """The multiply-adds of convolutions, matrix products and attention for one input, as torch counts them."""
    # The fused kernel of attention hides its products from the counter.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        network.eval()(inputs[:1])
    return counter.get_total_flops() // 2

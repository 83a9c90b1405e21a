"""Networks of torchvision, without their trained weights, for images of any size and number of channels."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nas.evaluation.vision import torchvision
from nas.reference import NETWORKS
from nas.sentences import Refused
from nas.spaces.graph import Graph, Node, Task

SMALL = 64  # pixels: below, the first layers keep the size, as is usual for CIFAR


@dataclass(frozen=True)
class Counted(Graph):
    """A network of which only its sizes are known."""

    sizes: tuple[int, int] = (0, 0)

    @property
    def parameters(self) -> int:
        """Trainable parameters, as torch counts them."""
        return self.sizes[0]

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one input, as torch counts them."""
        return self.sizes[1]

    @property
    def costs(self) -> dict[str, float]:
        """Both; the depth is not known."""
        return {"parameters": self.parameters, "multiply_adds": self.multiply_adds}


class Foreign(nn.Module):
    """Looks like a network of ours to what trains and measures it."""

    def __init__(self, inner: nn.Module, task: Task) -> None:
        super().__init__()
        self.inner = inner
        trainable = sum(parameter.numel() for parameter in inner.parameters() if parameter.requires_grad)
        nodes = (Node("input", "input", (), task.input_shape), Node("network", "classifier", ("input",), (1,)))
        self.graph = Counted(task, nodes, (trainable, _multiply_adds(inner, task)))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (batch, classes)."""
        logits: Tensor = self.inner(images)
        return logits


def build(name: str, task: Task, seed: int = 0) -> Foreign:
    """Return the network with weights drawn from `seed` alone; raises Refused for a name that is not offered."""
    if name not in NETWORKS or task.kind != "image":
        raise Refused("There is no baseline {name} for {kind} data.", name=name, kind=task.kind)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        inner = getattr(torchvision("torchvision.models"), name)(weights=None, num_classes=task.classes)
        _fit(inner, task)
    return Foreign(inner, task)


def _fit(inner: nn.Module, task: Task) -> None:
    """Let the first convolution read the task's channels; of small images it keeps the size, without a pooling."""
    channels, *sides = task.input_shape
    small = min(sides) < SMALL
    path, first = next((name, module) for name, module in inner.named_modules() if isinstance(module, nn.Conv2d))
    kernel = (3, 3) if small else cast(tuple[int, int], first.kernel_size)
    padding = (1, 1) if small else cast(tuple[int, int], first.padding)
    stride = (1, 1) if small else cast(tuple[int, int], first.stride)
    fitted = nn.Conv2d(
        channels,
        first.out_channels,
        kernel,
        stride,
        padding,
        bias=first.bias is not None,
    )
    nn.init.kaiming_normal_(fitted.weight, mode="fan_out", nonlinearity="relu")
    _put(inner, path, fitted)
    if small:
        # What halves a photograph after the first convolution would leave nothing of these.
        pools = [name for name, module in inner.named_modules() if isinstance(module, nn.MaxPool2d)]
        for name in pools[:1]:
            _put(inner, name, nn.Identity())


def _put(inner: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(inner.get_submodule(parent), name, module)


def _multiply_adds(inner: nn.Module, task: Task) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        inner.eval()(torch.zeros(1, *task.input_shape))
    return int(counter.get_total_flops()) // 2

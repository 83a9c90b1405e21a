"""The two networks of the trainer's benchmark, as a graph of ours and as one would write them by hand."""

import torch
from torch import Tensor, nn, optim
from torch.nn import functional

from nas.architecture import Architecture
from nas.evaluation.datasets import Part
from nas.evaluation.devices import has_bf16
from nas.spaces.graph import Graph, Task
from nas.spaces.resnet import ResNet
from nas.spaces.sketch import Sketch

TASK = Task((1, 28, 28), 10)
BATCH = 128


def cnn() -> Graph:
    """Draw three convolutions with poolings, 94,186 parameters."""
    sketch = Sketch(TASK)
    at = sketch.pool("pool1", sketch.conv("conv1", "input", filters=32, kernel=3), how="max", size=2)
    at = sketch.pool("pool2", sketch.conv("conv2", at, filters=64, kernel=3), how="max", size=2)
    return sketch.classify(sketch.global_pool("head", sketch.conv("conv3", at, filters=128, kernel=3)))


def resnet20() -> Graph:
    """Draw three stages of three basic blocks, 272,186 parameters: He et al. (2016), section 4.2, with projections."""
    space = ResNet(TASK, min_stages=3, stems=(16,), depths=(3,), factors=(1.0, 2.0), blocks=("basic",))
    return space.graph(Architecture("resnet", (0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1)))


def bare_cnn() -> nn.Module:
    """Return the first network, by hand."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 128, 3, padding=1, bias=False), nn.BatchNorm2d(128), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)),
    )


class Block(nn.Module):
    """A basic block."""

    def __init__(self, read: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(read, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        around = nn.Sequential(nn.Conv2d(read, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.around = around if read != width or stride > 1 else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Return the block's output."""
        inner = functional.relu(self.norm1(self.conv1(images)))
        return functional.relu(self.norm2(self.conv2(inner)) + self.around(images))


def bare_resnet20() -> nn.Module:
    """Return the second network, by hand."""
    stem = (nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
    widths = ((16, 16, 1), (16, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 32, 1), (32, 64, 2))
    blocks = [Block(*of) for of in (*widths, (64, 64, 1), (64, 64, 1))]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def bare_epoch(network: nn.Module, part: Part) -> None:
    """Train an epoch of the fastest bare loop: data in memory, batched changes, channels last, bfloat16 where it pays.

    It clips no gradient, draws no order from a seed, watches no loss and writes no checkpoint.
    """
    options = {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4, "fused": True}
    optimizer = optim.SGD(network.parameters(), 0.01, **options)
    crops = functional.pad(part.inputs, (3,) * 4).unfold(2, 28, 1).unfold(3, 28, 1)
    for index in torch.randperm(len(part)).split(BATCH):
        down, right = torch.randint(0, 7, (2, len(index)))
        pixels = crops[index, :, down, right]
        pixels = torch.where(torch.rand(len(index), 1, 1, 1) < 0.5, pixels.flip(-1), pixels)
        images = pixels.float().sub_(127).mul_(1 / 90).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16("cpu")):
            loss = functional.cross_entropy(network(images).float(), part.labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

"""A space of one network: the convolutional net that an engineer would write by hand, to compare winners with."""

from dataclasses import dataclass

from nas.architecture import Architecture
from nas.spaces.graph import Graph, Sketch, Task
from nas.spaces.protocol import Decision


@dataclass(frozen=True)
class Baseline:
    """Two convolutions with poolings and a hidden layer, as in LeNet and every framework's first tutorial."""

    task: Task

    name = "baseline"
    decisions: tuple[Decision, ...] = ()

    def canonical(self, architecture: Architecture) -> Architecture:
        """There is only one."""
        return Architecture(self.name, ())

    def complaint(self, architecture: Architecture) -> str:
        """It is always allowed."""
        return ""

    def graph(self, architecture: Architecture) -> Graph:
        """Convolution 32, pool, convolution 64, pool, dense 64, classifier; ReLU, no normalisation."""
        sketch = Sketch(self.task)
        at = sketch.conv("conv1", "input", filters=32, kernel=3, norm=False, group="block 1")
        at = sketch.pool("pool1", at, how="max", size=2, group="block 1")
        at = sketch.conv("conv2", at, filters=64, kernel=3, norm=False, group="block 2")
        at = sketch.pool("pool2", at, how="max", size=2, group="block 2")
        at = sketch.dense("dense", sketch.flatten("flatten", at), units=64, group="head")
        return sketch.classify(at)


BASELINE = Architecture(Baseline.name, ())

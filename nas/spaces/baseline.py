"""A space of one network: the convolutional net that an engineer would write by hand, to compare winners with."""

from dataclasses import dataclass

from nas.architecture import Architecture, Decision
from nas.sentences import Sentence
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch


@dataclass(frozen=True)
class Baseline:
    """Two convolutions with poolings and a hidden layer, as in LeNet and every framework's first tutorial."""

    task: Task

    name = "baseline"

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Nothing is asked."""
        return ()

    def canonical(self, architecture: Architecture) -> Architecture:
        """There is only one."""
        return Architecture(self.name, ())

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """It is always allowed."""
        return None

    def graph(self, architecture: Architecture) -> Graph:
        """Convolution 32, pool, convolution 64, pool, dense 64, classifier; ReLU, no normalisation."""
        sketch = Sketch(self.task)
        at = "input"
        for number, filters in enumerate((32, 64), start=1):
            group = f"block {number}"
            at = sketch.conv(f"conv{number}", at, filters=filters, kernel=3, norm=False, group=group)
            if min(sketch.shape(at)[1:]) >= 2:  # tiny images cannot be halved twice
                at = sketch.pool(f"pool{number}", at, how="max", size=2, group=group)
        at = sketch.dense("dense", sketch.flatten("flatten", at), units=64, group="head")
        return sketch.classify(at)


BASELINE = Architecture(Baseline.name, ())

"""A space of one network: what an engineer would write by hand for the task, to compare winners with."""

from dataclasses import dataclass

from nas.architecture import Architecture, Decision
from nas.sentences import Sentence
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch


@dataclass(frozen=True)
class Baseline:
    """The network of every framework's first tutorial.

    For images two convolutions with poolings and a hidden layer, as in LeNet; for tables two hidden layers; for texts
    the mean of learned word vectors and a hidden layer (Iyyer et al., 2015).
    """

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
        """Draw it; ReLU, no normalisation."""
        sketch = Sketch(self.task)
        if self.task.kind == "image":
            return sketch.classify(self._of_image(sketch))
        if self.task.kind == "text":
            mean = sketch.global_pool("mean", sketch.embed("words", "input", width=64))
            return sketch.classify(sketch.dense("dense", mean, units=64))
        first = sketch.dense("dense1", "input", units=64)
        return sketch.classify(sketch.dense("dense2", first, units=64))

    def _of_image(self, sketch: Sketch) -> str:
        at = "input"
        for number, filters in enumerate((32, 64), start=1):
            group = f"block {number}"
            at = sketch.conv(f"conv{number}", at, filters=filters, kernel=3, norm=False, group=group)
            if min(sketch.shape(at)[1:]) >= 2:  # tiny images cannot be halved twice
                at = sketch.pool(f"pool{number}", at, how="max", size=2, group=group)
        return sketch.dense("dense", sketch.flatten("flatten", at), units=64, group="head")


BASELINE = Architecture(Baseline.name, ())

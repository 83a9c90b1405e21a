"""Fully connected networks for tables of features: the multilayer perceptron, with residual layers where they fit."""

from dataclasses import dataclass
from functools import cached_property
from math import prod

from nas.architecture import Architecture, Decision
from nas.sentences import Refused, Sentence
from nas.settings import setting
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch


@dataclass(frozen=True)
class Mlp:
    """Fully connected layers of any widths; images are laid out as vectors first.

    Depth, activation and batch normalisation are the network's, width and skip each layer's (Gorishniy et al., 2021:
    an MLP or a ResNet for tabular data). Canonical form: a skip around a layer that changes the width is none, a
    network of no layers (a linear classifier) has neither activation nor normalisation, and what is not read is 0.
    """

    task: Task
    min_layers: int = setting(1, low=0, high=20, help="Fewest layers of a network, the classifier not counted.")
    max_layers: int = setting(4, low=1, high=20, help="Most layers of a network, the classifier not counted.")
    units: tuple[int, ...] = setting((16, 32, 64, 128), low=1, high=8192, help="Units of a layer.")
    activations: tuple[str, ...] = setting(
        ("relu", "gelu", "silu"),
        options=("relu", "gelu", "silu", "tanh", "hardswish", "relu6"),
        help="Activations of the network.",
    )
    norm: bool = setting(True, help="Let the network choose batch normalisation.")
    skip: bool = setting(True, help="Let each layer that keeps the width choose a skip connection around it.")

    name = "mlp"

    def __post_init__(self) -> None:
        if self.min_layers > self.max_layers:
            raise Refused(
                "min_layers is {low} and max_layers {high}; the first must not be larger.",
                low=self.min_layers,
                high=self.max_layers,
            )

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Depth, activation, normalisation, then units and skip of each layer."""
        depths = tuple(str(depth) for depth in range(self.min_layers, self.max_layers + 1))
        asked = [
            Decision("depth", depths),
            Decision("activation", self.activations),
            Decision("norm", ("no", "yes") if self.norm else ("no",)),
        ]
        for layer in range(1, self.max_layers + 1):
            asked.append(Decision(f"layer {layer} units", tuple(map(str, self.units))))
            asked.append(Decision(f"layer {layer} skip", ("no", "yes") if self.skip else ("no",)))
        return tuple(asked)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Take away skips that cannot add, zero what is not read."""
        depth, activation, norm, *layers = architecture.choices
        width, read = prod(self.task.input_shape), 2 * (self.min_layers + depth)
        for place in range(0, read, 2):
            units = self.units[layers[place]]
            layers[place + 1] = layers[place + 1] if units == width else 0
            width = units
        unread = [0] * (len(layers) - read)
        head = (depth, activation, norm) if read else (depth, 0, 0)
        return Architecture(self.name, (*head, *layers[:read], *unread))

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Every canonical architecture is a network."""
        return None

    def graph(self, architecture: Architecture) -> Graph:
        """Draw the layers in order; a skip adds a layer's input to its output."""
        depth, activation, norm, *layers = architecture.choices
        sketch, at = Sketch(self.task), "input"
        if len(self.task.input_shape) > 1:
            at = sketch.flatten("flatten", at)
        for layer in range(1, self.min_layers + depth + 1):
            units, skip = layers[2 * layer - 2 : 2 * layer]
            source, group = at, f"layer {layer}"
            at = sketch.dense(
                f"layer{layer}",
                source,
                units=self.units[units],
                norm=bool(norm),
                activation=self.activations[activation],
                group=group,
            )
            if skip:
                at = sketch.add(f"layer{layer}.add", (at, source), group=group)
        return sketch.classify(at)

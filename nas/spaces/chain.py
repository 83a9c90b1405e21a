"""The classic space: a sequence of convolution, pooling and fully connected layers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast

from nas.architecture import Architecture, Decision
from nas.sentences import Refused, Sentence
from nas.settings import setting
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch


@dataclass(frozen=True)
class Layer:
    """One layer as the choices spell it; `kind` is "conv", "max", "average" or "dense"."""

    kind: str
    size: int = 0
    filters: int = 0
    units: int = 0
    activation: str = "none"
    norm: bool = False
    skip: bool = False


@dataclass(frozen=True)
class Chain:
    """Layers one after another, each with its own operation, width, activation, normalisation and skip.

    Canonical form: fully connected layers come last; a pooling before any convolution, or one that would shrink the
    image below `smallest`, is a convolution; without a convolution the image is flattened; and every choice that the
    network does not read is 0. So each network has one spelling and every spelling a network.
    """

    task: Task
    min_layers: int = setting(3, low=1, high=20, help="Fewest layers of a network, the classifier not counted.")
    max_layers: int = setting(6, low=1, high=20, help="Most layers of a network, the classifier not counted.")
    kernels: tuple[int, ...] = setting((3, 5), options=(1, 3, 5, 7), help="Kernel sizes of convolutions.")
    filters: tuple[int, ...] = setting((16, 32, 64), low=1, high=1024, help="Filters of convolutions.")
    pools: tuple[str, ...] = setting(
        ("max 2", "average 2"),
        options=("max 2", "max 3", "average 2", "average 3"),
        help="Poolings, of stride 2, by kind and size.",
    )
    smallest: int = setting(4, low=1, high=512, unit="pixels", help="Side below which no pooling shrinks an image.")
    units: tuple[int, ...] = setting((32, 64, 128), low=1, high=4096, help="Units of fully connected layers.")
    activations: tuple[str, ...] = setting(
        ("relu", "silu"), options=("relu", "silu", "tanh"), help="Activations after a layer."
    )
    norm: bool = setting(True, help="Let each layer choose batch normalisation.")
    skip: bool = setting(True, help="Let each convolution choose a skip connection around it.")

    name = "chain"

    def __post_init__(self) -> None:
        if self.min_layers > self.max_layers:
            raise Refused(
                "min_layers is {low} and max_layers {high}; the first must not be larger.",
                low=self.min_layers,
                high=self.max_layers,
            )

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Depth, the head, then six questions per layer."""
        depths = tuple(str(depth) for depth in range(self.min_layers, self.max_layers + 1))
        asked = [Decision("depth", depths), Decision("head", ("global pool", "flatten"))]
        yes_no = ("no", "yes")
        for layer in range(1, self.max_layers + 1):
            asked += [
                Decision(f"layer {layer} operation", self._operations),
                Decision(f"layer {layer} filters", tuple(map(str, self.filters))),
                Decision(f"layer {layer} units", tuple(map(str, self.units))),
                Decision(f"layer {layer} activation", self.activations),
                Decision(f"layer {layer} norm", yes_no if self.norm else ("no",)),
                Decision(f"layer {layer} skip", yes_no if self.skip else ("no",)),
            ]
        return tuple(asked)

    @cached_property
    def _operations(self) -> tuple[str, ...]:
        return (*(f"conv {kernel}" for kernel in self.kernels), *self.pools, "dense")

    def canonical(self, architecture: Architecture) -> Architecture:
        """Move fully connected layers to the end, replace poolings that do not fit, zero what is not read."""
        layers = self._layers(architecture)
        head = [layer for layer in layers if layer.kind == "dense"]
        body: list[Layer] = []
        side = min(self.task.input_shape[1:])
        for layer in layers:
            if layer.kind in ("max", "average"):
                pooled = side // 2 if layer.size == 2 else -(-side // 2)
                fits = body and side >= 2 and pooled >= self.smallest
                side = pooled if fits else side
                body.append(layer if fits else self._as_conv(layer))
            elif layer.kind == "conv":
                body.append(layer)
        # Pooled over the whole image, raw pixels would be one number per channel.
        return Architecture(self.name, self._spell(body + head, architecture.choices[1] if body else 1))

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Every canonical architecture of a chain is a network."""
        return None

    def graph(self, architecture: Architecture) -> Graph:
        """Draw the layers in order; a skip is the identity, or a 1 x 1 convolution where the channels differ."""
        sketch = Sketch(self.task)
        at, flat = "input", False
        layers = self._layers(architecture)
        for index, layer in enumerate(layers, start=1):
            id, group = f"layer{index}", f"layer {index}"
            if layer.kind == "dense":
                if not flat:
                    at, flat = self._head(sketch, at, architecture), True
                at = sketch.dense(id, at, units=layer.units, norm=layer.norm, activation=layer.activation, group=group)
            elif layer.kind == "conv":
                at = self._conv(sketch, id, at, layer, group)
            else:
                how = cast(Literal["max", "average"], layer.kind)
                at = sketch.pool(id, at, how=how, size=layer.size, group=group)
        return sketch.classify(at if flat else self._head(sketch, at, architecture))

    def _conv(self, sketch: Sketch, id: str, source: str, layer: Layer, group: str) -> str:
        out = sketch.conv(
            id,
            source,
            filters=layer.filters,
            kernel=layer.size,
            norm=layer.norm,
            activation=layer.activation,
            group=group,
        )
        if not layer.skip:
            return out
        around = source
        if sketch.shape(source)[0] != layer.filters:
            around = sketch.conv(
                f"{id}.project",
                source,
                filters=layer.filters,
                kernel=1,
                norm=layer.norm,
                activation="none",
                group=group,
            )
        return sketch.add(f"{id}.add", (out, around), group=group)

    def _head(self, sketch: Sketch, source: str, architecture: Architecture) -> str:
        if architecture.choices[1] == 0:
            return sketch.global_pool("head", source)
        return sketch.flatten("head", source)

    def _layers(self, architecture: Architecture) -> list[Layer]:
        depth = self.min_layers + architecture.choices[0]
        return [self._layer(architecture.choices[2 + 6 * index : 8 + 6 * index]) for index in range(depth)]

    def _layer(self, choices: tuple[int, ...]) -> Layer:
        operation, filters, units, activation, norm, skip = choices
        kind, _, size = self._operations[operation].partition(" ")
        if kind == "dense":
            return Layer(kind, 0, 0, self.units[units], self.activations[activation], bool(norm))
        if kind == "conv":
            return Layer(
                kind, int(size), self.filters[filters], 0, self.activations[activation], bool(norm), bool(skip)
            )
        # A pooling keeps its filters' choice only until `_spell`: should it not fit, the convolution needs one.
        return Layer(kind, int(size), self.filters[filters], 0, self.activations[activation], bool(norm), bool(skip))

    def _as_conv(self, layer: Layer) -> Layer:
        return Layer("conv", self.kernels[0], layer.filters, 0, layer.activation, layer.norm, layer.skip)

    def _spell(self, layers: list[Layer], head: int) -> tuple[int, ...]:
        choices = [len(layers) - self.min_layers, head]
        for layer in layers:
            choices += self._spell_layer(layer)
        return tuple(choices + [0] * (2 + 6 * self.max_layers - len(choices)))

    def _spell_layer(self, layer: Layer) -> list[int]:
        if layer.kind in ("max", "average"):
            return [self._operations.index(f"{layer.kind} {layer.size}"), 0, 0, 0, 0, 0]
        operation = "dense" if layer.kind == "dense" else f"conv {layer.size}"
        conv = layer.kind == "conv"
        return [
            self._operations.index(operation),
            self.filters.index(layer.filters) if conv else 0,
            0 if conv else self.units.index(layer.units),
            self.activations.index(layer.activation),
            int(layer.norm),
            int(layer.skip),
        ]

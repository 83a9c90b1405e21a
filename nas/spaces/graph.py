"""A network as a graph of operations: shapes, parameters and multiply-adds without torch.

One graph is the source for the picture, the cost preview, the constraints, the torch module and the exported source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal

from nas.sentences import Refused

Shape = tuple[int, ...]
Options = Mapping[str, int | str | bool]
Op = Literal["input", "conv", "pool", "global_pool", "flatten", "dense", "add", "classifier"]
Kind = Literal["io", "conv", "pool", "linear", "merge", "skip"]

KINDS: dict[str, Kind] = {
    "input": "io",
    "conv": "conv",
    "pool": "pool",
    "global_pool": "pool",
    "flatten": "skip",
    "dense": "linear",
    "add": "merge",
    "classifier": "io",
}
ACTIVATION_LABELS = {"relu": "ReLU", "silu": "SiLU", "tanh": "tanh", "none": ""}


@dataclass(frozen=True)
class Task:
    """What a network is for: the shape of one input (channels, height, width) and the number of classes."""

    input_shape: tuple[int, int, int]
    classes: int


@dataclass(frozen=True)
class Node:
    """One operation: a stable id from the genotype, what it reads, and its output shape without the batch."""

    id: str
    op: Op
    inputs: tuple[str, ...]
    shape: Shape
    parameters: int = 0
    multiply_adds: int = 0
    options: Options = field(default_factory=dict)
    group: str = ""

    @property
    def kind(self) -> Kind:
        """The family it is drawn as."""
        return KINDS[self.op]

    @property
    def label(self) -> str:
        """What the box says, in the terms of the field."""
        o = self.options
        match self.op:
            case "conv":
                return f"conv {o['kernel']}×{o['kernel']}, {o['filters']}" + (" /2" if o["stride"] == 2 else "")
            case "pool":
                return f"{o['how']} pool {o['size']}×{o['size']}"
            case "dense":
                return f"dense, {o['units']}"
            case "classifier":
                return f"classes, {self.shape[0]}"
            case _:
                return self.op.replace("_", " ")

    @property
    def detail(self) -> str:
        """Normalisation and activation of the box, or nothing."""
        parts = [
            "BN" if self.options.get("norm") else "",
            ACTIVATION_LABELS[str(self.options.get("activation", "none"))],
        ]
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each comes after what it reads; the last one is the classifier."""

    task: Task
    nodes: tuple[Node, ...]

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Pairs (from, to) of node ids."""
        return tuple((source, node.id) for node in self.nodes for source in node.inputs)

    @property
    def parameters(self) -> int:
        """Trainable parameters of the whole network."""
        return sum(node.parameters for node in self.nodes)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of convolutions and linear layers for one input."""
        return sum(node.multiply_adds for node in self.nodes)

    @property
    def costs(self) -> dict[str, float]:
        """The metrics that need no training, by the names of `nas.objectives`."""
        return {"parameters": self.parameters, "multiply_adds": self.multiply_adds}


class Sketch:
    """Draws a graph operation by operation, each method returning the id of the node it added."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._nodes: dict[str, Node] = {}
        self._add(Node("input", "input", (), task.input_shape))

    def shape(self, id: str) -> Shape:
        """Return the output shape of a node already drawn."""
        return self._nodes[id].shape

    def conv(
        self,
        id: str,
        source: str,
        *,
        filters: int,
        kernel: int,
        stride: int = 1,
        norm: bool = True,
        activation: str = "relu",
        group: str = "",
    ) -> str:
        """Add a same-padded convolution with optional batch normalisation and an activation."""
        channels, height, width = self._image(source)
        shape = (filters, -(-height // stride), -(-width // stride))
        weights = kernel * kernel * channels * filters
        options: Options = {
            "filters": filters,
            "kernel": kernel,
            "stride": stride,
            "norm": norm,
            "activation": activation,
        }
        parameters = weights + (2 * filters if norm else filters)
        return self._add(Node(id, "conv", (source,), shape, parameters, weights * shape[1] * shape[2], options, group))

    def pool(self, id: str, source: str, *, how: Literal["max", "average"], size: int, group: str = "") -> str:
        """Add a pooling of stride 2: size 2 without padding, size 3 padded by one; raises Refused below 2 x 2."""
        channels, height, width = self._image(source)
        if min(height, width) < 2:
            raise Refused("{id} cannot pool an image of {height} x {width}.", id=id, height=height, width=width)
        shape = (channels, height // 2, width // 2) if size == 2 else (channels, -(-height // 2), -(-width // 2))
        return self._add(Node(id, "pool", (source,), shape, options={"how": how, "size": size}, group=group))

    def global_pool(self, id: str, source: str) -> str:
        """Average each channel over the image."""
        return self._add(Node(id, "global_pool", (source,), (self._image(source)[0],)))

    def flatten(self, id: str, source: str) -> str:
        """Lay the image out as one vector."""
        return self._add(Node(id, "flatten", (source,), (prod(self.shape(source)),)))

    def dense(
        self, id: str, source: str, *, units: int, norm: bool = False, activation: str = "relu", group: str = ""
    ) -> str:
        """Add a fully connected layer over a vector, with optional batch normalisation and an activation."""
        (features,) = self.shape(source)
        options: Options = {"units": units, "norm": norm, "activation": activation}
        parameters = features * units + (2 * units if norm else units)
        return self._add(Node(id, "dense", (source,), (units,), parameters, features * units, options, group))

    def add(self, id: str, sources: tuple[str, ...], group: str = "") -> str:
        """Add outputs of equal shape."""
        shapes = {self.shape(source) for source in sources}
        if len(shapes) != 1:
            raise Refused("{id} cannot add outputs of different shapes: {shapes}.", id=id, shapes=str(sorted(shapes)))
        return self._add(Node(id, "add", sources, shapes.pop(), group=group))

    def classify(self, source: str) -> Graph:
        """Finish with the linear classifier over a vector and return the graph."""
        (features,) = self.shape(source)
        classes = self.task.classes
        self._add(Node("output", "classifier", (source,), (classes,), (features + 1) * classes, features * classes))
        return Graph(self.task, tuple(self._nodes.values()))

    def _image(self, id: str) -> tuple[int, int, int]:
        channels, height, width = self.shape(id)
        return channels, height, width

    def _add(self, node: Node) -> str:
        if node.id in self._nodes:
            raise Refused("There are two nodes with the id {id}.", id=node.id)
        self._nodes[node.id] = node
        return node.id

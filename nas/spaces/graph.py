"""A network as a graph of operations: shapes, parameters and multiply-adds without torch.

One graph is the source for the picture, the cost preview, the constraints, the torch module and the exported source.
`nas.spaces.sketch` draws one operation by operation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

Shape = tuple[int, ...]
Sides = tuple[int, int]
Options = Mapping[str, int | str | bool | Sides]
Op = Literal[
    "input",
    "conv",
    "pool",
    "factorized_reduce",
    "zero",
    "activation",
    "squeeze_excite",
    "concat",
    "add",
    "global_pool",
    "flatten",
    "dense",
    "embed",
    "patches",
    "attention",
    "choice",
    "output",
    "classifier",
]
Goal = Literal["classes", "number"]
Kind = Literal["io", "conv", "pool", "linear", "attention", "norm", "merge", "skip", "repeat"]

KINDS: dict[str, Kind] = {
    "input": "io",
    "conv": "conv",
    "pool": "pool",
    "factorized_reduce": "conv",
    "zero": "skip",
    "activation": "norm",
    "squeeze_excite": "attention",
    "concat": "merge",
    "add": "merge",
    "global_pool": "pool",
    "flatten": "skip",
    "dense": "linear",
    "embed": "linear",
    "patches": "conv",
    "attention": "attention",
    "classifier": "io",
    "output": "io",
}
# What counts towards the depth; the gate of a squeeze-and-excitation stands beside the path, not in it.
LAYERS = frozenset({"conv", "factorized_reduce", "dense", "embed", "patches", "attention", "classifier"})
ACTIVATION_LABELS = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "silu": "SiLU",
    "hardswish": "hard-swish",
    "gelu": "GELU",
    "tanh": "tanh",
    "none": "",
}


@dataclass(frozen=True)
class Task:
    """What a network is for: the shape of one input, and how many classes it tells apart, or that it tells a number.

    Three sides are an image (channels, height, width), one is a vector of features, or, where there is a vocabulary,
    a text of that many token ids, each from 0 to `vocabulary` - 1. Where the goal is a number, `classes` is 1.
    """

    input_shape: Shape
    classes: int
    vocabulary: int = 0
    goal: Goal = "classes"

    @property
    def kind(self) -> Literal["image", "tabular", "text"]:
        """What the inputs are."""
        if len(self.input_shape) == 3:
            return "image"
        return "text" if self.vocabulary else "tabular"


@dataclass(frozen=True)
class Node:
    """One operation: a stable id from the genotype, what it reads, and its output shape without the batch.

    The shape is (channels, height, width) of an image, (length, width) of tokens or (features,) of a vector.
    """

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
        """The family it is drawn as; that of a bare choice is read off its name."""
        if self.op == "choice":
            named = (kind for kind in ("conv", "pool", "skip") if kind in str(self.options["option"]))
            return cast(Kind, next(named, "linear"))
        return KINDS[self.op]

    @property
    def label(self) -> str:
        """What the box says, in the terms of the field."""
        o = self.options
        match self.op:
            case "choice":
                return str(o["option"])
            case "conv":
                return self._conv_label()
            case "pool":
                return f"{o['how']} pool {o['size']}×{o['size']}" + (
                    " /2" if (o["size"], o["stride"]) == (3, 2) else ""
                )
            case "factorized_reduce":
                return f"factorized reduce, {self.shape[0]} /2"
            case "activation":
                return self._norm_label("batch norm", "layer norm") or self._activation_label
            case "add":
                return ", ".join(part for part in ("add", self._activation_label) if part)
            case "squeeze_excite":
                return f"SE {o['squeezed']}"
            case "dense" | "embed":
                return f"{self.op}, {self.shape[-1]}"
            case "patches":
                return f"patch {o['size']}×{o['size']}, {self.shape[-1]}"
            case "attention":
                return f"attention, {o['heads']} " + ("head" if o["heads"] == 1 else "heads")
            case "classifier":
                return "number" if o.get("goal") == "number" else f"classes, {self.shape[0]}"
            case _:
                return self.op.replace("_", " ")

    @property
    def detail(self) -> str:
        """Normalisation and activation of the box, or nothing."""
        norm, activation = self._norm_label("BN", "LN"), self._activation_label
        if self.op == "activation":
            return activation if norm else ""
        if self.op == "add":
            return ""
        if self.options.get("order") == "activation first" and activation:
            return " · ".join(part for part in (f"pre-{activation}", norm) if part)
        return " · ".join(part for part in (norm, activation) if part)

    def _conv_label(self) -> str:
        o = self.options
        height, width = sides(o["kernel"])
        grouped = o["groups"] != 1
        depthwise = grouped and o["groups"] == o["filters"]
        name = ("dil " if o["dilation"] != 1 else "") + ("dw conv" if depthwise else "conv")
        label = f"{name} {height}×{width}, {o['filters']}" + (" /2" if 2 in sides(o["stride"]) else "")
        return f"{label}, {o['groups']} groups" if grouped and not depthwise else label

    def _norm_label(self, batch: str, layer: str) -> str:
        if not self.options.get("norm"):
            return ""
        return layer if len(self.shape) == 2 else batch

    @property
    def _activation_label(self) -> str:
        return ACTIVATION_LABELS[str(self.options.get("activation", "none"))]


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
        """Multiply-adds of convolutions, linear layers and attention for one input."""
        return sum(node.multiply_adds for node in self.nodes)

    @property
    def depth(self) -> int:
        """Weighted layers on the longest path: convolutions, linear layers, attention, the classifier."""
        depths: dict[str, int] = {}
        for node in self.nodes:
            depths[node.id] = max((depths[id] for id in node.inputs), default=0) + (node.op in LAYERS)
        return depths[self.nodes[-1].id]

    @property
    def costs(self) -> dict[str, float]:
        """The metrics that need no training, by the names of `nas.objectives`."""
        return {"parameters": self.parameters, "multiply_adds": self.multiply_adds, "depth": self.depth}


def sides(value: int | str | bool | Sides) -> Sides:
    """Return (height, width) of a kernel or stride, which is a pair only where the two differ."""
    return value if isinstance(value, tuple) else (int(value), int(value))

"""The torch module of a graph: one layer per node, named after it."""

from collections.abc import Callable
from functools import reduce
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.sentences import Refused
from nas.spaces.graph import Graph, Node

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "silu": functional.silu,
    "tanh": torch.tanh,
    "none": lambda values: values,
}


class Network(nn.Module):
    """Computes a graph's nodes in order: images (batch, channels, height, width) to logits (batch, classes)."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        shapes = {node.id: node.shape for node in graph.nodes}
        self._steps = [(node, layer_name(node.id)) for node in graph.nodes if node.op != "input"]
        for node, name in self._steps:
            layer = _layer(node, shapes)
            if layer is not None:
                self.add_module(name, layer)
            if node.options.get("norm"):
                norm = nn.BatchNorm2d if node.op == "conv" else nn.BatchNorm1d
                self.add_module(f"{name}_norm", norm(node.shape[0]))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        values = {"input": images}
        for node, name in self._steps:
            values[node.id] = self._compute(node, name, [values[source] for source in node.inputs])
        return values[self.graph.nodes[-1].id]

    def _compute(self, node: Node, name: str, inputs: list[Tensor]) -> Tensor:
        match node.op:
            case "conv" | "dense":
                value: Tensor = getattr(self, name)(inputs[0])
                if node.options["norm"]:
                    value = getattr(self, f"{name}_norm")(value)
                return ACTIVATIONS[str(node.options["activation"])](value)
            case "add":
                return reduce(torch.add, inputs)
            case "global_pool":
                return inputs[0].mean((2, 3))
            case "flatten":
                return inputs[0].flatten(1)
            case _:
                layer: Callable[[Tensor], Tensor] = getattr(self, name)
                return layer(inputs[0])


def build(graph: Graph, seed: int = 0) -> Network:
    """Return the graph's network with He-initialised weights drawn from `seed` alone."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network, last = Network(graph), layer_name(graph.nodes[-1].id)
        for name, module in network.named_modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                followed: Literal["linear", "relu"] = "linear" if name == last else "relu"
                nn.init.kaiming_normal_(module.weight, nonlinearity=followed)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
    return network


def layer_name(id: str) -> str:
    """Return the attribute, and prefix of the weights, under which a node's layer is kept."""
    return id.replace(".", "_").replace(" ", "_")


def _layer(node: Node, shapes: dict[str, tuple[int, ...]]) -> nn.Module | None:
    option = node.options
    read = shapes[node.inputs[0]][0]
    match node.op:
        case "conv":
            kernel, stride = int(option["kernel"]), int(option["stride"])
            return nn.Conv2d(read, node.shape[0], kernel, stride, kernel // 2, bias=not option["norm"])
        case "dense":
            return nn.Linear(read, node.shape[0], bias=not option["norm"])
        case "classifier":
            return nn.Linear(read, node.shape[0])
        case "pool":
            size = int(option["size"])
            padding = 1 if size == 3 else 0
            if option["how"] == "max":
                return nn.MaxPool2d(size, 2, padding)
            return nn.AvgPool2d(size, 2, padding, count_include_pad=False)
        case "add" | "global_pool" | "flatten":
            return None
        case _:
            raise Refused("The network has a node {id} of an unknown operation, {op}.", id=node.id, op=node.op)

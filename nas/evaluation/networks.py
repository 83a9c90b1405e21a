"""The torch module of a graph: one layer per node, named after it."""

import re
from collections.abc import Callable
from functools import reduce
from keyword import iskeyword
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nas.evaluation.layers import (
    Attention,
    Embed,
    FactorizedReduce,
    Patches,
    PixelConv,
    SqueezeExcite,
    mean_of_words,
    padding_mask,
)
from nas.sentences import Refused
from nas.spaces.graph import Graph, Node, Shape, Task, sides


def _same(values: Tensor) -> Tensor:
    return values


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": nn.functional.relu,
    "relu6": nn.functional.relu6,
    "silu": nn.functional.silu,
    "hardswish": nn.functional.hardswish,
    "gelu": nn.functional.gelu,
    "tanh": torch.tanh,
    "none": _same,
}
ACTIVATION_LAYERS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "none": nn.Identity,
}
# Of token and position vectors, as in BERT and ViT; SGD hardly moves layers of narrow tokens that start as small.
EMBEDDING_STD = 0.02


class _Step(NamedTuple):
    """A node with what is looked up of it once rather than for every batch."""

    node: Node
    layer: str
    norm: str  # "" where there is none
    activation: Callable[[Tensor], Tensor]
    early: bool
    freed: tuple[str, ...]  # the nodes that nothing reads after this one


class Network(nn.Module):
    """Computes a graph's nodes in order, from a batch of the task's inputs to logits (batch, classes).

    Inputs are images (batch, channels, height, width), features (batch, features) or int64 ids (batch, length), of
    which those that pad a text are neither attended to nor averaged.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        last = {id: node.id for node in graph.nodes for id in node.inputs}
        freed = {node.id: tuple(id for id in {*node.inputs} if last[id] == node.id) for node in graph.nodes}
        self._steps = [_step(node, freed[node.id]) for node in graph.nodes if node.op != "input"]
        shapes = {node.id: node.shape for node in graph.nodes}
        for step in self._steps:
            self._keep(step.layer, _layer(step.node, shapes[step.node.inputs[0]], graph.task))
            if step.norm:
                self._keep(step.norm, _norm(step.node.shape))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits."""
        values = {"input": inputs}
        mask = padding_mask(inputs) if self.graph.task.kind == "text" else None
        for step in self._steps:
            values[step.node.id] = self._compute(step, [values[source] for source in step.node.inputs], mask)
            for id in step.freed:
                del values[id]
        return values[self.graph.nodes[-1].id]

    def _keep(self, name: str, layer: nn.Module | None) -> None:
        if layer is None:
            return
        if hasattr(self, name):
            raise Refused("The network cannot have two layers of the name {name}.", name=name)
        self.add_module(name, layer)

    def _compute(self, step: _Step, inputs: list[Tensor], mask: Tensor | None) -> Tensor:
        value, node = inputs[0], step.node
        match node.op:
            case "conv" | "dense" | "factorized_reduce" | "activation":
                if step.early:
                    value = step.activation(value)
                if node.op != "activation":
                    value = getattr(self, step.layer)(value)
                if step.norm:
                    value = getattr(self, step.norm)(value)
                return value if step.early else step.activation(value)
            case "add":
                return step.activation(reduce(torch.add, inputs))
            case "concat":
                return torch.cat(inputs, 2 if len(node.shape) == 2 else 1)
            case "global_pool":
                if value.ndim == 4:
                    return value.mean((2, 3))
                return value.mean(1) if mask is None else mean_of_words(value, mask)
            case "flatten":
                return value.flatten(1)
            case "zero":
                return value.new_zeros(len(value), *node.shape)
            case "attention":
                attention: Callable[[Tensor, Tensor | None], Tensor] = getattr(self, step.layer)
                return attention(value, mask)
            case _:
                layer: Callable[[Tensor], Tensor] = getattr(self, step.layer)
                return layer(value)


def build(graph: Graph, seed: int = 0) -> Network:
    """Return the graph's network with weights drawn from `seed` alone: He-initialised, linear where tokens pass."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = Network(graph)
        of_tokens = tuple(f"{layer_name(node.id)}." for node in graph.nodes if len(node.shape) == 2)
        last = layer_name(graph.nodes[-1].id)
        for name, module in network.named_modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                linear = name == last or f"{name}.".startswith(of_tokens)
                nn.init.kaiming_normal_(module.weight, nonlinearity="linear" if linear else "relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.trunc_normal_(module.weight, std=EMBEDDING_STD)
            elif isinstance(module, (Embed, Patches)):
                nn.init.trunc_normal_(module.positions, std=EMBEDDING_STD)
    return network


def layer_name(id: str) -> str:
    """Return the attribute, and prefix of the weights, under which a node's layer is kept."""
    name = re.sub(r"\W", "_", id)
    return f"node_{name}" if iskeyword(name) or not name.isidentifier() else name


def _step(node: Node, freed: tuple[str, ...]) -> _Step:
    name, option = layer_name(node.id), node.options
    return _Step(
        node,
        name,
        f"{name}_norm" if option.get("norm") else "",
        ACTIVATIONS[str(option.get("activation", "none"))],
        option.get("order") == "activation first",
        freed,
    )


def _norm(shape: Shape) -> nn.Module:
    if len(shape) == 2:
        return nn.LayerNorm(shape[1])
    return nn.BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])


def _layer(node: Node, read: Shape, task: Task) -> nn.Module | None:
    option, shape = node.options, node.shape
    match node.op:
        case "conv":
            return _conv(node, read[0])
        case "dense" | "classifier":
            return nn.Linear(read[-1], shape[-1], bias=not option.get("norm"))
        case "pool":
            size, stride = sides(option["size"])[0], sides(option["stride"])[0]
            padding = 1 if size == 3 else 0
            if option["how"] == "max":
                return nn.MaxPool2d(size, stride, padding)
            return nn.AvgPool2d(size, stride, padding, count_include_pad=False)
        case "factorized_reduce":
            return FactorizedReduce(read[0], shape[0])
        case "squeeze_excite":
            activation = ACTIVATION_LAYERS[str(option["activation"])]()
            return SqueezeExcite(read[0], sides(option["squeezed"])[0], activation)
        case "embed":
            return Embed(task.vocabulary, *shape)
        case "patches":
            return Patches(read[0], shape[0], sides(option["size"])[0], shape[1])
        case "attention":
            return Attention(shape[1], sides(option["heads"])[0])
        case "zero" | "activation" | "concat" | "add" | "global_pool" | "flatten":
            return None
        case _:
            raise Refused("The network has a node {id} of an unknown operation, {op}.", id=node.id, op=node.op)


def _conv(node: Node, channels: int) -> nn.Conv2d:
    option = node.options
    kernel, dilation = sides(option["kernel"]), sides(option["dilation"])[0]
    kind = PixelConv if kernel == (1, 1) and sides(option["stride"]) != (1, 1) else nn.Conv2d
    return kind(
        channels,
        node.shape[0],
        kernel,
        sides(option["stride"]),
        (dilation * (kernel[0] // 2), dilation * (kernel[1] // 2)),
        dilation,
        sides(option["groups"])[0],
        bias=bool(option["bias"]),
    )

"""Cuts parts out of a space's own graph, so that a supernet is made of the very layers that its networks have."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count

from nas.spaces.graph import Graph, Node, Shape, Task

SPREAD = 1_000_003


def part(graph: Graph, source: str, ids: Collection[str]) -> Graph:
    """Return some nodes as a graph of their own, whose input is what they read of `source`; without nodes it is that.

    The nodes keep their ids, so their layers keep their names.
    """
    kept = [node for node in graph.nodes if node.id in ids]
    read = [replace(node, inputs=tuple("input" if id == source else id for id in node.inputs)) for node in kept]
    whole = Task(shape(graph, source), graph.task.classes)
    return Graph(whole, (Node("input", "input", (), whole.input_shape), *read))


def below(graph: Graph, prefix: str) -> tuple[str, ...]:
    """Return the ids that are `prefix` or begin with it and a point."""
    return tuple(node.id for node in graph.nodes if node.id == prefix or node.id.startswith(f"{prefix}."))


def shape(graph: Graph, id: str) -> Shape:
    """Return the output shape of a node."""
    return next(node.shape for node in graph.nodes if node.id == id)


def seeds(seed: int) -> Iterator[int]:
    """Yield a seed for each part: built from one seed, equal parts would begin with equal weights."""
    return (seed * SPREAD + number for number in count())

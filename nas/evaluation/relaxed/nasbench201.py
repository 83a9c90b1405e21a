"""NAS-Bench-201 made continuous: six edges, the same in all cells, each a mixture of the five operations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from torch import Tensor, nn

from nas.architecture import Architecture
from nas.evaluation.networks import Network, build
from nas.evaluation.relaxed.parts import part, seeds
from nas.evaluation.relaxed.relaxation import Edges
from nas.evaluation.relaxed.supernet import Cell, Edge, Supernet
from nas.spaces.graph import Graph
from nas.spaces.nasbench201 import EDGES, NasBench201


@dataclass(frozen=True)
class RelaxedNasBench201:
    """Every edge stays, so the architecture is the strongest operation of each, `none` included, as in the benchmark.

    The supernet is the whole network of the space, with its cells and channels.
    """

    space: NasBench201

    @cached_property
    def edges(self) -> Edges:
        """One row per edge, shared by all cells."""
        names = tuple(f"edge {source}-{target}" for source, target in EDGES)
        return Edges(names, ("cell",) * len(names), tuple(target for _, target in EDGES), self.space.operations)

    def supernet(self, seed: int, parts: int = 1) -> Supernet:
        """Return stem, cells, residual blocks and head, the cells relaxed."""
        whole, fresh = self._uniform(0), seeds(seed)
        narrow = replace(self, space=replace(self.space, channels=self.space.channels // parts))
        drawn = [narrow._uniform(option) for option in range(len(self.space.operations))]
        blocks: list[Network | Cell] = []
        last = "input"
        for group, nodes in groupby(whole.nodes[1:], key=lambda node: node.group or "head"):
            ids = [node.id for node in nodes]
            if group.startswith("cell "):
                states = [last, *ids]  # of a cell in which nothing passes, only the nodes are drawn
                edges = [self._edge(drawn, states, edge, fresh, parts) for edge in EDGES]
                blocks.append(Cell([nn.Identity()], edges, first=0, joins=False))
            else:
                blocks.append(build(part(whole, last, ids), next(fresh)))
            last = ids[-1]
        return Supernet(blocks)

    def strongest(self, weights: Tensor) -> tuple[int, ...]:
        """Return the operation of the largest weight on each edge."""
        return tuple(weights.argmax(1).tolist())

    def architecture(self, picked: tuple[int, ...]) -> Architecture:
        """Return the cell with these operations."""
        return self.space.canonical(Architecture(self.space.name, picked))

    def kept(self, picked: tuple[int, ...]) -> tuple[int, ...]:
        """Return all edges."""
        return tuple(range(len(picked)))

    def _uniform(self, option: int) -> Graph:
        return self.space.graph(Architecture(self.space.name, (option,) * len(EDGES)))

    def _edge(
        self, drawn: Sequence[Graph], states: Sequence[str], edge: tuple[int, int], fresh: Iterator[int], parts: int
    ) -> Edge:
        source, target = edge
        id = f"{states[1].partition('.')[0]}.edge{source}{target}"
        made = [
            None if operation == "none" else build(part(graph, states[source], (id,)), next(fresh))
            for operation, graph in zip(self.space.operations, drawn, strict=True)
        ]
        return Edge(made, stride=1, parts=parts)

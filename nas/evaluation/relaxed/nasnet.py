"""The NASNet space made continuous as in DARTS: an edge from every earlier state to every node, two of them kept."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from torch import Tensor

from nas.architecture import Architecture
from nas.evaluation.networks import Network, build
from nas.evaluation.relaxed.parts import below, part, seeds, shape
from nas.evaluation.relaxed.relaxation import Edges
from nas.evaluation.relaxed.supernet import Cell, Edge, Supernet
from nas.spaces.graph import Graph
from nas.spaces.nasnet import CELLS, NasNet

NONE = "none"
Drawn = dict[tuple[int, int], Graph]  # by the state that is read and the operation


@dataclass(frozen=True)
class RelaxedNasNet:
    """Of the edges into a node the two with the strongest operation stay (Liu et al. 2019, section 2.4).

    `none` weakens an edge in the mixture, even where the space does not offer it, and is never derived.
    """

    space: NasNet

    @cached_property
    def edges(self) -> Edges:
        """One row per edge of a normal cell, then of a reduction; cells of a kind share them."""
        inputs = ("cell before last", "last cell")
        names, cells, targets = [], [], []
        for cell, target in product(CELLS, range(1, self.space.nodes + 1)):
            for source in (*inputs, *(f"node {earlier}" for earlier in range(1, target))):
                names.append(f"{cell} {source} to node {target}")
                cells.append(cell)
                targets.append(target)
        others = tuple(operation for operation in self.space.operations if operation != NONE)
        return Edges(tuple(names), tuple(cells), tuple(targets), (NONE, *others))

    def supernet(self, seed: int, parts: int = 1) -> Supernet:
        """Return stem, cells and head, the cells relaxed."""
        narrow = replace(self, space=replace(self.space, channels=self.space.channels // parts))
        whole, drawn, fresh = self._reading(0, 0), narrow._drawn(), seeds(seed)
        blocks: list[Network | Cell] = [build(part(whole, "input", ("stem",)), next(fresh))]
        before = last = "stem"
        for number in range(1, self.space.cells + 1):
            cell, out = f"cell{number}", f"cell{number}.out"
            prepare = [
                build(part(whole, source, (f"{cell}.input{which}",)), next(fresh))
                for which, source in enumerate((before, last), start=1)
            ]
            reduces = number - 1 in (self.space.cells // 3, 2 * self.space.cells // 3)
            edges = list(self._edges_of(cell, drawn, fresh, parts))
            blocks.append(Cell(prepare, edges, first=reduces * len(edges), joins=True))
            before, last = last, out
        blocks.append(build(part(whole, last, ("head", "output")), next(fresh)))
        return Supernet(blocks)

    def strongest(self, weights: Tensor) -> tuple[int, ...]:
        """Return per edge its strongest operation, and `none` for all but the two strongest edges of a node."""
        values, picked = weights[:, 1:].max(1)
        ends = list(zip(self.edges.cells, self.edges.targets, strict=True))
        found = [0] * len(ends)
        for end in dict.fromkeys(ends):
            into = [edge for edge, other in enumerate(ends) if other == end]
            for edge in sorted(into, key=lambda edge: -float(values[edge]))[:2]:
                found[edge] = 1 + int(picked[edge])
        return tuple(found)

    def architecture(self, picked: tuple[int, ...]) -> Architecture:
        """Return both cells, each node with the two edges that were kept."""
        choices: list[int] = []
        for edge in self.kept(picked):
            operation = self.space.operations.index(self.edges.options[picked[edge]])
            choices += [self._source(edge), operation]
        return self.space.canonical(Architecture(self.space.name, tuple(choices)))

    def kept(self, picked: tuple[int, ...]) -> tuple[int, ...]:
        """Return the edges that were not dropped."""
        return tuple(edge for edge, option in enumerate(picked) if option)

    def _source(self, edge: int) -> int:
        """Return the state that an edge reads: edges into one node stand together, in the order of states."""
        ends = list(zip(self.edges.cells, self.edges.targets, strict=True))
        return edge - ends.index(ends[edge])

    def _reading(self, state: int, operation: int) -> Graph:
        """Draw the network in which the first pair of each node that may read the state does so, by the operation."""
        picked = []
        for _, node in product(CELLS, range(1, self.space.nodes + 1)):
            picked += [min(state, node), operation, 0, 0]
        return self.space.graph(Architecture(self.space.name, tuple(picked)))

    def _drawn(self) -> Drawn:
        states = range(self.space.nodes + 1)
        asked = [index for index, name in enumerate(self.space.operations) if name != NONE]
        return {(state, operation): self._reading(state, operation) for state, operation in product(states, asked)}

    def _edges_of(self, cell: str, drawn: Drawn, fresh: Iterator[int], parts: int) -> Iterator[Edge]:
        states = [
            f"{cell}.input1",
            f"{cell}.input2",
            *(f"{cell}.node{node}" for node in range(1, self.space.nodes + 1)),
        ]
        for node in range(1, self.space.nodes + 1):
            for state in range(node + 1):
                made: list[Network | None] = [None]
                for (source, _), graph in drawn.items():
                    if source == state:
                        ids = below(graph, f"{cell}.node{node}.op1")
                        made.append(build(part(graph, states[state], ids), next(fresh)))
                high = [shape(graph, id)[1] for id in (states[state], f"{cell}.node{node}")]
                yield Edge(made, stride=1 if high[0] == high[1] else 2, parts=parts)

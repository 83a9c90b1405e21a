"""The chain made continuous: kernel, activation and skip of each convolution; what shapes depend on is fixed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, product

from torch import Tensor, nn

from nas.architecture import Architecture
from nas.evaluation.networks import Network, build
from nas.evaluation.relaxed.parts import part, seeds
from nas.evaluation.relaxed.relaxation import Edges
from nas.evaluation.relaxed.supernet import Cell, Edge, Supernet
from nas.spaces.chain import Chain
from nas.spaces.graph import Graph

Layers = Mapping[str, tuple[str, list[str]]]  # of each group of a graph: what it reads, and its nodes


@dataclass(frozen=True)
class RelaxedChain:
    """Operations can be mixed where their outputs have one shape, so the rest of a network is the largest of the space.

    It has all layers, the most filters, normalisation where the space allows it and a global pooling; as many poolings
    as the image allows, of the first kind, stand evenly between the convolutions.
    """

    space: Chain

    @cached_property
    def edges(self) -> Edges:
        """One row per convolution, in order."""
        layers = [layer for layer in range(self.space.max_layers) if layer not in self._pooled]
        names = tuple(f"layer {layer + 1}" for layer in layers)
        options = tuple(" ".join(filter(None, spelled)) for spelled in product(*self._asked))
        return Edges(names, ("chain",) * len(names), tuple(layer + 1 for layer in layers), options)

    def supernet(self, seed: int, parts: int = 1) -> Supernet:
        """Return the layers, convolutions relaxed; the first one, which reads the image itself, on all channels."""
        fresh = seeds(seed)
        narrow = replace(self, space=replace(self.space, filters=(self.space.filters[-1] // parts,)))
        whole, small = self._drawn(), narrow._drawn()
        blocks: list[Network | Cell] = []
        for group, (source, ids) in _layers(whole[0]).items():
            if group in self.edges.names:
                row = self.edges.names.index(group)
                graphs, share = (small, parts) if row else (whole, 1)
                edge = Edge(list(_options(graphs, group, fresh)), stride=1, parts=share)
                blocks.append(Cell([nn.Identity()], [edge], first=row, joins=False))
            else:
                blocks.append(build(part(whole[0], source, ids), next(fresh)))
        return Supernet(blocks)

    def strongest(self, weights: Tensor) -> tuple[int, ...]:
        """Return the option of the largest weight of each convolution."""
        return tuple(weights.argmax(1).tolist())

    def architecture(self, picked: tuple[int, ...]) -> Architecture:
        """Return the network whose convolutions are these."""
        space, convolutions = self.space, iter(picked)
        choices = [space.max_layers - space.min_layers, 0]
        for layer in range(space.max_layers):
            if layer in self._pooled:
                choices += [len(space.kernels), 0, 0, 0, 0, 0]
            else:
                sizes = [len(options) for options in self._asked]
                rest, skip = divmod(next(convolutions), sizes[2])
                kernel, activation = divmod(rest, sizes[1])
                choices += [kernel, len(space.filters) - 1, 0, activation, int(space.norm), skip]
        return space.canonical(Architecture(space.name, tuple(choices)))

    def kept(self, picked: tuple[int, ...]) -> tuple[int, ...]:
        """Return all convolutions."""
        return tuple(range(len(picked)))

    @cached_property
    def _asked(self) -> tuple[tuple[str, ...], ...]:
        kernels = tuple(f"conv {kernel}" for kernel in self.space.kernels)
        return kernels, self.space.activations, ("", "skip") if self.space.skip else ("",)

    @cached_property
    def _pooled(self) -> tuple[int, ...]:
        """The layers that pool, counted from 0: at most every other one, as long as the image stays large enough."""
        space, side, count = self.space, min(self.space.task.input_shape[1:]), 0
        while side >= 2 and count < (space.max_layers - 1) // 2:
            side = side // 2 if space.pools[0].endswith("2") else -(-side // 2)
            if side < space.smallest:
                break
            count += 1
        return tuple(-(-(number + 1) * space.max_layers // (count + 1)) for number in range(count))

    def _drawn(self) -> list[Graph]:
        """Draw, per option, the network all of whose convolutions are it."""
        rows = len(self.edges.names)
        return [self.space.graph(self.architecture((option,) * rows)) for option in range(len(self.edges.options))]


def _layers(graph: Graph) -> Layers:
    found, source = {}, "input"
    for group, nodes in groupby(graph.nodes[1:], key=lambda node: node.group or "head"):
        ids = [node.id for node in nodes]
        found[group] = source, ids
        source = ids[-1]
    return found


def _options(graphs: list[Graph], group: str, fresh: Iterator[int]) -> Iterator[Network]:
    for graph in graphs:
        source, ids = _layers(graph)[group]
        yield build(part(graph, source, ids), next(fresh))

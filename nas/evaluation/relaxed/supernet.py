"""A network in which every edge of a cell holds all operations that the space offers there, and mixes their outputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.evaluation.networks import Network


@dataclass(frozen=True)
class Mixture:
    """How much of which operation passes an edge: `weights` (rows, options), a row for each edge that has its own.

    Where `only` names an option per row, no other one is computed. `edges` (rows) scales what an edge makes as a whole.
    """

    weights: Tensor
    only: tuple[int, ...] | None = None
    edges: Tensor | None = None


def one_hot(picked: Sequence[int], options: int) -> Mixture:
    """Return the mixture that is one architecture: of each edge the picked operation and nothing else."""
    return Mixture(functional.one_hot(torch.tensor(picked), options).float(), tuple(picked))


class Edge(nn.Module):
    """All operations of one edge, None where nothing passes; of the channels, one of `parts` goes through them.

    The other parts go around, as in PC-DARTS, and the channels of all are shuffled after.
    """

    def __init__(self, operations: Sequence[Network | None], *, stride: int, parts: int = 1) -> None:
        super().__init__()
        self.operations = nn.ModuleList([operation or nn.Identity() for operation in operations])
        self.passes = tuple(operation is not None for operation in operations)
        self.stride, self.parts = stride, parts

    def forward(self, images: Tensor, weights: Tensor, only: int | None = None) -> Tensor:
        """Return the sum of what the operations make of (batch, channels, height, width), by weights (options)."""
        width = images.shape[1] // self.parts
        mixed = self._mixed(images[:, :width], weights, only)
        if self.parts == 1:
            return mixed
        around = images[:, width:]
        if self.stride > 1:
            around = functional.max_pool2d(around, self.stride, ceil_mode=True)
        return shuffled(torch.cat((mixed, around), 1), self.parts)

    def _mixed(self, images: Tensor, weights: Tensor, only: int | None) -> Tensor:
        asked = range(len(self.operations)) if only is None else (only,)
        made: list[Tensor] = [
            weights[option] * self.operations[option](images) for option in asked if self.passes[option]
        ]
        if not made:
            return torch.zeros_like(images[:, :, :: self.stride, :: self.stride])
        return reduce(torch.add, made)


def shuffled(images: Tensor, parts: int) -> Tensor:
    """Deal the channels out, so that each part that is read next has some of every part: (p, n) becomes (n, p)."""
    batch, channels, height, width = images.shape
    return images.reshape(batch, parts, channels // parts, height, width).transpose(1, 2).reshape(images.shape)


class Cell(nn.Module):
    """States one after another: the prepared inputs, then nodes that each add the edges from every state before.

    `first` is the row of the cell's first edge; the next edges have the next rows. The output is the last node, or all
    nodes joined.
    """

    def __init__(self, prepare: Sequence[nn.Module], edges: Sequence[Edge], *, first: int, joins: bool) -> None:
        super().__init__()
        self.prepare, self.edges = nn.ModuleList(prepare), nn.ModuleList(edges)
        self.first, self.joins = first, joins

    def forward(self, inputs: Sequence[Tensor], mixture: Mixture) -> Tensor:
        """Return the output for what the cells before made, as many of it as the cell prepares."""
        read = inputs[-len(self.prepare) :]
        states = [prepare(images) for prepare, images in zip(self.prepare, read, strict=True)]
        edge = 0
        while edge < len(self.edges):
            node = self._crossed(edge, states[0], mixture)
            for source, state in enumerate(states[1:], start=1):
                node = node + self._crossed(edge + source, state, mixture)
            edge += len(states)
            states.append(node)
        return torch.cat(states[len(self.prepare) :], 1) if self.joins else states[-1]

    def _crossed(self, edge: int, images: Tensor, mixture: Mixture) -> Tensor:
        row = self.first + edge
        made: Tensor = self.edges[edge](images, mixture.weights[row], mixture.only[row] if mixture.only else None)
        return made if mixture.edges is None else mixture.edges[row] * made


class Supernet(nn.Module):
    """The space's network, its cells relaxed: blocks in a row, each cell reading the two before it or the last."""

    def __init__(self, blocks: Sequence[Network | Cell]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                _use_batch(module)
        for block in blocks:
            if isinstance(block, Cell):
                _freeze_scales(block)

    def forward(self, images: Tensor, mixture: Mixture) -> Tensor:
        """Return the logits (batch, classes) of images under a mixture."""
        before = last = images
        for block in self.blocks:
            if isinstance(block, Cell):
                before, last = last, block((before, last), mixture)
            else:
                before = last = block(last)
        return last


def _use_batch(norm: nn.BatchNorm2d) -> None:
    """Normalise by the batch always: running averages over all mixtures so far are right for none of them."""
    norm.track_running_stats = False
    norm.running_mean = norm.running_var = norm.num_batches_tracked = None


def _freeze_scales(cell: Cell) -> None:
    """Leave scale and shift of a cell's norms at 1 and 0: they would undo the mixture (DARTS, appendix A.1.1)."""
    for module in cell.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.requires_grad_(False)
            module.bias.requires_grad_(False)

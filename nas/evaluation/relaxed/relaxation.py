"""What a space must offer to be searched by gradient."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from nas.architecture import Architecture
from nas.evaluation.relaxed.supernet import Supernet


@dataclass(frozen=True)
class Edges:
    """The edges that have a row of alpha each: its name, the cell it is in and the node it leads to; and the options.

    All cells of one kind share their rows.
    """

    names: tuple[str, ...]
    cells: tuple[str, ...]
    targets: tuple[int, ...]
    options: tuple[str, ...]


class Relaxation(Protocol):
    """A space made continuous: one of its architectures is a mixture with a single operation on each edge."""

    @property
    def edges(self) -> Edges:
        """What alpha is about."""

    def supernet(self, seed: int, parts: int = 1) -> Supernet:
        """Return the supernet, its weights drawn from `seed`; one of `parts` of an edge's channels is mixed."""

    def strongest(self, weights: Tensor) -> tuple[int, ...]:
        """Return the option of each edge that weights (edges, options) point to; that of `none` for an edge dropped."""

    def architecture(self, picked: tuple[int, ...]) -> Architecture:
        """Return the canonical architecture of what `strongest` picked."""

    def kept(self, picked: tuple[int, ...]) -> tuple[int, ...]:
        """Return the edges that the architecture has, those with `none` where it is an operation of the space."""

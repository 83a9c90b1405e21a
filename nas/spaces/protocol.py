"""What a search space is: the questions it asks and the graph that the answers make."""

from math import log10
from typing import Protocol, runtime_checkable

from nas.architecture import Architecture, Decision
from nas.sentences import Sentence
from nas.spaces.graph import Graph


class SearchSpace(Protocol):
    """A set of possible networks for one task; a frozen dataclass of its own settings."""

    @property
    def name(self) -> str:
        """The name under which the catalogue knows it."""

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Every question, asked of each architecture in this order."""

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the one spelling of the network, with illegal choices repaired; idempotent."""

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Say why a canonical architecture is not in the space, or nothing where it is."""

    def graph(self, architecture: Architecture) -> Graph:
        """Return the network of a canonical architecture."""


@runtime_checkable
class Written(Protocol):
    """A space whose architectures have a text form that the field uses."""

    def text_of(self, architecture: Architecture) -> str:
        """Write a canonical architecture."""

    def architecture_of(self, text: str) -> Architecture:
        """Read what `text_of` writes; raises Refused where it is none of this space."""


def magnitude(space: SearchSpace) -> float:
    """Return log10 of the number of spellings, an upper bound of the number of networks."""
    return sum(log10(len(decision.options)) for decision in space.decisions)

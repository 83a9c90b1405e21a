"""Where strategies are tried: a toy space, and the tables of the data folder."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from nas.architecture import Architecture, Decision
from nas.spaces.graph import Task
from nas.spaces.table import Tabulated

HERE = any((Path(place) / "nasbench201.npz").exists() for place in os.environ.get("NAS_DATA_DIR", "").split(os.pathsep))
needs_tables = pytest.mark.skipif(not HERE, reason="NAS_DATA_DIR has no nasbench201.npz")


@dataclass(frozen=True)
class ToySpace:
    """`length` decisions of `width` options, every combination allowed but those in `forbidden`."""

    length: int = 8
    width: int = 4
    forbidden: frozenset[tuple[int, ...]] = frozenset()
    name = "toy"

    @property
    def decisions(self):
        return tuple(Decision(f"d{n}", tuple("abcdefgh"[: self.width])) for n in range(self.length))

    def canonical(self, architecture):
        return architecture

    def complaint(self, architecture):
        return "forbidden" if architecture.choices in self.forbidden else None

    def at(self, *choices):
        return Architecture(self.name, choices)


def nasbench201():
    """Return the table as a space, and the table."""
    space = Tabulated(Task((3, 32, 32), 10), "nasbench201")
    return space, space.rows


def nasbench_macro():
    """Return the table as a space, and the table."""
    space = Tabulated(Task((3, 32, 32), 10), "nasbench_macro")
    return space, space.rows

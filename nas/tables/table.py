"""A table of networks that somebody really trained: an oracle that answers a search in microseconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Decision
from nas.sentences import Refused

DENSE_CODES = 50_000_000
ABSENT = -1


@dataclass(frozen=True)
class Column:
    """What one metric of a table means; `epochs` is 0 where it does not depend on training."""

    goal: Literal["min", "max"]
    unit: str = ""
    dataset: str = ""
    split: str = ""
    epochs: int = 0
    device: str = ""
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of choices (n, decisions) with an array (n,) per metric; combinations that no row has are invalid.

    `name` is the short one it is found under, `fingerprint` a hash of the file.
    """

    name: str
    title: str
    source: str
    licence: str
    decisions: tuple[Decision, ...]
    columns: Mapping[str, Column]
    choices: NDArray[np.uint8]
    values: Mapping[str, NDArray[np.floating | np.integer]]
    fingerprint: str = ""

    def __len__(self) -> int:
        return len(self.choices)

    def row(self, choices: Sequence[int]) -> int | None:
        """Return the row of an architecture, None where it was never trained."""
        code = self._code(choices)
        found = int(self._rows[code]) if isinstance(self._rows, np.ndarray) else self._rows.get(code, ABSENT)
        return None if found == ABSENT else found

    def value(self, column: str, row: int) -> float:
        """Return one number of the table."""
        return float(self.values[column][row])

    def known(self, column: str) -> Column:
        """Return what a metric means; raises Refused with the nearest names."""
        if column not in self.columns:
            near = get_close_matches(column, self.columns, n=3, cutoff=0)
            raise Refused(
                "The table {table} has no metric {name}; the nearest are {near}.",
                table=self.title,
                name=column,
                near=", ".join(near),
            )
        return self.columns[column]

    def fidelities(self, column: str) -> tuple[int, ...]:
        """Return the numbers of epochs, rising, for which the table has this metric, up to that of `column`."""
        about = self.known(column)
        if not about.epochs:
            return (0,)
        same = (other.epochs for name, other in self.columns.items() if stem(name) == stem(column) and other.epochs)
        return tuple(sorted({epochs for epochs in same if epochs <= about.epochs}))

    def at(self, column: str, epochs: int) -> str:
        """Return the column of the same metric at another number of epochs, the column itself where it has none."""
        if not epochs or not self.known(column).epochs:
            return column
        return next(
            (name for name, other in self.columns.items() if stem(name) == stem(column) and other.epochs == epochs),
            column,
        )

    @cached_property
    def _strides(self) -> tuple[int, ...]:
        sizes = [len(decision.options) for decision in self.decisions]
        return tuple(prod(sizes[index + 1 :]) for index in range(len(sizes)))

    @cached_property
    def _rows(self) -> "NDArray[np.int32] | dict[int, int]":
        sizes = [len(decision.options) for decision in self.decisions]
        if prod(sizes) > DENSE_CODES:
            codes = (self._code(row) for row in self.choices.tolist())
            return {code: index for index, code in enumerate(codes)}
        rows = np.full(prod(sizes), ABSENT, np.int32)
        rows[self.choices.astype(np.int64) @ np.array(self._strides)] = np.arange(len(self), dtype=np.int32)
        return rows

    def _code(self, choices: Sequence[int]) -> int:
        return sum(choice * stride for choice, stride in zip(choices, self._strides, strict=True))


def stem(column: str) -> str:
    """Return a metric's name without its epochs: "cifar10.valid_accuracy" of "cifar10.valid_accuracy.12ep"."""
    front, dot, last = column.rpartition(".")
    return front if dot and last.endswith("ep") and last[:-2].isdigit() else column

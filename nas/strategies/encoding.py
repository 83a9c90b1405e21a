"""Architectures as numbers for a predictor: choices, ordered options, counts of operations, and paths of a cell.

White et al., "A study on encodings for neural architecture search", NeurIPS 2020.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Decision

Features = NDArray[np.float32]
Block = tuple[int, int]
EDGE = re.compile(r"(.*)edge (\d+)-(\d+)")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
BUCKETS = 64
MOST_PATHS = 64


@dataclass(frozen=True)
class Cell:
    """The decisions of one cell by its edges, and every path from its first node to its last, as decision indices."""

    options: dict[int, tuple[str, ...]]
    paths: tuple[tuple[int, ...], ...]


class Encoding:
    """The features of a space's choices, in blocks of columns that a kernel weighs separately.

    `choices`: one block per decision, one-hot over sqrt 2, so that squared distance counts differing choices, and one
    more with the rank where the options are numbers. `counts`: per set of options that several decisions share, how
    often each is chosen. `paths`: for decisions named "edge i-j", the input-output paths of the cell (White et al.,
    "BANANAS", AAAI 2021, section 3), skips left out, and how many operations lie on live paths.
    `trend`: the blocks in which a trend is plausible: the counts, the ranks, the lengths of paths and live operations.
    """

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._decisions = tuple(decisions)
        self._ordered = [index for index, decision in enumerate(decisions) if _is_ordered(decision)]
        self._shared = _shared(decisions)
        self._cells = _cells(decisions)
        self._width = 0
        choices = [self._block(len(decision.options)) for decision in decisions]
        ranks = [self._block(1) for _ in self._ordered]
        counts = [self._block(1) for options, _ in self._shared for _ in options]
        paths = [[self._block(width) for width in _widths(cell)] for cell in self._cells]
        self.choices, self.counts = (*choices, *ranks), tuple(counts)
        self.paths = tuple(block for blocks in paths for block in blocks)
        # What paths are made of is many columns and rarely seen twice; their lengths and live operations are few.
        self.trend = (*counts, *ranks, *(block for blocks in paths for block in blocks[1:]))

    def _block(self, width: int) -> Block:
        self._width += width
        return self._width - width, self._width

    def encode(self, choices: NDArray[np.integer]) -> Features:
        """Return the features (n, columns) of choices (n, decisions)."""
        parts = [
            np.eye(len(decision.options), dtype=np.float32)[choices[:, index]] / np.float32(sqrt(2))
            for index, decision in enumerate(self._decisions)
        ]
        parts += [self._rank(choices, index) for index in self._ordered]
        for options, where in self._shared:
            chosen = choices[:, where]
            # Centred where a uniform sample has its mean: a trend turns about the middle of the space.
            usual = len(where) / len(options)
            parts += [
                ((chosen == option).sum(1, keepdims=True) - usual) / sqrt(len(where)) for option in range(len(options))
            ]
        parts += [_walk(cell, choices) for cell in self._cells]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def _rank(self, choices: NDArray[np.integer], index: int) -> Features:
        options = np.array([float(option) for option in self._decisions[index].options])
        ranks = options.argsort().argsort() / (len(options) - 1) - 0.5
        return ranks[choices[:, index], None].astype(np.float32)


@lru_cache(maxsize=16)
def encoding(decisions: tuple[Decision, ...]) -> Encoding:
    """Return the encoding of a space by its decisions."""
    return Encoding(decisions)


def _is_ordered(decision: Decision) -> bool:
    return len(decision.options) > 2 and all(NUMBER.fullmatch(option) for option in decision.options)


def _shared(decisions: Sequence[Decision]) -> list[tuple[tuple[str, ...], list[int]]]:
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, decision in enumerate(decisions):
        groups.setdefault(decision.options, []).append(index)
    return [(options, where) for options, where in groups.items() if len(where) > 1 and len(options) > 1]


def _cells(decisions: Sequence[Decision]) -> list[Cell]:
    edges: dict[str, dict[tuple[int, int], int]] = {}
    for index, decision in enumerate(decisions):
        if found := EDGE.fullmatch(decision.name):
            edges.setdefault(found[1], {})[int(found[2]), int(found[3])] = index
    cells = []
    for cell in edges.values():
        first, last = min(start for start, _ in cell), max(end for _, end in cell)
        paths = _paths(cell, first, last)
        if 1 < len(paths) <= MOST_PATHS:
            cells.append(Cell({index: decisions[index].options for index in cell.values()}, tuple(paths)))
    return cells


def _paths(cell: dict[tuple[int, int], int], node: int, last: int) -> list[tuple[int, ...]]:
    if node == last:
        return [()]
    on = [(end, index) for (start, end), index in cell.items() if start == node and end > node]
    return [(index, *rest) for end, index in on for rest in _paths(cell, end, last)]


def _widths(cell: Cell) -> tuple[int, ...]:
    longest = max(len(path) for path in cell.paths)
    return BUCKETS, longest + 1, *[1 for _ in _operations(cell)]


def _operations(cell: Cell) -> list[str]:
    options = dict.fromkeys(option for options in cell.options.values() for option in options)
    return [option for option in options if option != "none"]


def _walk(cell: Cell, choices: NDArray[np.integer]) -> Features:
    """Count per architecture its paths by the operations on them, by their length, and the operations that are live."""
    operations = {option: place for place, option in enumerate(_operations(cell))}
    longest = max(len(path) for path in cell.paths)
    kinds = np.zeros((len(choices), BUCKETS), np.float32)
    lengths = np.zeros((len(choices), longest + 1), np.float32)
    live = np.zeros((len(choices), len(operations)), np.float32)
    for row, chosen in enumerate(choices.tolist()):
        alive: set[int] = set()
        for path in cell.paths:
            taken = [cell.options[index][chosen[index]] for index in path]
            if "none" in taken:
                continue
            alive.update(path)
            seen = tuple(option for option in taken if not _is_skip(option))
            kinds[row, _bucket(seen)] += 1
            lengths[row, len(seen)] += 1
        for index in alive:
            live[row, operations[cell.options[index][chosen[index]]]] += 1
    scale = sqrt(len(cell.paths))
    return np.concatenate([np.sqrt(kinds) / scale, lengths / scale, live / sqrt(len(cell.options))], axis=1)


def _is_skip(option: str) -> bool:
    return option == "identity" or option.startswith("skip")


@lru_cache(maxsize=100_000)
def _bucket(path: tuple[str, ...]) -> int:
    # A short sequence may well share a bucket with a rare long one; a fixed width needs no vocabulary.
    return crc32("/".join(path).encode()) % BUCKETS

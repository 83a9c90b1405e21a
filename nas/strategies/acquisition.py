"""What to measure next: the architecture with the largest expected improvement that is not yet known or in flight.

Jones, Schonlau and Welch, "Efficient global optimization of expensive black-box functions", 1998, equation 15.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import erf, log10, pi, sqrt
from random import Random
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Architecture
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace, magnitude
from nas.strategies.encoding import Features, encoding
from nas.strategies.predictor import Posterior, Vector

Choices = tuple[int, ...]
SMALL = 20_000
MOST_CELLS = 2_000_000
CLIMBS = 2


@dataclass(frozen=True, eq=False)
class Whole:
    """Every canonical architecture of a small space: its choices (n, decisions), features, and the row of each."""

    choices: NDArray[np.int16]
    features: Features
    rows: dict[Choices, int]


def whole(space: SearchSpace) -> Whole | None:
    """Return all of a space of at most 20,000 spellings, its rules not asked; None of a larger one."""
    if magnitude(space) > log10(SMALL) + 1e-9:
        return None
    return _whole(cast(Hashable, space))


@lru_cache(maxsize=4)
def _whole(space: Any) -> Whole:
    spellings = product(*(range(len(decision.options)) for decision in space.decisions))
    found = dict.fromkeys(space.canonical(Architecture(space.name, choices)).choices for choices in spellings)
    choices = np.array(list(found), np.int16).reshape(len(found), len(space.decisions))
    features = encoding(tuple(space.decisions)).encode(choices)
    return Whole(choices, features, {one: row for row, one in enumerate(found)})


@dataclass(frozen=True, eq=False)
class Wish:
    """What is looked for: an improvement under `posterior` on the score `best`, by an architecture not in `known`.

    `parents` are the best architectures so far, around which to look.
    """

    posterior: Posterior
    best: float
    known: Collection[Choices]
    parents: Sequence[Choices]

    def gains(self, rows: Features) -> Vector:
        """Return by how much the score of each row is expected to lie below the best."""
        mean, variance = self.posterior(rows)
        deviation = np.sqrt(variance)
        u = (self.best - mean) / deviation
        below = np.array([0.5 * (1 + erf(x / sqrt(2))) for x in u.tolist()])
        return np.asarray(deviation * (u * below + np.exp(-u * u / 2) / sqrt(2 * pi)))


def best_of_all(space: SearchSpace, every: Whole, wish: Wish, random: Random) -> Choices | None:
    """Return the best of a small space, or of a part of it where all are too many; None where nothing is left.

    The part is half of what lies closest to the parents and half random.
    """
    fresh = np.ones(len(every.choices), bool)
    fresh[[every.rows[one] for one in wish.known if one in every.rows]] = False
    rows = np.flatnonzero(fresh)
    np.random.default_rng(random.getrandbits(64)).shuffle(rows)
    room = max(100, MOST_CELLS // wish.posterior.size)
    if len(rows) > room:
        distance = np.min([(every.choices[rows] != np.array(one)).sum(1) for one in wish.parents], axis=0)
        close = np.argsort(distance, kind="stable")[: room // 2]
        rows = np.unique(np.concatenate([rows[close], rows[: room // 2]]))
    for row in rows[np.argsort(-wish.gains(every.features[rows]), kind="stable")]:
        architecture = Architecture(space.name, tuple(every.choices[row].tolist()))
        if space.complaint(architecture) is None:
            return architecture.choices
    return None


def best_of_moves(space: SearchSpace, wish: Wish, count: int, random: Random) -> Choices | None:
    """Return the best of `count` moves from the parents and samples, after climbing over its neighbours.

    Two thirds are mutations, a sixth each are crossings and fresh samples; BANANAS, section 4, only mutates.
    """
    top, gain = _top(space, wish, dict.fromkeys(_moved(space, wish.parents, random) for _ in range(count)))
    for _ in range(CLIMBS):
        if top is None:
            break
        around = [one.choices for one in moves.neighbours(space, Architecture(space.name, top))]
        higher, more = _top(space, wish, around)
        if more <= gain:
            break
        top, gain = higher, more
    return top


def _moved(space: SearchSpace, parents: Sequence[Choices], random: Random) -> Choices:
    fate = random.random()
    if fate < 1 / 6:
        return moves.sample(space, random).choices
    mother = Architecture(space.name, random.choice(parents))
    if fate < 1 / 3:
        father = Architecture(space.name, random.choice(parents))
        return moves.crossover(space, mother, father, "uniform", random).choices
    return moves.mutate(space, mother, 1 / len(space.decisions), random).choices


def _top(space: SearchSpace, wish: Wish, candidates: Collection[Choices]) -> tuple[Choices | None, float]:
    fresh = [choices for choices in candidates if choices not in wish.known]
    if not fresh:
        return None, 0.0
    gains = wish.gains(encoding(tuple(space.decisions)).encode(np.array(fresh)))
    top = int(np.argmax(gains))
    return fresh[top], float(gains[top])

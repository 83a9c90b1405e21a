"""Where settings of strategies are chosen: landscapes that are not the table of docs/performance.md.

    NAS_DATA_DIR=folder-of-nasbench_macro.npz python -m benchmarks.landscapes --only genetic,ppo [--set KEY=VALUE]

Printed is the mean regret over seeds after 100 and 150 evaluations, in percent of the distance from the median to the
best. Two are tables; the others are made: each decision is worth something by itself, with some others, and in fours
(epistasis, Kauffman and Levin, 1987), and each architecture has a noise of its own, as one training has.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from random import Random
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Architecture, Decision
from nas.sentences import Sentence
from nas.spaces.graph import Graph, Task
from nas.spaces.protocol import SearchSpace
from nas.spaces.sketch import Sketch
from nas.spaces.table import Tabulated
from nas.strategies.catalogue import STRATEGIES, build
from nas.strategies.protocol import Scored, Terms

MARKS = (100, 150)
TABLES = {"nasbench_macro": "cifar10.test_accuracy", "digits_cells": "digits.valid_accuracy.9ep"}
SAMPLES, CLIMBS = 2000, 60
Choices = tuple[int, ...]


@dataclass(frozen=True)
class Made:
    """Decisions with so many options, and nothing forbidden."""

    sizes: Choices
    name = "made"

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Options are named by their numbers."""
        return tuple(Decision(f"d{at}", tuple(map(str, range(size)))) for at, size in enumerate(self.sizes))

    def canonical(self, architecture: Architecture) -> Architecture:
        """Every spelling is its own architecture."""
        return architecture

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Everything is allowed."""
        return None

    def graph(self, architecture: Architecture) -> Graph:
        """There is no network."""
        return Sketch(Task((1, 1, 1), 2)).classify("input")


@dataclass(frozen=True)
class Landscape:
    """A score to bring down, its median over the space, and the best that is known."""

    name: str
    space: SearchSpace
    score: Callable[[Choices], float]
    middle: float
    best: float

    def regret(self, value: float) -> float:
        """Return the distance to the best, in percent of that of the median."""
        return 100 * (value - self.best) / (self.middle - self.best)


def landscapes() -> Iterator[Landscape]:
    """Yield the tables, then the made ones, from smooth to rugged."""
    for name, column in TABLES.items():
        space = Tabulated(Task((1,), 1), name)
        values = -space.rows.values[column].astype(float)
        yield Landscape(name, space, _of_row(space, values), float(np.median(values)), float(values.min()))
    yield _made("smooth", (5,) * 6, pairs=0.3, fours=0.0, noise=0.05)
    yield _made("cell", (5,) * 6, pairs=0.5, fours=0.5, noise=0.05)
    yield _made("two options", (2,) * 14, pairs=0.7, fours=0.3, noise=0.05)
    yield _made("mixed", (3, 5, 2, 4, 7, 3, 2, 6, 3, 4), pairs=0.6, fours=0.3, noise=0.1)
    yield _made("long", (3,) * 20, pairs=0.5, fours=0.2, noise=0.05)
    yield _made("rugged", (5,) * 8, pairs=0.8, fours=1.0, noise=0.2)


def _of_row(space: Tabulated, values: NDArray[np.float64]) -> Callable[[Choices], float]:
    return lambda choices: float(values[space.rows.row(choices) or 0])


def _made(name: str, sizes: Choices, *, pairs: float, fours: float, noise: float) -> Landscape:
    draw = np.random.default_rng(len(name) + sum(sizes))
    weights = draw.lognormal(0, 0.7, len(sizes))
    terms: list[tuple[Choices, NDArray[np.float64]]] = [
        ((at,), weights[at] * draw.normal(size=size)) for at, size in enumerate(sizes)
    ]
    for pair in combinations(range(len(sizes)), 2):
        if draw.random() < 4 / len(sizes):
            terms.append((pair, pairs * draw.normal(size=[sizes[at] for at in pair])))
    for _ in sizes:
        four = tuple(sorted(map(int, draw.choice(len(sizes), 4, replace=False))))
        terms.append((four, fours * draw.normal(size=[sizes[at] for at in four])))

    def score(choices: Choices) -> float:
        value = sum(float(worth[tuple(choices[at] for at in places)]) for places, worth in terms)
        return value + noise * float(weights.sum()) * Random(f"{name}/{choices}").gauss(0, 1)

    random = Random(name)
    sampled = [score(tuple(map(random.randrange, sizes))) for _ in range(SAMPLES)]
    best = min(_climbed(score, sizes, random) for _ in range(CLIMBS))
    return Landscape(name, Made(sizes), score, float(np.median(sampled)), min(best, *sampled))


def _climbed(score: Callable[[Choices], float], sizes: Choices, random: Random) -> float:
    """Return the bottom of a walk to better neighbours from a random place."""
    here = tuple(map(random.randrange, sizes))
    while True:
        near = [(*here[:at], option, *here[at + 1 :]) for at, size in enumerate(sizes) for option in range(size)]
        lowest = min(near, key=score)
        if score(lowest) >= score(here):
            return score(here)
        here = lowest


def best_so_far(landscape: Landscape, name: str, settings: dict[str, str], seed: int) -> list[float]:
    """Return the best score after each evaluation of one search."""
    strategy = build(name, settings)
    state, best = strategy.begin(seed, Terms(max(MARKS))), list[float]()
    while len(best) < max(MARKS):
        state, proposals = strategy.ask(landscape.space, state, 1)
        if not proposals:
            break
        for one in proposals:
            value = landscape.score(one.architecture.choices)
            best.append(min([value, *best[-1:]]))
            state = strategy.tell(landscape.space, state, Scored(one.number, one.architecture, one.fidelity, (value,)))
    return best + best[-1:] * (max(MARKS) - len(best))


def main() -> None:
    """Print a line per strategy and landscape, and the mean over them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="local_search,genetic,aging_evolution,annealing", help=", ".join(STRATEGIES))
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of every strategy in --only")
    options = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in options.set)
    known = list(landscapes())
    for name in options.only.split(","):
        rows: list[Sequence[float]] = []
        for landscape in known:
            lanes = [best_so_far(landscape, name, settings, seed) for seed in range(1, options.seeds + 1)]
            rows.append([fmean(landscape.regret(lane[mark - 1]) for lane in lanes) for mark in MARKS])
            print(f"{name:18s} {landscape.name:18s} {rows[-1][0]:6.2f} {rows[-1][1]:6.2f}", flush=True)
        print(f"{name:18s} {'mean':18s} " + " ".join(f"{fmean(column):6.2f}" for column in zip(*rows, strict=True)))


if __name__ == "__main__":
    main()

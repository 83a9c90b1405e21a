"""Spaces and scores that cost nothing, to try strategies on."""

from dataclasses import dataclass
from functools import cached_property
from random import Random

from nas.architecture import Architecture, Decision
from nas.sentences import Sentence
from nas.spaces.graph import Task
from nas.spaces.sketch import Sketch
from nas.strategies.protocol import Scored, Terms


@dataclass(frozen=True)
class ToySpace:
    """`length` decisions of `width` options; everything is allowed."""

    length: int = 8
    width: int = 4
    name = "toy"

    @cached_property
    def decisions(self):
        return tuple(Decision(f"d{n}", tuple("abcdefgh"[: self.width])) for n in range(self.length))

    def canonical(self, architecture):
        return architecture

    def complaint(self, architecture):
        return None

    def graph(self, architecture):
        return Sketch(Task((1, 1, 1), 2)).classify("input")


@dataclass(frozen=True)
class GappySpace(ToySpace):
    """Only every third architecture is allowed."""

    def complaint(self, architecture):
        return Sentence("It sums up to no multiple of three.") if sum(architecture.choices) % 3 else None


@dataclass(frozen=True)
class DeepSpace(ToySpace):
    """The first choice says how many of the others are read; the rest is spelled as zeros."""

    def canonical(self, architecture):
        read = 2 + 2 * architecture.choices[0]
        return Architecture("toy", (*architecture.choices[:read], *(0,) * (self.length - read)))


def distance(architecture):
    """The sum of the choices: the best architecture is all zeros, and every better choice makes a better score."""
    return float(sum(architecture.choices))


distance.margin = 3.0


class Rugged:
    """Kauffman's NK landscape: each choice is worth something random that depends on `k` other choices."""

    margin = 1.0

    def __init__(self, length, width, k, seed=0):
        self.length, self.width, self.seed = length, width, seed
        random = Random(seed)
        self.others = [random.sample([j for j in range(length) if j != i], k) for i in range(length)]
        self.worth = {}

    def __call__(self, architecture):
        choices = architecture.choices
        read = ((i, choices[i], *(choices[j] for j in others)) for i, others in enumerate(self.others))
        return sum(self._worth(key) for key in read)

    def _worth(self, key):
        if key not in self.worth:
            self.worth[key] = Random(f"{self.seed}/{key}").gauss(0, 1)
        return self.worth[key]


def search(strategy, space, *, seed, budget, seats=1, value=distance, terms=None):
    """Ask and tell in order until the budget is spent or the strategy ends; returns the proposals."""
    state, asked, waiting = strategy.begin(seed, terms or Terms(budget)), [], []
    while len(asked) < budget or waiting:
        state, proposals = strategy.ask(space, state, min(seats - len(waiting), budget - len(asked)))
        asked, waiting = asked + proposals, waiting + proposals
        if not waiting:
            break
        done = waiting.pop(0)
        score = value(done.architecture)
        state = strategy.tell(space, state, Scored(done.number, done.architecture, done.fidelity, (score,)))
    return asked

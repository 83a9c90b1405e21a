"""Sample, mutate, cross over, neighbours: written once, over choices, for every space."""

from collections.abc import Iterator
from random import Random
from typing import Literal

from nas.architecture import Architecture
from nas.sentences import Refused, Sentence
from nas.spaces.protocol import SearchSpace

TRIES = 1_000


def sample(space: SearchSpace, random: Random) -> Architecture:
    """Draw each choice uniformly; raises Refused where 1,000 draws found nothing that the space allows."""
    reason: Sentence | None = None
    for _ in range(TRIES):
        choices = tuple(random.randrange(len(decision.options)) for decision in space.decisions)
        architecture = space.canonical(Architecture(space.name, choices))
        reason = space.complaint(architecture)
        if reason is None:
            return architecture
    raise Refused(
        "None of {tries} sampled architectures is allowed in the space; the last: {reason}",
        tries=TRIES,
        reason=reason or "-",
    )


def mutate(space: SearchSpace, architecture: Architecture, rate: float, random: Random) -> Architecture:
    """Redraw each choice with probability `rate`, at least one; returns the parent where no change is allowed."""
    for _ in range(TRIES):
        picked = [index for index in range(len(space.decisions)) if random.random() < rate]
        picked = picked or [random.randrange(len(space.decisions))] if space.decisions else []
        choices = list(architecture.choices)
        for index in picked:
            choices[index] = random.randrange(len(space.decisions[index].options))
        child = space.canonical(Architecture(space.name, tuple(choices)))
        if child != architecture and not space.complaint(child):
            return child
    return architecture


def crossover(
    space: SearchSpace,
    mother: Architecture,
    father: Architecture,
    how: Literal["uniform", "one_point"],
    random: Random,
) -> Architecture:
    """Mix two parents, choice by choice or cut at one point; returns the mother where no mix is allowed."""
    length = len(space.decisions)
    for _ in range(TRIES // 10):
        if how == "uniform":
            pairs = zip(mother.choices, father.choices, strict=True)
            choices = tuple(random.choice(pair) for pair in pairs)
        else:
            cut = random.randint(0, length)
            choices = mother.choices[:cut] + father.choices[cut:]
        child = space.canonical(Architecture(space.name, choices))
        if not space.complaint(child):
            return child
    return mother


def neighbours(space: SearchSpace, architecture: Architecture) -> Iterator[Architecture]:
    """Yield each other allowed architecture that one changed choice leads to, once."""
    seen = {architecture}
    for index, decision in enumerate(space.decisions):
        for option in range(len(decision.options)):
            choices = (*architecture.choices[:index], option, *architecture.choices[index + 1 :])
            other = space.canonical(Architecture(space.name, choices))
            if other not in seen and not space.complaint(other):
                seen.add(other)
                yield other

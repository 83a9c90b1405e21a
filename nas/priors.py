"""What earlier searches know: their good architectures, read in the words of another space."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from nas.architecture import Architecture, Decision
from nas.objectives import Limit, Objective
from nas.spaces.protocol import SearchSpace

SHARED = 0.5  # share of decisions that two spaces must have in common
Choices = tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """An earlier search as the plan remembers it: its best value, and after how many evaluations it was reached.

    `run` is 0 where it came out of a file. Where its values are not `comparable`, as of other data, no search can be
    said to have reached its best.
    """

    title: str
    best: float = 0.0
    evaluations: int = 0
    run: int = 0
    comparable: bool = True


@dataclass(frozen=True)
class Evaluation:
    """What counts of an evaluation in an earlier search: its number there, the architecture, what was measured."""

    number: int
    choices: Choices
    metrics: Mapping[str, float]

    @property
    def epochs(self) -> float:
        """How long it was trained, 0 where nobody says."""
        return self.metrics.get("epochs", 0.0)


@dataclass(frozen=True)
class WarmStart:
    """The architectures that a search begins with, and the searches that they come from."""

    starts: tuple[Choices, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Prior:
    """An earlier search: its decisions, and its measured architectures in their order, each with a minimised score."""

    source: Source
    decisions: tuple[Decision, ...]
    measured: tuple[tuple[Choices, float], ...]


def prior(
    source: Source,
    decisions: tuple[Decision, ...],
    evaluations: Sequence[Evaluation],
    objective: Objective,
    limits: Sequence[Limit],
) -> Prior | None:
    """Return what a search tells, `source` completed by its numbers; None where nothing keeps to the limits."""
    within = [one for one in longest(evaluations) if all(limit.holds(one.metrics) for limit in limits)]
    measured = [(objective.score(one.metrics), one) for one in within]
    if not measured:
        return None
    _, best = min(measured, key=lambda pair: pair[0])
    source = replace(source, best=best.metrics[objective.metric], evaluations=best.number)
    return Prior(source, decisions, tuple((one.choices, score) for score, one in measured))


def longest(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Return those that were trained for longest, as scores of shorter trainings do not compare with theirs."""
    epochs = max((one.epochs for one in evaluations), default=0.0)
    return [one for one in evaluations if one.epochs == epochs]


def warm_start(priors: Sequence[Prior], space: SearchSpace, count: int) -> WarmStart:
    """Return up to `count` starts, taken from the searches in turn, best first, near repetitions last."""
    found: list[Architecture] = []
    used = {id(prior): False for prior in priors}
    for row in zip_longest(*(_best_first(prior, space) for prior in priors)):
        if len(found) == count:
            break
        for prior, architecture in zip(priors, row, strict=True):
            if architecture is not None and architecture not in found and len(found) < count:
                found.append(architecture)
                used[id(prior)] = True
    sources = tuple(prior.source for prior in priors if used[id(prior)])
    return WarmStart(tuple(one.choices for one in found), sources)


def is_similar(prior: Sequence[Decision], space: SearchSpace) -> bool:
    """Tell whether at least half of the space's decisions were asked there with an option in common."""
    asked = {decision.name: set(decision.options) for decision in prior}
    shared = sum(bool(asked.get(one.name, set()) & set(one.options)) for one in space.decisions)
    return bool(space.decisions) and shared >= SHARED * len(space.decisions)


def _best_first(prior: Prior, space: SearchSpace) -> Iterator[Architecture]:
    """Yield a search's architectures by score; what differs in one choice from a better one comes after the others."""
    near: list[Architecture] = []
    given: list[Architecture] = []
    for choices, _ in sorted(prior.measured, key=lambda one: one[1]):
        architecture = translate(prior.decisions, choices, space)
        if architecture is None or architecture in given or architecture in near:
            continue
        if any(_distance(architecture, other) <= 1 for other in given):
            near.append(architecture)
            continue
        given.append(architecture)
        yield architecture
    yield from near


def translate(decisions: Sequence[Decision], choices: Sequence[int], space: SearchSpace) -> Architecture | None:
    """Return the architecture with the same options by name, the first option where none is; None where invalid."""
    named: Mapping[str, str] = {one.name: one.options[choice] for one, choice in zip(decisions, choices, strict=True)}
    spelled = tuple(_index(one, named.get(one.name, "")) for one in space.decisions)
    architecture = space.canonical(Architecture(space.name, spelled))
    return None if space.complaint(architecture) else architecture


def _index(decision: Decision, option: str) -> int:
    return decision.options.index(option) if option in decision.options else 0


def _distance(one: Architecture, other: Architecture) -> int:
    return sum(a != b for a, b in zip(one.choices, other.choices, strict=True))

"""How many sampled architectures break a rule or a limit: what a search would look at in vain."""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from nas import codec
from nas.architecture import Architecture
from nas.objectives import Limit
from nas.plan import Plan, search_space
from nas.sentences import Sentence
from nas.spaces.catalogue import SpaceSpec, build
from nas.spaces.graph import Task
from nas.spaces.protocol import SearchSpace
from nas.spaces.rule import Rule

SAMPLED = 1_000


@dataclass(frozen=True)
class Excluded:
    """`count` of `sampled` architectures are not allowed; `example` says why the first of them is not.

    In a table (`of_table`) some may be missing.
    """

    count: int
    sampled: int = SAMPLED
    example: Sentence | None = None
    of_table: bool = False

    @property
    def percent(self) -> float:
        """The share of them in percent."""
        return 100 * self.count / self.sampled


def excluded(plan: Plan) -> Excluded:
    """Return how many of 1,000 architectures, each choice drawn uniformly, are not allowed before any training.

    Raises Refused where there is no such space.
    """
    if plan.is_rehearsal:
        return replace(_count(search_space(plan)), of_table=True)  # not remembered, as its file may change
    spec = plan.space
    settings = json.dumps(codec.dump(spec.settings), sort_keys=True)
    return _remembered(spec.kind, settings, plan.limits, spec.rules, plan.task)


# A form asks again whenever something in it changes, and most of that is not about the space.
@lru_cache(maxsize=100)
def _remembered(kind: str, settings: str, limits: tuple[Limit, ...], rules: tuple[Rule, ...], task: Task) -> Excluded:
    return _count(build(SpaceSpec(kind, json.loads(settings), limits, rules), task))


def _count(space: SearchSpace) -> Excluded:
    random = Random("excluded")
    sizes = [len(decision.options) for decision in space.decisions]
    found = []
    for _ in range(SAMPLED):
        drawn = Architecture(space.name, tuple([random.randrange(size) for size in sizes]))
        complaint = space.complaint(space.canonical(drawn))
        if complaint is not None:
            found.append(complaint)
    return Excluded(len(found), example=found[0] if found else None)

"""Every search space by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from nas.objectives import Limit
from nas.sentences import Refused
from nas.settings import configure
from nas.spaces.baseline import Baseline
from nas.spaces.chain import Chain
from nas.spaces.graph import Task
from nas.spaces.limited import Limited
from nas.spaces.protocol import SearchSpace

SPACES: dict[str, type] = {"chain": Chain, "baseline": Baseline}
SEARCHABLE = tuple(name for name in SPACES if name != Baseline.name)
ABOUT = {"chain": "A sequence of layers: each a convolution, a pooling or fully connected, with optional skips."}


@dataclass(frozen=True)
class SpaceSpec:
    """A space as it is stored and sent: its name, its settings and the limits on it."""

    kind: str
    settings: Mapping[str, Any]
    limits: tuple[Limit, ...] = ()


def build(spec: SpaceSpec, task: Task) -> SearchSpace:
    """Return the space for a task; raises Refused for an unknown name or settings out of bounds."""
    if spec.kind not in SPACES:
        near = get_close_matches(spec.kind, SPACES, n=1, cutoff=0)[0]
        raise Refused("There is no search space {name}; the nearest is {near}.", name=spec.kind, near=near)
    space: SearchSpace = configure(SPACES[spec.kind], spec.settings, task=task)
    return Limited(space, spec.limits) if spec.limits else space

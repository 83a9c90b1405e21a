"""Every search space by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from nas.architecture import Architecture
from nas.objectives import Limit
from nas.sentences import Refused
from nas.settings import configure
from nas.spaces.baseline import Baseline
from nas.spaces.chain import Chain
from nas.spaces.graph import Task
from nas.spaces.limited import Limited
from nas.spaces.mlp import Mlp
from nas.spaces.mnasnet import MnasNet
from nas.spaces.nasbench201 import NasBench201
from nas.spaces.nasnet import NasNet
from nas.spaces.protocol import SearchSpace, Written
from nas.spaces.resnet import ResNet
from nas.spaces.rule import Rule
from nas.spaces.ruled import Ruled
from nas.spaces.table import Tabulated
from nas.spaces.transformer import Transformer

SPACES: dict[str, type] = {
    "chain": Chain,
    "mlp": Mlp,
    "resnet": ResNet,
    "nasnet": NasNet,
    "nasbench201": NasBench201,
    "mnasnet": MnasNet,
    "transformer": Transformer,
    "table": Tabulated,
    "baseline": Baseline,
}
SEARCHABLE = tuple(name for name in SPACES if name not in (Baseline.name, Tabulated.name))
# The kinds of task that a space has networks for; one that is not named here has networks for images.
ANY = ("image", "tabular", "text")
SERVES = {"mlp": ("tabular", "image"), "transformer": ("text", "image"), "table": ANY, "baseline": ANY}
ABOUT = {
    "chain": "A sequence of layers: each a convolution, a pooling or fully connected, with optional skips.",
    "mlp": "Fully connected layers for tables of features, with skips where the width stays.",
    "resnet": "Residual stages of basic or bottleneck blocks, plain or grouped as in ResNeXt.",
    "nasnet": "Cells of NASNet and DARTS: per node two inputs and an operation of each; a normal and a reduction cell.",
    "nasbench201": "The cell of NAS-Bench-201: four nodes, an operation on each of the six edges.",
    "mnasnet": "Mobile blocks: each picks operation, kernel, expansion, squeeze-excite, skip, filters and layers.",
    "table": "The networks of a table, each of them trained by somebody before.",
    "transformer": "Encoder layers over the tokens of a text or the patches of an image.",
}


@dataclass(frozen=True)
class SpaceSpec:
    """A space as it is stored and sent: its name, its settings, and the limits and rules on it."""

    kind: str
    settings: Mapping[str, Any]
    limits: tuple[Limit, ...] = ()
    rules: tuple[Rule, ...] = ()


def build(spec: SpaceSpec, task: Task) -> SearchSpace:
    """Return the space for a task, first with its rules and then with its limits.

    Raises Refused for an unknown name, a task it does not serve, bad settings, a rule that cannot work.
    """
    if spec.kind not in SPACES:
        near = get_close_matches(spec.kind, SPACES, n=1, cutoff=0)[0]
        raise Refused("There is no search space {name}; the nearest is {near}.", name=spec.kind, near=near)
    if not serves(spec.kind, task):
        raise Refused(
            "The space {name} has no networks for {kind} data; these have: {names}.",
            name=spec.kind,
            kind=task.kind,
            names=", ".join(suited(task)),
        )
    space: SearchSpace = configure(SPACES[spec.kind], spec.settings, task=task)
    space = Ruled(space, spec.rules) if spec.rules else space
    return Limited(space, spec.limits) if spec.limits else space


def plain(space: SearchSpace, architecture: Architecture) -> tuple[SearchSpace, Architecture]:
    """Return space and architecture without limits and rules: the choices that a table or a supernet knows."""
    if isinstance(space, Limited):
        return plain(space.inner, architecture)
    if isinstance(space, Ruled):
        return plain(space.inner, space.expanded(architecture))
    return space, architecture


def text_of(space: SearchSpace, architecture: Architecture) -> str | None:
    """Return the text form of an architecture, a genotype for instance, None where its space has none."""
    inner, inside = plain(space, architecture)
    return inner.text_of(inside) if isinstance(inner, Written) else None


def suited(task: Task) -> tuple[str, ...]:
    """Return the searchable spaces that have networks for a task."""
    return tuple(name for name in SEARCHABLE if serves(name, task))


def serves(name: str, task: Task) -> bool:
    """Tell whether a space has networks for a task of this kind."""
    return task.kind in SERVES.get(name, ("image",))

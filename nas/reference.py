"""Whom the winner is compared with in the final stage, under the same budget."""

import json
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from nas import codec
from nas.architecture import Architecture
from nas.sentences import Refused
from nas.spaces import catalogue
from nas.spaces.baseline import Baseline
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.graph import Graph, Task

HAND_MADE, OWN, TORCHVISION = "hand_made", "own", "torchvision"
# Those of torchvision that also compute images of 8 x 8 pixels.
NETWORKS = (
    "resnet18",
    "resnet34",
    "resnet50",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "shufflenet_v2_x1_0",
    "densenet121",
)
TITLES: dict[str, str] = {
    HAND_MADE: "Hand-made network",
    OWN: "Own network",
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "resnet50": "ResNet-50",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3-Small",
    "mobilenet_v3_large": "MobileNetV3-Large",
    "efficientnet_b0": "EfficientNet-B0",
    "shufflenet_v2_x1_0": "ShuffleNetV2 1.0",
    "densenet121": "DenseNet-121",
}


@dataclass(frozen=True)
class Reference:
    """The hand-made network, one of a space by its choices, or one of torchvision.

    It trains as many epochs as the winner or, with `budget` "time", as many as fit into the winner's training time.
    """

    network: str = HAND_MADE
    space: SpaceSpec = field(default_factory=lambda: SpaceSpec(Baseline.name, {}))
    choices: tuple[int, ...] = ()
    budget: Literal["epochs", "time"] = "epochs"

    @property
    def spec(self) -> SpaceSpec:
        """The space of its jobs: torchvision's networks have none, so theirs names the network."""
        return SpaceSpec(TORCHVISION, {"network": self.network}) if self.is_foreign else self.space

    @property
    def is_foreign(self) -> bool:
        """Whether torchvision builds it, so that its graph is not known."""
        return self.network not in (HAND_MADE, OWN)

    @property
    def architecture(self) -> Architecture:
        """The value that stands for it among the candidates."""
        return Architecture(self.spec.kind, () if self.is_foreign else self.choices)

    def graph(self, task: Task) -> Graph:
        """Return its network; raises Refused where it cannot be one of the task, or nobody but torchvision knows it."""
        if self.is_foreign:
            raise Refused(
                "{network} is a network of torchvision: its diagram is not drawn.", network=TITLES[self.network]
            )
        space = catalogue.build(self.space, task)
        sizes = [len(decision.options) for decision in space.decisions]
        fits = len(sizes) == len(self.choices) and all(0 <= c < n for c, n in zip(self.choices, sizes, strict=True))
        if not fits:
            raise Refused(
                "The baseline's choices {choices} are no architecture of the space {space}.",
                choices=", ".join(map(str, self.choices)) or "-",
                space=self.space.kind,
            )
        return space.graph(space.canonical(self.architecture))

    def check(self, task: Task) -> None:
        """Raise Refused where it cannot be trained on the task."""
        if not self.is_foreign:
            self.graph(task)
        elif self.network not in NETWORKS:
            raise _unknown(self.network)
        elif task.kind != "image":
            raise Refused("{network} needs images, not {kind} data.", network=TITLES[self.network], kind=task.kind)


def reference(text: str, space: SpaceSpec, budget: Any = "epochs") -> Reference:
    """Read a baseline: a name, choices such as "1,0,2" of the search's own space, or the path or text of an export.

    An export is the architecture.json of a model. Raises Refused for anything else.
    """
    text = text.strip()
    if budget not in ("epochs", "time"):
        raise Refused("The budget of the baseline is {budget}; it must be epochs or time.", budget=str(budget))
    if text in (HAND_MADE, *NETWORKS):
        return Reference(text, budget=budget)
    if text.endswith(".json"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Refused("The baseline {path} cannot be read: {error}.", path=text, error=str(error)) from error
    if text[:1] in ("{", "["):
        return _exported(text, space, budget)
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        raise _unknown(text)
    return Reference(OWN, space, tuple(map(int, parts)), budget)


def _exported(text: str, space: SpaceSpec, budget: Any) -> Reference:
    try:
        read = json.loads(text)
        about = read if isinstance(read, dict) else {"choices": read}
        spec = codec.load(SpaceSpec, about["space"]) if "space" in about else space
        return Reference(OWN, spec, codec.load(tuple[int, ...], about["choices"]), budget)
    except (ValueError, KeyError, RecursionError) as error:
        raise Refused("The baseline is no exported architecture: it needs space and choices.") from error


def _unknown(text: str) -> Refused:
    known = (HAND_MADE, *NETWORKS)
    near = get_close_matches(text, known, n=1, cutoff=0)[0]
    return Refused("There is no baseline {name}; the nearest is {near}.", name=text[:60], near=near)

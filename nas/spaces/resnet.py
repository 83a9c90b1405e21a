"""Residual networks: stages of basic or bottleneck blocks (He et al., 2016), with groups as in ResNeXt (Xie, 2017)."""

from dataclasses import dataclass
from functools import cached_property

from nas.architecture import Architecture, Decision
from nas.sentences import Refused, Sentence
from nas.settings import setting
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch

EXPANSION = 4
NETWORK = ("stages", "stem filters", "stem kernel", "block", "cardinality", "inner width")


@dataclass(frozen=True)
class Plan:
    """A network as the choices spell it: per stage the number of blocks, the width and the filters inside a block."""

    stem: int
    kernel: int
    bottleneck: bool
    groups: int
    blocks: tuple[int, ...]
    widths: tuple[int, ...]
    inner: tuple[int, ...]


@dataclass(frozen=True)
class ResNet:
    """A stem, then stages of equal blocks; each stage but the first halves the image where it is still large enough.

    A stage is as wide as the one before, the first as the stem, times its factor. A basic block is two 3 x 3
    convolutions of that width; a bottleneck leads through its inner width, in as many groups as its cardinality, to
    four times the width. The shortcut is the identity, or a 1 x 1 convolution where the shape changes (option B).
    Canonical form: basic blocks have neither cardinality nor inner width, options that come to the same widths are
    the first of them, and what a network of fewer stages does not read is 0.
    """

    task: Task
    min_stages: int = setting(1, low=1, high=6, help="Fewest stages of a network.")
    max_stages: int = setting(3, low=1, high=6, help="Most stages of a network.")
    depths: tuple[int, ...] = setting((1, 2, 3), low=1, high=64, help="Blocks of a stage.")
    factors: tuple[float, ...] = setting(
        (1.0, 1.5, 2.0), low=0.25, high=8, help="Width of a stage over that of the stage before it."
    )
    stems: tuple[int, ...] = setting((8, 16), low=1, high=1024, help="Filters of the stem.")
    kernels: tuple[int, ...] = setting((3,), options=(1, 3, 5, 7), help="Kernel sizes of the stem.")
    stem: str = setting(
        "small images",
        options=("small images", "large images"),
        help="For large images the stem halves twice: by its convolution and by a pooling.",
    )
    blocks: tuple[str, ...] = setting(("basic", "bottleneck"), options=("basic", "bottleneck"), help="Kinds of block.")
    cardinalities: tuple[int, ...] = setting((1, 4), low=1, high=64, help="Groups of a bottleneck's 3 x 3 convolution.")
    inner: tuple[float, ...] = setting(
        (1.0, 2.0), low=0.125, high=32, help="Width inside a bottleneck over that of its stage."
    )
    smallest: int = setting(4, low=1, high=512, unit="pixels", help="Side below which no stage shrinks an image.")

    name = "resnet"

    def __post_init__(self) -> None:
        if self.min_stages > self.max_stages:
            raise Refused(
                "min_stages is {low} and max_stages {high}; the first must not be larger.",
                low=self.min_stages,
                high=self.max_stages,
            )

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Six questions about the network, then blocks and width of each stage."""
        stages = tuple(str(count) for count in range(self.min_stages, self.max_stages + 1))
        numbers = (self.stems, self.kernels, self.blocks, self.cardinalities)
        options = (
            stages,
            *(tuple(map(str, those)) for those in numbers),
            tuple(f"x {inner:g}" for inner in self.inner),
        )
        asked = [Decision(name, those) for name, those in zip(NETWORK, options, strict=True)]
        for stage in range(1, self.max_stages + 1):
            asked.append(Decision(f"stage {stage} blocks", tuple(map(str, self.depths))))
            asked.append(Decision(f"stage {stage} width", tuple(f"x {factor:g}" for factor in self.factors)))
        return tuple(asked)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Spell equal widths alike, zero what is not read."""
        stages, stem, kernel, block, cardinality, inner, *rest = architecture.choices
        read = 2 * (self.min_stages + stages)
        width = self.stems[stem]
        for place in range(1, read, 2):
            reached = [_scaled(width, factor) for factor in self.factors]
            width = reached[rest[place]]
            rest[place] = reached.index(width)
        choices = (stages, stem, kernel, block, cardinality, inner, *rest[:read], *[0] * (len(rest) - read))
        if self.blocks[block] == "basic":
            cardinality = inner = 0
        else:
            wanted = self._plan(choices).inner
            tried = ((*choices[:5], index, *choices[6:]) for index in range(len(self.inner)))
            inner = next(index for index, those in enumerate(tried) if self._plan(those).inner == wanted)
        return Architecture(self.name, (*choices[:4], cardinality, inner, *choices[6:]))

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Every canonical architecture is a network."""
        return None

    def graph(self, architecture: Architecture) -> Graph:
        """Draw stem, stages, global average and classifier."""
        plan, sketch = self._plan(architecture.choices), Sketch(self.task)
        at = self._stem(sketch, plan)
        for stage, (blocks, width, inner) in enumerate(zip(plan.blocks, plan.widths, plan.inner, strict=True), start=1):
            for block in range(1, blocks + 1):
                id, group = f"stage{stage}.{block}", f"stage {stage} block {block}"
                stride = self._stride(sketch, at) if stage > 1 and block == 1 else 1
                if plan.bottleneck:
                    at = _bottleneck(sketch, id, at, width, inner=inner, groups=plan.groups, stride=stride, group=group)
                else:
                    at = _basic(sketch, id, at, width, stride=stride, group=group)
        return sketch.classify(sketch.global_pool("pool", at))

    def _plan(self, choices: tuple[int, ...]) -> Plan:
        stages, stem, kernel, block, cardinality, inner, *rest = choices
        blocks, widths = [], [self.stems[stem]]
        for stage in range(self.min_stages + stages):
            blocks.append(self.depths[rest[2 * stage]])
            widths.append(_scaled(widths[-1], self.factors[rest[2 * stage + 1]]))
        groups = self.cardinalities[cardinality]
        # Groups are of equal size: the inner width is rounded up to a multiple of them.
        grouped = tuple(-(-_scaled(width, self.inner[inner]) // groups) * groups for width in widths[1:])
        bottleneck = self.blocks[block] == "bottleneck"
        return Plan(
            self.stems[stem], self.kernels[kernel], bottleneck, groups, tuple(blocks), tuple(widths[1:]), grouped
        )

    def _stem(self, sketch: Sketch, plan: Plan) -> str:
        large = self.stem == "large images"
        stride = self._stride(sketch, "input") if large else 1
        at = sketch.conv("stem", "input", filters=plan.stem, kernel=plan.kernel, stride=stride, group="stem")
        if large and self._stride(sketch, at) == 2:
            at = sketch.pool("stem.pool", at, how="max", size=3, stride=2, group="stem")
        return at

    def _stride(self, sketch: Sketch, source: str) -> int:
        side = min(sketch.shape(source)[1:])
        return 2 if side > 1 and -(-side // 2) >= self.smallest else 1


def _scaled(width: int, factor: float) -> int:
    return max(1, round(width * factor))


def _basic(sketch: Sketch, id: str, source: str, width: int, *, stride: int, group: str) -> str:
    """Add He et al.'s figure 5, left."""
    at = sketch.conv(f"{id}.conv1", source, filters=width, kernel=3, stride=stride, group=group)
    at = sketch.conv(f"{id}.conv2", at, filters=width, kernel=3, activation="none", group=group)
    return _residual(sketch, id, at, source, stride, group)


def _bottleneck(
    sketch: Sketch, id: str, source: str, width: int, *, inner: int, groups: int, stride: int, group: str
) -> str:
    """Add He et al.'s figure 5, right; with groups, Xie et al.'s figure 3c. The 3 x 3 convolution takes the stride."""
    at = sketch.conv(f"{id}.conv1", source, filters=inner, kernel=1, group=group)
    at = sketch.conv(f"{id}.conv2", at, filters=inner, kernel=3, stride=stride, groups=groups, group=group)
    at = sketch.conv(f"{id}.conv3", at, filters=EXPANSION * width, kernel=1, activation="none", group=group)
    return _residual(sketch, id, at, source, stride, group)


def _residual(sketch: Sketch, id: str, at: str, source: str, stride: int, group: str) -> str:
    around, filters = source, sketch.shape(at)[0]
    if sketch.shape(source) != sketch.shape(at):
        around = sketch.conv(
            f"{id}.project", source, filters=filters, kernel=1, stride=stride, activation="none", group=group
        )
    return sketch.add(f"{id}.add", (at, around), activation="relu", group=group)

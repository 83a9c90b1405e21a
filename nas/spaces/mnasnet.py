"""The factorised hierarchical space of mobile networks: each block has its own questions (Tan et al., CVPR 2019)."""

from dataclasses import dataclass, replace
from functools import cached_property

from nas.architecture import Architecture, Decision
from nas.sentences import Sentence
from nas.settings import setting
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch

QUESTIONS = ("operation", "kernel", "expansion", "squeeze-excite", "skip", "filters", "layers")


@dataclass(frozen=True)
class Skeleton:
    """What the options are relative to: filters and stride of the stem, (filters, layers, stride) of each block."""

    stem: tuple[int, int]
    blocks: tuple[tuple[int, int, int], ...]
    head: int


SKELETONS = {
    "small": Skeleton((8, 1), ((8, 1, 1), (12, 2, 2), (16, 2, 1), (24, 2, 2)), 48),
    # Sandler et al. (2018), table 2.
    "MobileNetV2": Skeleton(
        (32, 2), ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1)), 1280
    ),
    # Tan et al. (2019), figure 7: with these filters the paper's networks have factors of 1.
    "MnasNet-A1": Skeleton(
        (32, 2), ((16, 1, 1), (24, 2, 2), (40, 3, 2), (80, 4, 2), (112, 2, 1), (160, 3, 2), (320, 1, 1)), 1280
    ),
    "MnasNet-B1": Skeleton(
        (32, 2), ((16, 1, 1), (24, 3, 2), (40, 3, 2), (80, 3, 2), (96, 2, 1), (192, 4, 2), (320, 1, 1)), 1280
    ),
}


@dataclass(frozen=True)
class Block:
    """One block as the choices spell it: `layers` equal layers, the first of which takes stride and new filters."""

    operation: str
    kernel: int
    expansion: int
    ratio: float
    skip: str
    filters: int
    layers: int
    source: int
    stride: int

    @property
    def squeezed(self) -> tuple[int, ...]:
        """Filters between the two layers of each squeeze-and-excitation, relative to what the layer reads; 0: none."""
        return tuple(max(1, int(read * self.ratio)) if self.ratio else 0 for read in self._reads)

    @property
    def skips(self) -> tuple[str, ...]:
        """The skip that each layer really has: the identity keeps the shape, a pooling the filters."""
        first = self.source == self.filters and (self.skip == "pool" or self.stride == 1)
        return (self.skip if first else "none", *[self.skip] * (self.layers - 1))

    @property
    def _reads(self) -> tuple[int, ...]:
        return (self.source, *[self.filters] * (self.layers - 1))


@dataclass(frozen=True)
class MnasNet:
    """Blocks of equal layers; each block picks operation, kernel, expansion, squeeze-excite, skip, filters and layers.

    Filters and layers are relative to a skeleton. An image too small for all its strides keeps the later ones.
    Canonical form: options that draw the same block (a skip that fits nowhere, the expansion of anything but an
    inverted bottleneck, ratios that come to the same filters) are the first of them.
    """

    task: Task
    skeleton: str = setting(
        "small", options=tuple(SKELETONS), help="Blocks, filters, layers and strides that the options are relative to."
    )
    operations: tuple[str, ...] = setting(
        ("conv", "sepconv", "mbconv"),
        options=("conv", "sepconv", "mbconv"),
        help="Layers: a convolution, a depthwise-separable one or a mobile inverted bottleneck.",
    )
    kernels: tuple[int, ...] = setting((3, 5), options=(3, 5, 7), help="Kernel sizes.")
    expansions: tuple[int, ...] = setting(
        (3, 6), low=2, high=16, help="Filters inside an inverted bottleneck over those it reads."
    )
    ratios: tuple[float, ...] = setting(
        (0.0, 0.25), low=0, high=1, help="Filters inside squeeze-and-excitation over those a layer reads; 0 is none."
    )
    skips: tuple[str, ...] = setting(
        ("none", "identity", "pool"), options=("none", "identity", "pool"), help="Skips around a layer."
    )
    factors: tuple[float, ...] = setting(
        (0.75, 1.0, 1.25), low=0.1, high=4, help="Filters of a block over those of the skeleton."
    )
    more_layers: tuple[int, ...] = setting(
        (-1, 0, 1), low=-3, high=10, help="Layers of a block more than in the skeleton; at least one is left."
    )
    smallest: int = setting(4, low=1, high=512, unit="pixels", help="Side below which no stride shrinks an image.")

    name = "mnasnet"

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Seven questions per block."""
        asked = []
        for block, (filters, layers) in enumerate(self._sizes, start=1):
            options = (
                self.operations,
                tuple(map(str, self.kernels)),
                tuple(map(str, self.expansions)),
                tuple(f"{ratio:g}" for ratio in self.ratios),
                self.skips,
                tuple(map(str, filters)),
                tuple(map(str, layers)),
            )
            asked += [Decision(f"block {block} {what}", those) for what, those in zip(QUESTIONS, options, strict=True)]
        return tuple(asked)

    @cached_property
    def _sizes(self) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
        """The filters and the layers that each block can have, equal ones once."""
        found = []
        for filters, layers, _ in SKELETONS[self.skeleton].blocks:
            widths = dict.fromkeys(max(1, round(filters * factor)) for factor in self.factors)
            depths = dict.fromkeys(max(1, layers + more) for more in self.more_layers)
            found.append((tuple(widths), tuple(depths)))
        return tuple(found)

    @cached_property
    def _strides(self) -> tuple[int, ...]:
        """Strides of stem and blocks: the last ones of the skeleton that leave `smallest` pixels."""
        skeleton, side, left = SKELETONS[self.skeleton], min(self.task.input_shape[1:]), 0
        while side > 1 and -(-side // 2) >= self.smallest:
            side, left = -(-side // 2), left + 1
        strides = []
        for stride in reversed((skeleton.stem[1], *(stride for _, _, stride in skeleton.blocks))):
            strides.append(stride if left else 1)
            left -= stride == 2 and left > 0
        return tuple(reversed(strides))

    def canonical(self, architecture: Architecture) -> Architecture:
        """Give each block the first options that draw it."""
        spelled: list[int] = []
        for place, block in enumerate(self._blocks(architecture.choices)):
            operation, kernel, expansion, _, _, filters, layers = architecture.choices[7 * place : 7 * place + 7]
            expansion = expansion if block.operation == "mbconv" else 0
            ratio = [replace(block, ratio=ratio).squeezed for ratio in self.ratios].index(block.squeezed)
            skip = [replace(block, skip=skip).skips for skip in self.skips].index(block.skips)
            spelled += (operation, kernel, expansion, ratio, skip, filters, layers)
        return Architecture(self.name, tuple(spelled))

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Every canonical architecture is a network."""
        return None

    def graph(self, architecture: Architecture) -> Graph:
        """Draw stem, blocks, a last 1 x 1 convolution, global average and classifier."""
        skeleton, sketch = SKELETONS[self.skeleton], Sketch(self.task)
        at = sketch.conv("stem", "input", filters=skeleton.stem[0], kernel=3, stride=self._strides[0], group="stem")
        for number, block in enumerate(self._blocks(architecture.choices), start=1):
            for layer in range(block.layers):
                at = _layer(sketch, f"block{number}.{layer + 1}", at, block, layer, f"block {number} layer {layer + 1}")
        at = sketch.conv("head", at, filters=skeleton.head, kernel=1, group="head")
        return sketch.classify(sketch.global_pool("pool", at, group="head"))

    def _blocks(self, choices: tuple[int, ...]) -> list[Block]:
        skeleton, blocks = SKELETONS[self.skeleton], list[Block]()
        for place, stride in enumerate(self._strides[1:]):
            operation, kernel, expansion, ratio, skip, filters, layers = choices[7 * place : 7 * place + 7]
            widths, depths = self._sizes[place]
            block = Block(
                operation=self.operations[operation],
                kernel=self.kernels[kernel],
                expansion=self.expansions[expansion],
                ratio=self.ratios[ratio],
                skip=self.skips[skip],
                filters=widths[filters],
                layers=depths[layers],
                source=blocks[-1].filters if blocks else skeleton.stem[0],
                stride=stride,
            )
            blocks.append(block)
        return blocks


def _layer(sketch: Sketch, id: str, source: str, block: Block, layer: int, group: str) -> str:
    """Add one layer and its skip; only ReLU stands between convolutions, none after the last of a bottleneck."""
    stride = block.stride if layer == 0 else 1
    if block.operation == "conv":
        at = sketch.conv(f"{id}.conv", source, filters=block.filters, kernel=block.kernel, stride=stride, group=group)
        at = _squeeze_excite(sketch, id, at, block.squeezed[layer], group)
    else:
        at, inner = source, sketch.shape(source)[0]
        if block.operation == "mbconv":
            inner *= block.expansion
            at = sketch.conv(f"{id}.expand", at, filters=inner, kernel=1, group=group)
        at = sketch.conv(
            f"{id}.depthwise", at, filters=inner, kernel=block.kernel, stride=stride, groups=inner, group=group
        )
        at = _squeeze_excite(sketch, id, at, block.squeezed[layer], group)
        at = sketch.conv(f"{id}.project", at, filters=block.filters, kernel=1, activation="none", group=group)
    around = source
    if block.skips[layer] == "pool":
        around = sketch.pool(f"{id}.pool", source, how="average", size=3, stride=stride, group=group)
    return at if block.skips[layer] == "none" else sketch.add(f"{id}.add", (at, around), group=group)


def _squeeze_excite(sketch: Sketch, id: str, source: str, squeezed: int, group: str) -> str:
    return sketch.squeeze_excite(f"{id}.se", source, squeezed=squeezed, group=group) if squeezed else source

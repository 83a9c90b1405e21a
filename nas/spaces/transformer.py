"""Transformer encoders: over the tokens of a text (Vaswani et al., 2017) or the patches of an image (ViT, 2021)."""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from nas.architecture import Architecture, Decision
from nas.sentences import Refused, Sentence
from nas.settings import setting
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch


@dataclass(frozen=True)
class Transformer:
    """Pre-norm encoder layers, x + attention(LN(x)) then x + feed-forward(LN(x)), and the mean over the tokens.

    Depth, width, activation and patch size are the network's; heads and feed-forward ratio each layer's, or the same
    in all of them where `tied`. Canonical form: heads that do not divide the width become the nearest that do, the
    fewer on a tie, and what a shallower network does not read is 0.
    """

    task: Task
    min_layers: int = setting(1, low=1, high=48, help="Fewest encoder layers of a network.")
    max_layers: int = setting(4, low=1, high=48, help="Most encoder layers of a network.")
    widths: tuple[int, ...] = setting((16, 32, 64), low=1, high=4096, help="Width of a token.")
    heads: tuple[int, ...] = setting((1, 2, 4), low=1, high=64, help="Heads of an attention; they divide the width.")
    ratios: tuple[int, ...] = setting((1, 2, 4), low=1, high=16, help="Width of the feed-forward layer over a token's.")
    activations: tuple[str, ...] = setting(
        ("gelu", "relu"), options=("gelu", "relu", "silu"), help="Activations of the feed-forward layers."
    )
    tied: bool = setting(False, help="Give all layers the same heads and feed-forward ratio.")
    patches: tuple[int, ...] = setting(
        (1, 2, 4, 7, 14, 16),
        low=1,
        high=256,
        unit="pixels",
        images_only=True,
        help="Sides of an image's patches; those that do not divide the image, or make too many tokens, are left out.",
    )
    most_tokens: int = setting(256, low=1, high=65536, images_only=True, help="Most patches of an image.")

    name = "transformer"

    def __post_init__(self) -> None:
        if self.min_layers > self.max_layers:
            raise Refused(
                "min_layers is {low} and max_layers {high}; the first must not be larger.",
                low=self.min_layers,
                high=self.max_layers,
            )
        for width in self.widths:
            if all(width % heads for heads in self.heads):
                raise Refused(
                    "None of the heads {heads} divides the width {width}.",
                    heads=", ".join(map(str, self.heads)),
                    width=width,
                )
        if self.task.kind == "image" and not self._patches:
            _, height, wide = self.task.input_shape
            raise Refused(
                "No patch side of {sides} cuts an image of {height} x {width} into at most {most} whole patches.",
                sides=", ".join(map(str, self.patches)),
                height=height,
                width=wide,
                most=self.most_tokens,
            )

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Depth, width, activation, the patches of an image, then heads and ratio: once where tied, else per layer."""
        depths = tuple(str(depth) for depth in range(self.min_layers, self.max_layers + 1))
        asked = [
            Decision("depth", depths),
            Decision("width", tuple(map(str, self.widths))),
            Decision("activation", self.activations),
        ]
        if self.task.kind == "image":
            asked.append(Decision("patch size", tuple(map(str, self._patches))))
        for layer in ("every",) if self.tied else range(1, self.max_layers + 1):
            asked.append(Decision(f"layer {layer} heads", tuple(map(str, self.heads))))
            asked.append(Decision(f"layer {layer} feed-forward", tuple(f"{ratio} x width" for ratio in self.ratios)))
        return tuple(asked)

    @cached_property
    def _patches(self) -> tuple[int, ...]:
        _, height, width = self.task.input_shape
        whole = (side for side in self.patches if height % side == 0 and width % side == 0)
        return tuple(side for side in whole if (height // side) * (width // side) <= self.most_tokens)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Give each layer heads that divide the width, zero what is not read."""
        network, layers = self._split(architecture)
        width = self.widths[network[1]]
        read = 1 if self.tied else self.min_layers + network[0]
        repaired = [(self._fitting(heads, width), ratio) for heads, ratio in layers[:read]]
        unread = [(0, 0)] * (len(layers) - read)
        return Architecture(self.name, (*network, *chain(*repaired, *unread)))

    def _fitting(self, choice: int, width: int) -> int:
        fits = [index for index, heads in enumerate(self.heads) if width % heads == 0]
        wanted = self.heads[choice]
        return min(fits, key=lambda index: (abs(self.heads[index] - wanted), self.heads[index]))

    def _split(self, architecture: Architecture) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
        """Return the choices of the network and, per layer, those of heads and ratio."""
        shared = 4 if self.task.kind == "image" else 3
        layers = architecture.choices[shared:]
        return architecture.choices[:shared], list(zip(layers[::2], layers[1::2], strict=True))

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Every canonical architecture is a network."""
        return None

    def graph(self, architecture: Architecture) -> Graph:
        """Draw tokens, encoder layers, a last normalisation, the mean and the classifier."""
        network, layers = self._split(architecture)
        width, activation = self.widths[network[1]], self.activations[network[2]]
        sketch = Sketch(self.task)
        if self.task.kind == "image":
            at = sketch.patches("tokens", "input", size=self._patches[network[3]], width=width)
        else:
            at = sketch.embed("tokens", "input", width=width)
        for layer in range(self.min_layers + network[0]):
            heads, ratio = layers[0] if self.tied else layers[layer]
            hidden = width * self.ratios[ratio]
            at = _encoder(sketch, at, layer + 1, heads=self.heads[heads], hidden=hidden, activation=activation)
        return sketch.classify(sketch.global_pool("pool", sketch.layer_norm("norm", at)))


def _encoder(sketch: Sketch, source: str, layer: int, *, heads: int, hidden: int, activation: str) -> str:
    """Add one pre-norm layer (Xiong et al., 2020, figure 1b)."""
    id, group, width = f"layer{layer}", f"layer {layer}", sketch.shape(source)[1]
    at = sketch.layer_norm(f"{id}.norm1", source, group=group)
    at = sketch.attention(f"{id}.attention", at, heads=heads, group=group)
    middle = sketch.add(f"{id}.add1", (at, source), group=group)
    at = sketch.layer_norm(f"{id}.norm2", middle, group=group)
    at = sketch.dense(f"{id}.hidden", at, units=hidden, activation=activation, group=group)
    at = sketch.dense(f"{id}.back", at, units=width, activation="none", group=group)
    return sketch.add(f"{id}.add2", (at, middle), group=group)

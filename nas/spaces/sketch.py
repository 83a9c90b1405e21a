"""Draws a graph operation by operation, working out shapes, parameters and multiply-adds on the way."""

from math import prod
from typing import Literal

from nas.sentences import Refused
from nas.spaces.graph import Graph, Node, Op, Options, Shape, Sides, Task, sides

Order = Literal["conv first", "activation first"]
How = Literal["max", "average"]
WANTED = {3: "an image", 2: "tokens", 1: "a vector"}


class Sketch:
    """A graph in the making; each method adds a node, under an id of its own, and returns that id."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._nodes: dict[str, Node] = {}
        self._add(Node("input", "input", (), task.input_shape))

    def shape(self, id: str) -> Shape:
        """Return the output shape of a node already drawn."""
        return self._nodes[id].shape

    def conv(
        self,
        id: str,
        source: str,
        *,
        filters: int,
        kernel: int | Sides,
        stride: int | Sides = 1,
        groups: int = 1,
        dilation: int = 1,
        norm: bool = True,
        activation: str = "relu",
        order: Order = "conv first",
        bias: bool | None = None,
        group: str = "",
    ) -> str:
        """Add a same-padded convolution, with batch normalisation after it and an activation after or before both.

        Kernel and stride are one side or (height, width), the kernel's odd. The bias, unless told, is there where
        the normalisation is not. Raises Refused where the groups do not divide the channels and the filters.
        """
        channels, height, width = self._read(id, source, 3)
        (down, right), (tall, wide) = sides(stride), sides(kernel)
        if tall % 2 == 0 or wide % 2 == 0:
            raise Refused("{id} has a kernel of {tall} x {wide}; both must be odd.", id=id, tall=tall, wide=wide)
        if channels % groups or filters % groups:
            raise Refused(
                "{id} cannot split {channels} channels and {filters} filters into {groups} groups.",
                id=id,
                channels=channels,
                filters=filters,
                groups=groups,
            )
        biased = not norm if bias is None else bias
        options: Options = {
            "filters": filters,
            "kernel": tall if tall == wide else (tall, wide),
            "stride": down if down == right else (down, right),
            "groups": groups,
            "dilation": dilation,
            "norm": norm,
            "activation": activation,
            "order": order,
            "bias": biased,
        }
        shape = (filters, -(-height // down), -(-width // right))
        weights = tall * wide * channels // groups * filters
        parameters = weights + (2 * norm + biased) * filters
        return self._put(id, "conv", source, shape, parameters, weights * shape[1] * shape[2], options, group)

    def pool(self, id: str, source: str, *, how: How, size: int, stride: int = 2, group: str = "") -> str:
        """Add a pooling: size 2 of stride 2 without padding, or size 3 padded by one; averages leave padding out."""
        channels, height, width = self._read(id, source, 3)
        if size not in (2, 3) or (size == 2 and stride != 2):
            raise Refused(
                "{id} cannot pool {size} x {size} with stride {stride}: it must be size 2 with stride 2, or size 3.",
                id=id,
                size=size,
                stride=stride,
            )
        if size == 2 and min(height, width) < 2:
            raise Refused("{id} cannot pool an image of {height} x {width}.", id=id, height=height, width=width)
        pooled = (height // 2, width // 2) if size == 2 else (-(-height // stride), -(-width // stride))
        options: Options = {"how": how, "size": size, "stride": stride}
        return self._put(id, "pool", source, (channels, *pooled), options=options, group=group)

    def factorized_reduce(self, id: str, source: str, *, filters: int, group: str = "") -> str:
        """Add the skip of stride 2 of cell spaces (Liu et al. 2019): ReLU, two 1 x 1 convolutions of stride 2, BN.

        The second convolution reads the image shifted by a pixel; their channels, half each, are concatenated.
        """
        channels, height, width = self._read(id, source, 3)
        if filters < 2:
            raise Refused("{id} has {filters} filters; it needs one for each half.", id=id, filters=filters)
        shape = (filters, -(-height // 2), -(-width // 2))
        weights = channels * filters
        options: Options = {"norm": True, "activation": "relu", "order": "activation first"}
        adds = weights * shape[1] * shape[2]
        return self._put(id, "factorized_reduce", source, shape, weights + 2 * filters, adds, options, group)

    def zero(self, id: str, source: str, *, stride: int = 1, filters: int | None = None, group: str = "") -> str:
        """Add zeros in place of the source, with other channels or fewer pixels where asked for."""
        channels, height, width = self._read(id, source, 3)
        shape = (filters or channels, -(-height // stride), -(-width // stride))
        return self._put(id, "zero", source, shape, group=group)

    def activate(self, id: str, source: str, *, norm: bool = True, activation: str = "relu", group: str = "") -> str:
        """Add batch normalisation, of tokens layer normalisation, then an activation, or one of the two."""
        shape = self._read(id, source)
        parameters = 2 * _channels(shape) if norm else 0
        options: Options = {"norm": norm, "activation": activation}
        return self._put(id, "activation", source, shape, parameters, options=options, group=group)

    def layer_norm(self, id: str, source: str, *, group: str = "") -> str:
        """Add layer normalisation of tokens."""
        self._read(id, source, 2)
        return self.activate(id, source, norm=True, activation="none", group=group)

    def concat(self, id: str, sources: tuple[str, ...], *, group: str = "") -> str:
        """Join channels of images of one size, or the features of vectors or tokens."""
        shapes = [self._read(id, source) for source in sources]
        axis = len(shapes[0]) - 1 if len(shapes[0]) < 3 else 0
        if len({(len(shape), shape[:axis] + shape[axis + 1 :]) for shape in shapes}) != 1:
            raise Refused("{id} cannot join outputs of shapes {shapes}.", id=id, shapes=str(shapes))
        joined = sum(shape[axis] for shape in shapes)
        shape = (*shapes[0][:axis], joined, *shapes[0][axis + 1 :])
        return self._add(Node(id, "concat", tuple(sources), shape, group=group))

    def add(self, id: str, sources: tuple[str, ...], *, activation: str = "none", group: str = "") -> str:
        """Add outputs of equal shape, then an activation."""
        shapes = {self._read(id, source) for source in sources}
        if len(shapes) != 1:
            raise Refused("{id} cannot add outputs of different shapes: {shapes}.", id=id, shapes=str(sorted(shapes)))
        return self._add(Node(id, "add", tuple(sources), shapes.pop(), options={"activation": activation}, group=group))

    def squeeze_excite(self, id: str, source: str, *, squeezed: int, activation: str = "relu", group: str = "") -> str:
        """Scale each channel by a gate: global pool, dense to `squeezed`, activation, dense back, sigmoid (Hu 2018)."""
        shape = self._read(id, source, 3)
        weights = 2 * shape[0] * squeezed
        options: Options = {"squeezed": squeezed, "activation": activation}
        parameters = weights + squeezed + shape[0]
        return self._put(id, "squeeze_excite", source, shape, parameters, weights, options, group)

    def global_pool(self, id: str, source: str, *, group: str = "") -> str:
        """Average each channel over the image, or each feature over the tokens."""
        shape = self._read(id, source)
        return self._put(id, "global_pool", source, (_channels(shape),), group=group)

    def flatten(self, id: str, source: str, *, group: str = "") -> str:
        """Lay an image or tokens out as one vector."""
        return self._put(id, "flatten", source, (prod(self._read(id, source)),), group=group)

    def dense(
        self, id: str, source: str, *, units: int, norm: bool = False, activation: str = "relu", group: str = ""
    ) -> str:
        """Add a fully connected layer over a vector or over each token, with optional normalisation and activation."""
        shape = self._read(id, source, 1, 2)
        options: Options = {"units": units, "norm": norm, "activation": activation}
        weights = shape[-1] * units
        parameters = weights + (2 * units if norm else units)
        shape = (*shape[:-1], units)
        return self._put(id, "dense", source, shape, parameters, weights * prod(shape[:-1]), options, group)

    def embed(self, id: str, source: str, *, width: int, group: str = "") -> str:
        """Turn a text's token ids into tokens of `width` features: a learned vector per id plus one per position."""
        if source != "input" or self.task.kind != "text":
            raise Refused("{id} embeds a text, but {source} is none.", id=id, source=source)
        (length,) = self.task.input_shape
        return self._put(id, "embed", source, (length, width), (self.task.vocabulary + length) * width, group=group)

    def patches(self, id: str, source: str, *, size: int, width: int, group: str = "") -> str:
        """Cut an image into squares and project each to a token of `width`, plus a learned vector per position.

        Dosovitskiy et al. (2021). Raises Refused where the size does not divide the image.
        """
        channels, high, wide = self._read(id, source, 3)
        if high % size or wide % size:
            raise Refused(
                "{id} cannot cut an image of {height} x {width} into patches of {size} x {size}.",
                id=id,
                height=high,
                width=wide,
                size=size,
            )
        length, weights = high * wide // size**2, channels * size * size * width
        parameters = weights + width + length * width
        return self._put(id, "patches", source, (length, width), parameters, weights * length, {"size": size}, group)

    def attention(self, id: str, source: str, *, heads: int, group: str = "") -> str:
        """Add multi-head self-attention over tokens, its four projections with bias (Vaswani et al. 2017).

        Raises Refused where the heads do not divide the width.
        """
        length, width = self._read(id, source, 2)
        if width % heads:
            raise Refused("{id} cannot split a width of {width} into {heads} heads.", id=id, width=width, heads=heads)
        adds = 4 * length * width * width + 2 * length * length * width
        parameters = 4 * width * width + 4 * width
        return self._put(id, "attention", source, (length, width), parameters, adds, {"heads": heads}, group)

    def classify(self, source: str) -> Graph:
        """Finish with the linear layer that tells the classes, or the number, of a vector, and return the graph."""
        (features,) = self._read("output", source, 1)
        classes = self.task.classes
        options: Options = {} if self.task.goal == "classes" else {"goal": self.task.goal}
        parameters = (features + 1) * classes
        self._put("output", "classifier", source, (classes,), parameters, features * classes, options)
        return Graph(self.task, tuple(self._nodes.values()))

    def _read(self, id: str, source: str, *wanted: int) -> Shape:
        """Return the shape of what `id` reads; raises Refused where it has not one of the wanted numbers of sides."""
        shape = self.shape(source)
        if source == "input" and self.task.kind == "text":
            raise Refused("{id} cannot read a text's token ids before they are embedded.", id=id)
        if wanted and len(shape) not in wanted:
            expected = " or ".join(WANTED[count] for count in wanted)
            raise Refused(
                "{id} reads {expected}, but the output of {source} has the shape {shape}.",
                id=id,
                expected=expected,
                source=source,
                shape=str(shape),
            )
        return shape

    def _put(
        self,
        id: str,
        op: Op,
        source: str,
        shape: Shape,
        parameters: int = 0,
        multiply_adds: int = 0,
        options: Options | None = None,
        group: str = "",
    ) -> str:
        return self._add(Node(id, op, (source,), shape, parameters, multiply_adds, options or {}, group))

    def _add(self, node: Node) -> str:
        if node.id in self._nodes:
            raise Refused("There are two nodes with the id {id}.", id=node.id)
        self._nodes[node.id] = node
        return node.id


def _channels(shape: Shape) -> int:
    return shape[-1] if len(shape) == 2 else shape[0]

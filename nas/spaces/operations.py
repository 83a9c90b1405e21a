"""The operations of cell spaces, drawn as DARTS (Liu et al., ICLR 2019) defines them."""

from nas.spaces.sketch import Sketch

DARTS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
OPERATIONS = (*DARTS, "sep_conv_7x7", "conv_7x1_1x7", "none")


def operate(sketch: Sketch, id: str, source: str, operation: str, *, stride: int, group: str) -> str:
    """Draw one operation as DARTS defines it: convolutions are ReLU-conv-BN, separable ones applied twice."""
    width = sketch.shape(source)[0]
    kind, _, size = operation.rpartition("_")
    if operation == "skip_connect":
        return source if stride == 1 else sketch.factorized_reduce(id, source, filters=width, group=group)
    if kind == "max_pool":
        return sketch.pool(id, source, how="max", size=3, stride=stride, group=group)
    if kind == "avg_pool":
        return sketch.pool(id, source, how="average", size=3, stride=stride, group=group)
    kernel = int(size[0])
    if kind == "dil_conv":
        return _separable(sketch, id, source, kernel, stride=stride, dilation=2, group=group)
    if kind == "sep_conv":
        once = _separable(sketch, f"{id}.a", source, kernel, stride=stride, group=group)
        return _separable(sketch, f"{id}.b", once, kernel, group=group)
    flat = sketch.conv(
        f"{id}.wide",
        source,
        filters=width,
        kernel=(1, 7),
        stride=(1, stride),
        norm=False,
        bias=False,
        order="activation first",
        group=group,
    )
    return sketch.conv(
        f"{id}.tall", flat, filters=width, kernel=(7, 1), stride=(stride, 1), activation="none", group=group
    )


def _separable(
    sketch: Sketch, id: str, source: str, kernel: int, *, stride: int = 1, dilation: int = 1, group: str
) -> str:
    """Draw ReLU, a convolution of each channel by itself, one of 1 x 1 over all channels, batch normalisation."""
    width = sketch.shape(source)[0]
    depthwise = sketch.conv(
        f"{id}.depthwise",
        source,
        filters=width,
        kernel=kernel,
        stride=stride,
        groups=width,
        dilation=dilation,
        norm=False,
        bias=False,
        order="activation first",
        group=group,
    )
    return sketch.conv(f"{id}.pointwise", depthwise, filters=width, kernel=1, activation="none", group=group)

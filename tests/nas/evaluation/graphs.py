"""Random networks that use every operation of the graph, and inputs for them."""

from random import Random

import torch
from hypothesis import strategies as st
from torch import Tensor

from nas.datasets.words import PAD
from nas.evaluation.networks import ACTIVATIONS, Network, build
from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch

TASKS = (
    Task((1, 8, 8), 3),
    Task((3, 7, 5), 2),
    Task((2, 1, 1), 2),
    Task((2, 4, 12), 4),
    Task((6,), 3),
    Task((5,), 2, vocabulary=11),
)
IMAGE = (
    "conv",
    "depthwise",
    "oblong",
    "pool",
    "halve",
    "factorized_reduce",
    "zero",
    "squeeze_excite",
    "activate",
    "patches",
    "concat",
    "add",
    "global_pool",
    "flatten",
)
TOKENS = ("attention", "layer_norm", "activate", "dense", "concat", "add", "global_pool", "flatten")
VECTOR = ("dense", "activate", "concat", "add")
ORDERS = ("conv first", "activation first")
STRIDES = (1, 2)


def random_graph(seed: int) -> Graph:
    """Up to fourteen operations on whatever is there; in the end all of it meets in one vector."""
    random = Random(seed)
    sketch = Sketch(random.choice(TASKS))
    values = [sketch.embed("embed", "input", width=4)] if sketch.task.kind == "text" else ["input"]
    for number in range(random.randint(1, 14)):
        source = random.choice(values)
        operation = random.choice({3: IMAGE, 2: TOKENS, 1: VECTOR}[len(sketch.shape(source))])
        values.append(_drawn(random, sketch, f"{number}.op-{number}", source, operation, values))
    ends = [id if len(sketch.shape(id)) == 1 else sketch.global_pool(f"end of {id}", id) for id in values]
    return sketch.classify(sketch.concat("joined", tuple(ends)))


def _drawn(random: Random, sketch: Sketch, id: str, source: str, operation: str, values: list[str]) -> str:
    shape, pick = sketch.shape(source), random.choice
    same = [other for other in values if sketch.shape(other) == shape]
    norm, activation, order = pick([True, False]), pick(sorted(ACTIVATIONS)), pick(ORDERS)
    match operation:
        case "conv":
            groups = pick([count for count in (1, 2, 3) if shape[0] % count == 0])
            return sketch.conv(
                id,
                source,
                filters=random.randint(1, 3) * groups,
                kernel=pick([1, 3, 5]),
                stride=pick(STRIDES),
                groups=groups,
                dilation=pick([1, 2]),
                norm=norm,
                activation=activation,
                order=order,
                bias=pick([None, False, True]),
            )
        case "depthwise":
            return sketch.conv(id, source, filters=shape[0], kernel=3, groups=shape[0], norm=norm, order=order)
        case "oblong":
            return sketch.conv(id, source, filters=2, kernel=(1, 5), stride=(1, pick(STRIDES)), activation=activation)
        case "pool":
            return sketch.pool(id, source, how=pick(["max", "average"]), size=3, stride=pick(STRIDES))
        case "halve" if min(shape[1:]) >= 2:
            return sketch.pool(id, source, how=pick(["max", "average"]), size=2)
        case "factorized_reduce":
            return sketch.factorized_reduce(id, source, filters=random.randint(2, 5))
        case "zero" | "halve":
            return sketch.zero(id, source, stride=pick(STRIDES), filters=pick([None, 2]))
        case "squeeze_excite":
            return sketch.squeeze_excite(id, source, squeezed=random.randint(1, 3), activation=activation)
        case "activate":
            return sketch.activate(id, source, norm=norm, activation=activation)
        case "patches":
            sizes = [side for side in (1, 2, 4) if shape[1] % side == shape[2] % side == 0]
            return sketch.patches(id, source, size=pick(sizes), width=4)
        case "attention":
            return sketch.attention(id, source, heads=pick([count for count in (1, 2, 4) if shape[1] % count == 0]))
        case "layer_norm":
            return sketch.layer_norm(id, source)
        case "dense":
            return sketch.dense(id, source, units=random.randint(1, 5), norm=norm, activation=activation)
        case "concat":
            return sketch.concat(id, (source, *same))
        case "add":
            return sketch.add(id, (source, *same), activation=activation)
        case "global_pool":
            return sketch.global_pool(id, source)
        case _:
            return sketch.flatten(id, source)


graphs = st.integers(0, 10**9).map(random_graph)


def inputs(task: Task, count: int = 3) -> Tensor:
    """A batch of inputs for a task, the same each time."""
    draw = torch.Generator().manual_seed(0)
    if task.kind == "text":
        ids = torch.randint(0, task.vocabulary, (count, *task.input_shape), generator=draw)
        ids[1:2, 2:], ids[2:3] = PAD, PAD  # a short text, and one without words
        return ids
    return torch.randn(count, *task.input_shape, generator=draw)


def unsettled(graph: Graph, seed: int = 0) -> Network:
    """The graph's network, ready to predict, every weight and statistic moved away from where it starts."""
    network, draw = build(graph, seed), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.add_(0.3 * torch.rand(value.shape, generator=draw))
    return network.eval()

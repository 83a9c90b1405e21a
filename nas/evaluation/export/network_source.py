"""A network as PyTorch source: its class, and the layers that torch has not ready-made."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from nas.evaluation import layers
from nas.evaluation.networks import ACTIVATION_LAYERS, layer_name
from nas.spaces.graph import Graph, Node, Options, Shape, Task, sides

CLASS = '''class Network(nn.Module):
    """{parameters:,} parameters, {multiply_adds:,} multiply-adds for one {input}."""

    def __init__(self) -> None:
        super().__init__()
{layers}

    def forward(self, {inputs}: Tensor) -> Tensor:
        """Return {told} (count, {outputs}) of {inputs} {shape}."""
{steps}
        return output'''
ACTIVATIONS = {
    "relu": "F.relu({})",
    "relu6": "F.relu6({})",
    "silu": "F.silu({})",
    "hardswish": "F.hardswish({})",
    "gelu": "F.gelu({})",
    "tanh": "torch.tanh({})",
    "none": "{}",
}
INPUTS = {"image": ("image", "images"), "tabular": ("row", "rows"), "text": ("text", "ids")}
OWN_LAYERS = {
    "factorized_reduce": layers.FactorizedReduce,
    "squeeze_excite": layers.SqueezeExcite,
    "embed": layers.Embed,
    "patches": layers.Patches,
    "attention": layers.Attention,
}
MASKED = (layers.padding_mask, layers.mean_of_words)
RESERVED = {
    "self",
    "mask",
    *(function.__name__ for function in MASKED),
    "torch",
    "nn",
    "F",
    "Tensor",
    *(inputs for _, inputs in INPUTS.values()),
}


def network_source(graph: Graph) -> str:
    """Return classes that need `torch`, `Tensor`, `nn` and `F`; attributes have the names of the graph's weights."""
    used: list[Any] = [kind for op, kind in OWN_LAYERS.items() if any(node.op == op for node in graph.nodes)]
    is_text = graph.task.kind == "text"
    shapes = {node.id: node.shape for node in graph.nodes}
    values = {node.id: _variable(node.id) for node in graph.nodes} | {"input": INPUTS[graph.task.kind][1]}
    nodes = [node for node in graph.nodes if node.op != "input"]
    steps = ["mask = padding_mask(ids)"] if is_text else []
    steps += [f"{values[node.id]} = {_step(node, values, shapes, is_text)}" for node in nodes]
    lines = [line for node in nodes for line in _layers(node, shapes[node.inputs[0]], graph.task)]
    network = CLASS.format(
        parameters=graph.parameters,
        multiply_adds=graph.multiply_adds,
        input=INPUTS[graph.task.kind][0],
        inputs=values["input"],
        shape=("count", *graph.task.input_shape),
        outputs=graph.task.classes,
        told="logits" if graph.task.goal == "classes" else "standardised numbers",
        layers="\n".join(f"        self.{line}" for line in lines),
        steps="\n".join(f"        {step}" for step in steps),
    ).replace("'count'", "count")
    return "\n\n\n".join(
        (*(inspect.getsource(kind).rstrip() for kind in (*(MASKED if is_text else ()), *used)), network)
    )


def _layers(node: Node, read: Shape, task: Task) -> Iterator[str]:
    name, option, shape = layer_name(node.id), node.options, node.shape
    match node.op:
        case "conv":
            yield f"{name} = nn.Conv2d({read[0]}, {_conv(option)})"
        case "dense" | "classifier":
            yield f"{name} = nn.Linear({read[-1]}, {shape[-1]}{', bias=False' if option.get('norm') else ''})"
        case "pool":
            yield f"{name} = {_pool(option)}"
        case "factorized_reduce":
            yield f"{name} = FactorizedReduce({read[0]}, {shape[0]})"
        case "squeeze_excite":
            activation = ACTIVATION_LAYERS[str(option["activation"])].__name__
            yield f"{name} = SqueezeExcite({read[0]}, {option['squeezed']}, nn.{activation}())"
        case "embed":
            yield f"{name} = Embed({task.vocabulary}, {shape[0]}, {shape[1]})"
        case "patches":
            yield f"{name} = Patches({read[0]}, {shape[0]}, {option['size']}, {shape[1]})"
        case "attention":
            yield f"{name} = Attention({shape[1]}, {option['heads']})"
    if option.get("norm"):
        kind = {1: "BatchNorm1d", 2: "LayerNorm", 3: "BatchNorm2d"}[len(shape)]
        yield f"{name}_norm = nn.{kind}({shape[1] if len(shape) == 2 else shape[0]})"


def _conv(option: Options) -> str:
    (tall, wide), dilation = sides(option["kernel"]), sides(option["dilation"])[0]
    padding = (dilation * (tall // 2), dilation * (wide // 2))
    parts = [f"{option['filters']}", f"kernel_size={option['kernel']}"]
    parts += [f"stride={option['stride']}"] if option["stride"] != 1 else []
    parts += [f"padding={padding[0] if tall == wide else padding}"] if any(padding) else []
    parts += [f"{name}={option[name]}" for name in ("dilation", "groups") if option[name] != 1]
    return ", ".join(parts + ([] if option["bias"] else ["bias=False"]))


def _pool(option: Options) -> str:
    kind = "MaxPool2d" if option["how"] == "max" else "AvgPool2d"
    padded = option["size"] == 3
    counted = ", count_include_pad=False" if padded and option["how"] != "max" else ""
    return f"nn.{kind}({option['size']}, stride={option['stride']}{', padding=1' if padded else ''}{counted})"


def _step(node: Node, values: Mapping[str, str], shapes: Mapping[str, Shape], is_text: bool) -> str:
    name, read = layer_name(node.id), [values[source] for source in node.inputs]
    activate = ACTIVATIONS[str(node.options.get("activation", "none"))].format
    match node.op:
        case "add":
            return activate(" + ".join(read))
        case "concat":
            return f"torch.cat(({', '.join(read)},), {2 if len(node.shape) == 2 else 1})"
        case "global_pool" if is_text:
            return f"mean_of_words({read[0]}, mask)"
        case "attention" if is_text:
            return f"self.{name}({read[0]}, mask)"
        case "global_pool":
            return f"{read[0]}.mean({'(2, 3)' if len(shapes[node.inputs[0]]) == 3 else 1})"
        case "flatten":
            return f"{read[0]}.flatten(1)"
        case "zero":
            return f"{read[0]}.new_zeros(len({read[0]}), {', '.join(str(side) for side in node.shape)})"
        case "squeeze_excite":
            return f"self.{name}({read[0]})"
    early = node.options.get("order") == "activation first"
    value = activate(read[0]) if early else read[0]
    value = value if node.op == "activation" else f"self.{name}({value})"
    value = f"self.{name}_norm({value})" if node.options.get("norm") else value
    return value if early else activate(value)


def _variable(id: str) -> str:
    name = layer_name(id)
    return f"{name}_value" if name in RESERVED else name

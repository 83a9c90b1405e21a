"""A network as PyTorch source that needs nothing of this project."""

from collections.abc import Iterator

from nas.evaluation.datasets import Data
from nas.evaluation.networks import layer_name
from nas.spaces.graph import Graph, Node

PAGE = '''"""A convolutional network for {dataset}, found by architecture search.

Needs torch and safetensors, and weights.safetensors beside it:

    from model import CLASSES, load, preprocess

    network = load("weights.safetensors")
    logits = network(preprocess(pixels))  # pixels: {input}, values 0 to {peak}
    names = [CLASSES[index] for index in logits.argmax(1)]
"""

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

CLASSES = {classes!r}
PEAK = {peak}
MEAN = {mean!r}
STD = {std!r}


class Network(nn.Module):
    """{parameters:,} parameters, {multiply_adds:,} multiply-adds for one image."""

    def __init__(self) -> None:
        super().__init__()
{layers}

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (count, {outputs}) of images that `preprocess` returned."""
{steps}
        return output


def preprocess(pixels: Tensor) -> Tensor:
    """Return what the network reads of raw pixels (count, channels, height, width)."""
    shape = (1, -1, 1, 1)
    mean, std = torch.tensor(MEAN).view(shape), torch.tensor(STD).view(shape)
    return (pixels.float() / PEAK - mean) / std


def load(path: str = "weights.safetensors") -> Network:
    """Return the trained network, ready to predict."""
    network = Network()
    network.load_state_dict(load_file(path))
    return network.eval()
'''
ACTIVATIONS = {"relu": "F.relu({})", "silu": "F.silu({})", "tanh": "torch.tanh({})", "none": "{}"}


def source(graph: Graph, data: Data) -> str:
    """Return the module's text; its layers have the names under which the weights are stored."""
    layers = "\n".join(f"        self.{line}" for line in _layers(graph))
    steps = "\n".join(f"        {_value(node.id)} = {_step(node)}" for node in graph.nodes if node.op != "input")
    return PAGE.format(
        dataset=data.known.title,
        input=("count", *graph.task.input_shape),
        peak=data.peak,
        classes=data.known.classes,
        mean=data.mean,
        std=data.std,
        parameters=graph.parameters,
        multiply_adds=graph.multiply_adds,
        layers=layers,
        outputs=graph.task.classes,
        steps=steps,
    ).replace("'count'", "count")


def _layers(graph: Graph) -> Iterator[str]:
    shapes = {node.id: node.shape for node in graph.nodes}
    for node in graph.nodes:
        if node.op == "input":
            continue
        name, option, read, width = layer_name(node.id), node.options, shapes[node.inputs[0]][0], node.shape[0]
        bias = ", bias=False" if option.get("norm") else ""
        match node.op:
            case "conv":
                kernel = int(option["kernel"])
                more = f", stride={option['stride']}" if option["stride"] != 1 else ""
                more += f", padding={kernel // 2}" if kernel > 1 else ""
                yield f"{name} = nn.Conv2d({read}, {width}, kernel_size={kernel}{more}{bias})"
            case "dense" | "classifier":
                yield f"{name} = nn.Linear({read}, {width}{bias})"
            case "pool":
                kind = "MaxPool2d" if option["how"] == "max" else "AvgPool2d"
                padded = "" if option["size"] == 2 else ", padding=1"
                counted = "" if kind == "MaxPool2d" or not padded else ", count_include_pad=False"
                yield f"{name} = nn.{kind}({option['size']}, stride=2{padded}{counted})"
        if bias:
            yield f"{name}_norm = nn.BatchNorm{2 if node.op == 'conv' else 1}d({width})"


def _step(node: Node) -> str:
    name, read = layer_name(node.id), [_value(source) for source in node.inputs]
    match node.op:
        case "add":
            return " + ".join(read)
        case "global_pool":
            return f"{read[0]}.mean((2, 3))"
        case "flatten":
            return f"{read[0]}.flatten(1)"
    called = f"self.{name}({read[0]})"
    if node.options.get("norm"):
        called = f"self.{name}_norm({called})"
    return ACTIVATIONS[str(node.options.get("activation", "none"))].format(called)


def _value(id: str) -> str:
    return "images" if id == "input" else layer_name(id)

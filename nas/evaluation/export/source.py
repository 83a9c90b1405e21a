"""A trained network as a PyTorch file that needs nothing of this project."""

from nas.evaluation.datasets import Data
from nas.evaluation.export.network_source import network_source
from nas.spaces.graph import Graph

PAGE = '''"""A network for {dataset}, found by architecture search.

Needs torch and safetensors, and weights.safetensors beside it:

    from model import CLASSES, load, preprocess

    network = load("weights.safetensors")
    logits = network(preprocess(pixels))  # pixels: {input}, values 0 to {peak}
    names = [CLASSES[index] for index in logits.argmax(1)]
"""

import torch
from safetensors.torch import load_file
from torch import Tensor, nn{functional}

CLASSES = {classes!r}
PEAK = {peak}
MEAN = {mean!r}
STD = {std!r}


{network}


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


def source(graph: Graph, data: Data) -> str:
    """Return the file's text; its layers have the names under which the weights are stored."""
    network = network_source(graph)
    return PAGE.format(
        dataset=data.known.title,
        input=("count", *graph.task.input_shape),
        peak=data.peak,
        functional="\nfrom torch.nn import functional as F" if "F." in network else "",
        classes=data.known.classes,
        mean=data.mean,
        std=data.std,
        network=network,
    ).replace("'count'", "count")

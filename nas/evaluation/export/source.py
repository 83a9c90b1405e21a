"""A trained network as a PyTorch file that needs nothing of this project."""

from collections.abc import Iterator

from nas.evaluation.datasets import Data
from nas.evaluation.export.encoding import encoding
from nas.evaluation.export.network_source import network_source
from nas.spaces.graph import Graph, Task

PAGE = '''"""A network for {dataset}, found by architecture search.

Needs torch and safetensors, and weights.safetensors beside it:

{usage}
"""

{imports}import torch
from safetensors.torch import load_file
from torch import Tensor, nn{functional}

{constants}


{network}


{preprocess}


def load(path: str = "weights.safetensors") -> Network:
    """Return the trained network, ready to predict."""
    network = Network()
    network.load_state_dict(load_file(path))
    return network.eval()
'''
CLASSES = """    from model import CLASSES, load, preprocess{encode}

    network = load("weights.safetensors")
    logits = network(preprocess({inputs}))  # {what}
    names = [CLASSES[index] for index in logits.argmax(1)]"""
NUMBERS = """    from model import load, postprocess, preprocess{encode}

    network = load("weights.safetensors")
    numbers = postprocess(network(preprocess({inputs})))  # {what}"""
OF_IMAGES = '''def preprocess(pixels: Tensor) -> Tensor:
    """Return what the network reads of raw pixels (count, channels, height, width)."""
    shape = (1, -1, 1, 1)
    mean, std = torch.tensor(MEAN).view(shape), torch.tensor(STD).view(shape)
    return (pixels.float() / PEAK - mean) / std'''
OF_ROWS = '''def preprocess(rows: Tensor) -> Tensor:
    """Return what the network reads of rows (count, features) that are not standardised."""
    return (rows.float() - torch.tensor(MEAN)) / torch.tensor(STD)'''
OF_TEXTS = '''def preprocess(ids: Tensor) -> Tensor:
    """Return what the network reads of token ids (count, length)."""
    return ids.long()'''
OF_NUMBERS = '''def postprocess(outputs: Tensor) -> Tensor:
    """Return numbers in their own unit (count) of what the network tells (count, 1)."""
    return outputs.squeeze(1) * UNIT + CENTRE'''
PREPROCESS = {"image": ("pixels", OF_IMAGES), "tabular": ("rows", OF_ROWS), "text": ("ids", OF_TEXTS)}

ENCODED = {
    "tabular": ("encode(rows)", "rows: dicts of what stands in each column, by its name"),
    "text": ("encode(texts)", "texts: strings"),
}


def source(graph: Graph, data: Data) -> str:
    """Return the file's text; its layers have the names under which the weights are stored."""
    network, task = network_source(graph), graph.task
    inputs, preprocess = PREPROCESS[task.kind]
    what, encoded = f"{inputs}: {_what(task, data)}", encoding(data.known)
    if encoded.source:
        inputs, what = ENCODED[task.kind]
        preprocess = f"{encoded.source}\n\n\n{preprocess}"
    usage = CLASSES if task.goal == "classes" else NUMBERS
    return PAGE.format(
        dataset=data.known.title,
        usage=usage.format(inputs=inputs, what=what, encode=", encode" if encoded.source else ""),
        imports=encoded.imports,
        functional="\nfrom torch.nn import functional as F" if "F." in network else "",
        constants="\n".join(_constants(task, data)),
        network=network,
        preprocess=preprocess if task.goal == "classes" else f"{preprocess}\n\n\n{OF_NUMBERS}",
    )


def _what(task: Task, data: Data) -> str:
    shape = f"({', '.join(map(str, ('count', *task.input_shape)))})"
    ranges = {
        "image": f"values 0 to {data.peak}",
        "tabular": "features",
        "text": f"token ids 0 to {task.vocabulary - 1}",
    }
    return f"{shape}, {ranges[task.kind]}"


def _constants(task: Task, data: Data) -> Iterator[str]:
    if task.goal == "classes":
        yield f"CLASSES = {data.known.classes!r}"
    if task.kind == "image":
        yield f"PEAK = {data.peak}"
    if task.kind != "text":
        yield f"MEAN = {data.mean!r}"
        yield f"STD = {data.std!r}"
    if task.goal == "number":
        yield f"CENTRE = {data.centre!r}"
        yield f"UNIT = {data.unit!r}"

"""A network as a program of torch.export, which any later torch loads without its source."""

import warnings
from pathlib import Path

import torch
from torch.export import Dim, export, load, save

from nas.evaluation.datasets import Data
from nas.evaluation.export.raw import CHECKED_INPUTS, Raw, compare, raw_inputs
from nas.evaluation.networks import Network


def write(path: Path, network: Network, data: Data) -> float:
    """Write it, load it again and return the largest difference of an output; raises Refused where it is too large."""
    whole = Raw(network, data).eval()
    inputs = raw_inputs(data, data.test.inputs[:CHECKED_INPUTS])
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch warns of itself while it traces
        made = export(whole, (inputs[:2],), dynamic_shapes=({0: Dim("batch", min=1, max=2**16)},))
        save(made, path)
        loaded = load(path).module()
        expected = whole(inputs)
        found = compare(loaded(inputs), expected, path.name)
        found = max(found, compare(loaded(inputs[:1]), expected[:1], path.name))
    return found

"""What is left of a dataset where the search is to be cheaper: fewer training images, smaller ones."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch

from nas.datasets.added import stamp
from nas.evaluation.datasets import Data, Part, load
from nas.evaluation.fidelity import reduced_task
from nas.evaluation.mapped import Mapped, resized
from nas.evaluation.protocol import Fidelity, Split


def load_reduced(split: Split, roots: tuple[Path, ...], fidelity: Fidelity) -> Data:
    """Return the dataset at a fidelity, made once per process; the fingerprint stays that of all of it."""
    return _reduced(split, roots, fidelity, stamp(split.dataset))


@lru_cache(maxsize=2)
def _reduced(split: Split, roots: tuple[Path, ...], fidelity: Fidelity, _stamp: str) -> Data:
    data = load(split, roots)
    if fidelity.share < 1:
        data = replace(data, train=_some(data.train, fidelity.share, split.seed))
    if fidelity.side < 1:
        sides = reduced_task(data.known.task, fidelity).input_shape[1:]
        data = replace(data, train=_shrunk(data.train, sides), valid=_shrunk(data.valid, sides))
    return data


def _some(part: Part, share: float, seed: int) -> Part:
    """Return a share of each class, at least one image of it; a smaller share is a part of a larger one."""
    order = torch.randperm(len(part), generator=torch.Generator().manual_seed(seed))
    labels = part.labels[order]
    groups = [order] if labels.is_floating_point() else [order[labels == label] for label in torch.unique(labels)]
    kept = torch.cat([group[: max(1, round(share * len(group)))] for group in groups]).sort().values
    return part.pick(kept)


def _shrunk(part: Part, sides: tuple[int, ...]) -> Part:
    if isinstance(part.inputs, Mapped):
        return Part(part.inputs.shrunk(sides), part.labels)
    # In portions: as floats all images at once would take four times the memory of the data.
    smaller = [resized(images, sides) for images in torch.split(part.inputs, 4096)]
    return Part(torch.cat(smaller), part.labels)

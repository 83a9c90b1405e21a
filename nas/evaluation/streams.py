"""Batches from images on the disk: read by processes beside the training, changed by torchvision's transforms.

Where the data fit into memory, `nas.evaluation.batches` does the same a batch at a time on the device.
"""

import os
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nas.evaluation.augmentation import Augmentation
from nas.evaluation.batches import Batch, Batches, Epochs, Scale
from nas.evaluation.datasets import Part
from nas.evaluation.mapped import Mapped
from nas.evaluation.vision import torchvision

LOADERS = "NAS_LOADERS"
MOST_LOADERS = 4


def batches_of(
    part: Part,
    scale: Scale,
    *,
    size: int,
    seed: int,
    augment: bool,
    mirrors: bool,
    augmentation: Augmentation = Augmentation(),  # noqa: B008 it is frozen
) -> Epochs:
    """Return the batches of a training part: on the device of `scale`, or streamed to it where images stay on the disk.

    `augment` says whether images are changed at all, `mirrors` whether they may be flipped, `augmentation` how.
    """
    if not isinstance(part.inputs, Mapped):
        part = part.to(scale.offset.device)
        return Batches(part, scale, size=size, seed=seed, augment=augment, mirrors=mirrors, augmentation=augmentation)
    changes = transforms(augmentation, part.inputs.shape[2:], scale, mirrors=mirrors) if augment else None
    return Stream(part.inputs, part.labels.to(scale.offset.device), scale, size=size, seed=seed, changes=changes)


def loaders() -> int:
    """Return how many processes read images for a training: one per core but one, at most 4; NAS_LOADERS says it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(os.environ.get(LOADERS, min(MOST_LOADERS, cores - 1)))


class Stream:
    """Images for one network: every epoch's order and changes follow from (seed, epoch) alone, whoever reads them."""

    def __init__(
        self, images: Mapped, labels: Tensor, scale: Scale, *, size: int, seed: int, changes: Any = None
    ) -> None:
        self.size = min(size, len(images))
        self.count = len(images) // self.size
        self.seed = seed
        self._images, self._labels, self._scale, self._changes = images, labels, scale, changes

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 1; what does not fill the last one is left out."""
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self._images), generator=draw)[: self.count * self.size]
        seeds = torch.randint(2**62, (len(order),), generator=draw)
        loader = DataLoader(
            _Epoch(self._images, order, seeds, self._changes),
            batch_size=self.size,
            num_workers=loaders(),
            pin_memory=self._labels.is_cuda,
            generator=draw,
        )
        for pixels, picked in zip(loader, torch.split(order.to(self._labels.device), self.size), strict=True):
            yield self._scale(pixels), self._labels[picked]


class _Epoch(Dataset[Tensor]):
    """The images of an epoch in order, each changed by random numbers of its own."""

    def __init__(self, images: Mapped, order: Tensor, seeds: Tensor, changes: Any) -> None:
        self._images, self._order, self._seeds, self._changes = images, order, seeds, changes

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, at: int) -> Tensor:
        pixels = self._images[self._order[at : at + 1]].squeeze(0)
        if self._changes is None:
            return pixels
        with torch.random.fork_rng(devices=()):
            torch.default_generator.manual_seed(int(self._seeds[at]))
            changed: Tensor = self._changes(pixels)
        return changed


def transforms(how: Augmentation, sides: tuple[int, ...], scale: Scale, *, mirrors: bool) -> Any:
    """Return what `how` asks for as a transform of raw pixels, uint8 (channels, height, width), in the same order.

    A cut out square lies inside the image, and shows the mean colour of the data.
    """
    v2: Any = torchvision("torchvision.transforms.v2")
    shorter = min(sides)
    steps = []
    if how.shift:
        steps.append(v2.RandomCrop(sides, padding=max(1, int(shorter * how.shift))))
    if how.flip and mirrors:
        steps.append(v2.RandomHorizontalFlip())
    if how.rotation:
        steps.append(v2.RandomRotation(how.rotation, v2.InterpolationMode.BILINEAR))
    if how.colour:
        steps.append(v2.ColorJitter(how.colour, how.colour, how.colour))
    if how.cutout:
        # A square as large as the image is one that torchvision finds no place for.
        side = min(max(1, round(how.cutout * shorter)), shorter - 1)
        share, mean = side**2 / (sides[0] * sides[1]), scale.offset.flatten().round().tolist()
        steps.append(v2.RandomErasing(1.0, (share, share), (1.0, 1.0), mean))
    return v2.Compose(steps) if steps else None

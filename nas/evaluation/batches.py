"""Batches from data that already lie on the device: shuffled and normalised, images shifted and mirrored too."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from nas.evaluation.augmentation import Augmentation
from nas.evaluation.datasets import Data, Part

Batch = tuple[Tensor, Tensor]
EVALUATION_BATCH = 512


@dataclass(frozen=True)
class Scale:
    """Turns stored inputs into what a network reads: (input / peak - mean) / std, per channel or feature.

    Token ids are read as they are.
    """

    offset: Tensor
    factor: Tensor

    @classmethod
    def of(cls, data: Data, device: torch.device) -> "Scale":
        """Return the scale of a dataset, on a device."""
        mean, std = torch.tensor(data.mean), torch.tensor(data.std)
        shape = (1, -1, *(1 for _ in data.train.inputs.shape[2:]))
        return cls((mean * data.peak).view(shape).to(device), (1 / (std * data.peak)).view(shape).to(device))

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return, on its device, float32 features, float32 images with the channels innermost, or int64 ids."""
        inputs = inputs.to(self.offset.device, non_blocking=True)
        if inputs.ndim == 2:
            return (inputs - self.offset) * self.factor if inputs.is_floating_point() else inputs.long()
        scaled = (inputs.float() - self.offset).mul_(self.factor)
        return scaled.contiguous(memory_format=torch.channels_last)


class Epochs(Protocol):
    """The batches of a training part for one network, epoch by epoch: `count` of `size` in each."""

    size: int
    count: int
    seed: int

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 1, on the device."""
        ...


class Batches:
    """A training part for one network: every epoch's order and changes of images follow from (seed, epoch) alone.

    `augment` says whether images are changed at all, `mirrors` whether they may be flipped, `augmentation` how.
    """

    def __init__(
        self,
        part: Part,
        scale: Scale,
        *,
        size: int,
        seed: int,
        augment: bool,
        mirrors: bool,
        augmentation: Augmentation = Augmentation(),  # noqa: B008 it is frozen
    ) -> None:
        self.size = min(size, len(part))
        self.count = len(part) // self.size
        self.seed = seed
        assert isinstance(part.inputs, Tensor)
        self._inputs, self._labels, self._scale = part.inputs, part.labels, scale
        self._changes = augmentation if augment else Augmentation(shift=0.0, flip=False)
        self._mirrors = self._changes.flip and mirrors
        self._shift = 0
        if not self._are_images:
            return
        height, width = self._inputs.shape[2:]
        share = self._changes.shift
        self._shift = max(1, int(min(height, width) * share)) if share else 0
        padded = functional.pad(self._inputs, (self._shift,) * 4)
        # Every crop of every image as a view: one indexing operation cuts a different one from each image.
        self._crops = padded.unfold(2, height, 1).unfold(3, width, 1)

    @property
    def _are_images(self) -> bool:
        return self._inputs.ndim == 4

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 1; what does not fill the last one is left out."""
        # Drawn on the CPU, so that the same seed means the same on every device.
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        device, used = self._labels.device, self.count * self.size
        order = torch.randperm(len(self._labels), generator=draw)[:used].to(device)
        down, right = torch.randint(0, 2 * self._shift + 1, (2, used), generator=draw).to(device)
        mirrored = (torch.rand(used, generator=draw) < 0.5).to(device)[:, None, None, None]
        for start in range(0, used, self.size):
            now = slice(start, start + self.size)
            picked = order[now]
            if not self._are_images:
                yield self._scale(self._inputs[picked]), self._labels[picked]
                continue
            pixels = self._crops[picked, :, down[now], right[now]]
            if self._mirrors:
                pixels = torch.where(mirrored[now], pixels.flip(-1), pixels)
            images = self._scale(self._changes.of_pixels(pixels, draw))
            yield self._changes.of_scaled(images, draw), self._labels[picked]


def in_order(part: Part, scale: Scale) -> Iterator[Batch]:
    """Yield a part's inputs as they are, for measuring."""
    for start in range(0, len(part), EVALUATION_BATCH):
        now = slice(start, start + EVALUATION_BATCH)
        yield scale(part.inputs[now]), part.labels[now]

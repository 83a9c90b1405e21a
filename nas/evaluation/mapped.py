"""Images that stay on the disk: those of a dataset that is larger than the memory which it may take."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

BOUND = "NAS_IMAGES_GB"
USUAL_GB = 4.0


def most_bytes() -> int:
    """Return how much of a dataset's images a process holds in memory; NAS_IMAGES_GB says it in GB."""
    return int(float(os.environ.get(BOUND, USUAL_GB)) * 2**30)


class Mapped:
    """Rows of an `.npy` file of images, uint8 (count, channels, height, width), which are read when they are indexed.

    `sides` are the height and width that they are then resized to, their own where there are none.
    """

    ndim = 4

    def __init__(self, path: Path, rows: Tensor, sides: tuple[int, ...] = ()) -> None:
        self._path, self._rows, self._sides = path, rows, sides
        # Copied on write, though nobody writes: torch warns of memory that it may only read.
        self._images = torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))

    def __reduce__(self) -> "tuple[Callable[..., Mapped], tuple[object, ...]]":
        """Travel to another process as what to map there, not as the images."""
        return Mapped, (self._path, self._rows, self._sides)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, which: slice | Tensor) -> Tensor:
        """Return images in memory, on the CPU."""
        images = self._images[self._rows[which]]
        return resized(images, self._sides) if self._sides else images

    @property
    def shape(self) -> torch.Size:
        """That of all of them together."""
        _, channels, *sides = self._images.shape
        return torch.Size((len(self), channels, *(self._sides or sides)))

    @property
    def nbytes(self) -> int:
        """What they take in memory: which they are, not what they show."""
        return self._rows.nbytes

    def pick(self, which: Tensor) -> "Mapped":
        """Return some of them, on the disk as before."""
        return Mapped(self._path, self._rows[which], self._sides)

    def join(self, other: "Mapped") -> "Mapped":
        """Return the rows of both, of one file."""
        assert (self._path, self._sides) == (other._path, other._sides)
        return Mapped(self._path, torch.cat((self._rows, other._rows)), self._sides)

    def shrunk(self, sides: tuple[int, ...]) -> "Mapped":
        """Return them with other sides."""
        return Mapped(self._path, self._rows, sides)


def resized(images: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Return images, uint8, of other sides: bilinear, smoothed where they shrink."""
    made = functional.interpolate(images.float(), size=list(sides), mode="bilinear", antialias=True)
    return made.round_().clamp_(0, 255).to(torch.uint8)

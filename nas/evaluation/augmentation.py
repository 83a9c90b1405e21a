"""Training images changed at random: a whole batch at a time, on the device where it lies.

For images that stay on the disk, torchvision does the same in `nas.evaluation.streams`.

Every random number is drawn on the CPU from a generator of the epoch, so that a resumed epoch is the same epoch.
"""

from dataclasses import dataclass
from math import pi
from random import Random

import torch
from torch import Tensor
from torch.nn import functional

from nas.evaluation.protocol import Training

GREY = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601


@dataclass(frozen=True)
class Augmentation:
    """What is done to a batch of images, in the order of the fields; 0 leaves a step out.

    `shift` and `cutout` are shares of the shorter side, `rotation` is in degrees, `colour` a relative change.
    """

    shift: float = 0.125
    flip: bool = True
    rotation: float = 0.0
    colour: float = 0.0
    cutout: float = 0.0

    @classmethod
    def of(cls, training: Training) -> "Augmentation":
        """Return what the settings of a training ask for."""
        return cls(training.shift, training.flip, training.rotation, training.colour, training.cutout)

    def of_pixels(self, pixels: Tensor, draw: torch.Generator) -> Tensor:
        """Return raw pixels (batch, channels, height, width), turned and coloured; black is 0."""
        if self.rotation:
            pixels = rotated(pixels.float(), self.rotation, draw)
        return coloured(pixels.float(), self.colour, draw) if self.colour else pixels

    def of_scaled(self, images: Tensor, draw: torch.Generator) -> Tensor:
        """Return scaled images with a square of each cut out; the mean is 0."""
        return cut_out(images, self.cutout, draw) if self.cutout else images


def rotated(pixels: Tensor, degrees: float, draw: torch.Generator) -> Tensor:
    """Turn each image by an angle drawn from -degrees to degrees."""
    return turned(pixels, _uniform(len(pixels), draw, pixels.device) * (degrees * pi / 180))


def turned(pixels: Tensor, angles: Tensor) -> Tensor:
    """Turn each image about its centre by its angle, in radians; bilinear, on black."""
    height, width = pixels.shape[2:]
    turn = torch.zeros(len(pixels), 2, 3, device=pixels.device)
    turn[:, 0, 0] = turn[:, 1, 1] = angles.cos()
    # Coordinates run from -1 to 1 along either side; pixels are square all the same.
    turn[:, 0, 1], turn[:, 1, 0] = -angles.sin() * height / width, angles.sin() * width / height
    grid = functional.affine_grid(turn, list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, grid, align_corners=False)


def coloured(pixels: Tensor, change: float, draw: torch.Generator) -> Tensor:
    """Multiply brightness, contrast and, of three channels, saturation of each image by 1 - change to 1 + change."""
    device = pixels.device
    brightness, contrast, saturation = (
        (1 + change * _uniform(len(pixels), draw, device)).view(-1, 1, 1, 1) for _ in range(3)
    )
    pixels = pixels * brightness
    pixels = torch.lerp(pixels.mean((1, 2, 3), keepdim=True), pixels, contrast)
    if pixels.shape[1] != len(GREY):
        return pixels
    grey = (pixels * torch.tensor(GREY, device=device).view(1, -1, 1, 1)).sum(1, keepdim=True)
    return torch.lerp(grey.expand_as(pixels), pixels, saturation)


def cut_out(images: Tensor, share: float, draw: torch.Generator) -> Tensor:
    """Set a square of each image, whose centre may lie anywhere, to 0: DeVries and Taylor (2017)."""
    height, width = images.shape[2:]
    side = max(1, round(share * min(height, width)))
    down, right = (
        torch.randint(0, length, (len(images), 1), generator=draw).to(images.device) for length in (height, width)
    )
    rows, columns = (
        (at - middle + side // 2 >= 0) & (at - middle + side // 2 < side)
        for at, middle in (
            (torch.arange(height, device=images.device), down),
            (torch.arange(width, device=images.device), right),
        )
    )
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


@dataclass(frozen=True)
class Mixture:
    """Images of a batch mixed with those at `partners`, whose labels have `share` of the loss."""

    images: Tensor
    partners: Tensor
    share: float


class Mixing:
    """Mixup (Zhang et al., 2018, equation 1) with Beta(alpha, alpha), drawn for one epoch of one training."""

    def __init__(self, alpha: float, seed: int, epoch: int) -> None:
        self._alpha = alpha
        self._dice = Random(f"mixup/{seed}/{epoch}")
        self._draw = torch.Generator().manual_seed(seed * 1_000_003 + epoch + 1)

    def __call__(self, images: Tensor) -> Mixture:
        """Return a batch mixed with itself in another order."""
        own = self._dice.betavariate(self._alpha, self._alpha)
        partners = torch.randperm(len(images), generator=self._draw).to(images.device)
        return Mixture(torch.lerp(images[partners], images, own), partners, 1 - own)


def _uniform(count: int, draw: torch.Generator, device: torch.device) -> Tensor:
    """Return numbers between -1 and 1."""
    return (2 * torch.rand(count, generator=draw) - 1).to(device)

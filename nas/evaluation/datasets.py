"""Reads a dataset's images and cuts them into training, validation and test parts."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from nas.datasets.catalogue import dataset
from nas.datasets.known import IDX_FILES, Dataset
from nas.datasets.places import folder, read_bytes
from nas.evaluation.protocol import Split
from nas.evaluation.vision import torchvision
from nas.sentences import Refused

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]
DIGITS_TEST_SHARE = 0.2


@dataclass(frozen=True)
class Part:
    """Images as raw pixels, uint8 (count, channels, height, width), and their labels, int64 (count)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def join(self, other: "Part") -> "Part":
        """Return the images of both."""
        return Part(torch.cat((self.images, other.images)), torch.cat((self.labels, other.labels)))

    def to(self, device: torch.device) -> "Part":
        """Return the part on a device."""
        return Part(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Data:
    """A dataset, split; `mean` and `std` per channel of the training part, of pixels divided by `peak`."""

    known: Dataset
    train: Part
    valid: Part
    test: Part
    peak: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mirrors: bool
    fingerprint: str


@lru_cache(maxsize=2)
def load(split: Split, roots: tuple[Path, ...] = ()) -> Data:
    """Return the dataset, read once per process; raises Refused where a file is missing or not as it should be.

    The fingerprint covers every image, every label and which of them went where.
    """
    known = dataset(split.dataset)
    if known.name == "digits":
        train, test = _digits(split.seed)
    elif known.files == IDX_FILES:
        train, test = _idx_files(known, _found(known, roots))
    else:
        train, test = _through_torchvision(known, _found(known, roots))
    kept, held = _cut(train[1], split.valid_share, split.seed, known.title)
    peak = 16 if known.name == "digits" else 255
    digest = hashlib.sha256(repr((known.name, split.seed, split.valid_share)).encode())
    for array in (*train, *test, kept, held):
        digest.update(np.ascontiguousarray(array).data)
    images = train[0][kept]
    mean, std = images.mean((0, 2, 3)) / peak, images.std((0, 2, 3)) / peak
    return Data(
        known=known,
        train=_part(images, train[1][kept]),
        valid=_part(train[0][held], train[1][held]),
        test=_part(*test),
        peak=peak,
        mean=tuple(round(float(value), 4) for value in mean),
        std=tuple(max(round(float(value), 4), 1e-3) for value in std),
        mirrors=known.mirrored,
        fingerprint=digest.hexdigest(),
    )


def _part(images: Pixels, labels: Labels) -> Part:
    return Part(torch.from_numpy(images), torch.from_numpy(labels))


def _cut(labels: Labels, share: float, seed: int, title: str) -> tuple[Labels, Labels]:
    """Return the indices that stay and those held out, the classes in the same proportion in both."""
    try:
        kept, held = train_test_split(np.arange(len(labels)), test_size=share, stratify=labels, random_state=seed)
    except ValueError as error:
        raise Refused("{title} cannot be split: {error}.", title=title, error=str(error).rstrip(".")) from error
    return np.sort(kept), np.sort(held)


def _found(known: Dataset, roots: Sequence[Path]) -> Path:
    place = folder(known, roots)
    if place is None:
        raise Refused("{title} has no folder.", title=known.title)
    return place


def _digits(seed: int) -> tuple[tuple[Pixels, Labels], tuple[Pixels, Labels]]:
    images, labels = load_digits(return_X_y=True)
    pixels = images.reshape(-1, 1, 8, 8).astype(np.uint8)
    kept, held = _cut(labels, DIGITS_TEST_SHARE, seed, "Digits")
    return (pixels[kept], labels[kept]), (pixels[held], labels[held])


def _idx_files(known: Dataset, place: Path) -> tuple[tuple[Pixels, Labels], tuple[Pixels, Labels]]:
    parts = []
    for images_name, labels_name in (IDX_FILES[:2], IDX_FILES[2:]):
        images = _idx(place, images_name, 3).reshape(-1, *known.task.input_shape)
        labels = _idx(place, labels_name, 1).astype(np.int64)
        _check(known, place / images_name, images, labels)
        parts.append((images, labels))
    return parts[0], parts[1]


def _idx(place: Path, name: str, dimensions: int) -> Pixels:
    """Read a file of the IDX format: 0, 0, 8 for bytes, the number of dimensions, their sizes, the content."""
    content = read_bytes(place, name)
    start = 4 + 4 * dimensions
    if len(content) < start or content[:4] != bytes((0, 0, 8, dimensions)):
        raise Refused("{path} is not an IDX file of {n} dimensions.", path=str(place / name), n=dimensions)
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) != start + prod(shape):
        raise Refused(
            "{path} is corrupt: it holds {found} bytes where its header promises {promised}.",
            path=str(place / name),
            found=len(content) - start,
            promised=prod(shape),
        )
    if dimensions == 3 and shape[1:] != (28, 28):
        raise Refused(
            "{path} holds images of {height} x {width}, not 28 x 28.",
            path=str(place / name),
            height=shape[1],
            width=shape[2],
        )
    return np.frombuffer(bytearray(content), np.uint8, offset=start).reshape(shape)


def _through_torchvision(known: Dataset, place: Path) -> tuple[tuple[Pixels, Labels], tuple[Pixels, Labels]]:
    train, test = _read(known, place, train=True), _read(known, place, train=False)
    return train, test


def _read(known: Dataset, place: Path, *, train: bool) -> tuple[Pixels, Labels]:
    reader = getattr(torchvision("torchvision.datasets"), known.reader)
    try:
        # Each checks the files against their published sums before it opens them.
        if known.reader == "SVHN":
            read = reader(str(place), split="train" if train else "test", download=False)
            images, found = read.data, read.labels
        else:
            read = reader(str(place.parent), train=train, download=False)
            images, found = read.data.transpose(0, 3, 1, 2), read.targets
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        raise Refused("{title} in {place} is corrupt or not complete.", title=known.title, place=str(place)) from error
    images, labels = np.ascontiguousarray(images), np.array(found, np.int64)
    _check(known, place, images, labels)
    return images, labels


def _check(known: Dataset, path: Path, images: Pixels, labels: Labels) -> None:
    if len(images) != len(labels):
        raise Refused(
            "{path} holds {images} images but {labels} labels belong to it.",
            path=str(path),
            images=len(images),
            labels=len(labels),
        )
    if len(labels) == 0 or labels.max() >= known.task.classes:
        raise Refused(
            "The labels of {path} must lie between 0 and {last}.", path=str(path), last=known.task.classes - 1
        )

"""Reads the datasets that everybody knows from their files."""

import struct
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from nas.datasets.known import IDX_FILES, Dataset
from nas.datasets.places import folder, read_bytes
from nas.evaluation.vision import torchvision
from nas.sentences import Refused

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]
Images = tuple[Pixels, Labels]


def digits() -> Images:
    """Return scikit-learn's images, of 16 shades of grey."""
    images, labels = load_digits(return_X_y=True)
    return images.reshape(-1, 1, 8, 8).astype(np.uint8), labels


def files(known: Dataset, roots: Sequence[Path]) -> tuple[Images, Images]:
    """Return training and test images; raises Refused where a file is missing or not as it should be."""
    place = _found(known, roots)
    return _idx_files(known, place) if known.files == IDX_FILES else _through_torchvision(known, place)


def _found(known: Dataset, roots: Sequence[Path]) -> Path:
    place = folder(known, roots)
    if place is None:
        raise Refused("{title} has no folder.", title=known.title)
    return place


def _idx_files(known: Dataset, place: Path) -> tuple[Images, Images]:
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


def _through_torchvision(known: Dataset, place: Path) -> tuple[Images, Images]:
    train, test = _read(known, place, train=True), _read(known, place, train=False)
    return train, test


def _read(known: Dataset, place: Path, *, train: bool) -> Images:
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

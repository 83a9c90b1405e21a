"""A dataset, cut into training, validation and test parts: in memory, or images on the disk where they are too many."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from torch import Tensor

from nas.datasets.added import arrays, stamp
from nas.datasets.catalogue import dataset
from nas.datasets.known import Dataset
from nas.evaluation import reading
from nas.evaluation.mapped import Mapped, most_bytes
from nas.evaluation.protocol import Split
from nas.sentences import Refused

Inputs = NDArray[Any]
Labels = NDArray[Any]
DIGITS_TEST_SHARE = 0.2
MOST_KEPT, MOST_BYTES_KEPT = 2, 4 * 2**30
PORTION = 2 * 2**20  # bytes of images that are looked at together


@dataclass(frozen=True)
class Part:
    """What a network reads and what it should say of it.

    Inputs are images as raw pixels, uint8 (count, channels, height, width), rows of features, float32 (count,
    features), or texts of token ids, int32 (count, length). Labels (count) are classes, int64, or numbers, float32,
    standardised by the training part. Images that would not fit into memory stay on the disk.
    """

    inputs: Tensor | Mapped
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def join(self, other: "Part") -> "Part":
        """Return the inputs of both."""
        labels = torch.cat((self.labels, other.labels))
        if isinstance(self.inputs, Mapped):
            assert isinstance(other.inputs, Mapped)
            return Part(self.inputs.join(other.inputs), labels)
        assert isinstance(other.inputs, Tensor)
        return Part(torch.cat((self.inputs, other.inputs)), labels)

    def pick(self, which: Tensor) -> "Part":
        """Return some of it, by index."""
        inputs = self.inputs.pick(which) if isinstance(self.inputs, Mapped) else self.inputs[which]
        return Part(inputs, self.labels[which])

    def to(self, device: torch.device) -> "Part":
        """Return the part on a device, but for images that stay on the disk: `Scale` takes there what is read."""
        inputs = self.inputs if isinstance(self.inputs, Mapped) else self.inputs.to(device)
        return Part(inputs, self.labels.to(device))


@dataclass(frozen=True)
class Data:
    """A dataset, split; `mean` and `std` per channel or feature of the training part, of inputs divided by `peak`.

    Texts have none. A number to tell is its label times `unit` plus `centre`, the spread and mean of the training part.
    """

    known: Dataset
    train: Part
    valid: Part
    test: Part
    peak: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mirrors: bool
    fingerprint: str
    centre: float = 0.0
    unit: float = 1.0

    @property
    def size(self) -> int:
        """Bytes that it takes in memory."""
        parts = (self.train, self.valid, self.test)
        return sum(part.inputs.nbytes + part.labels.nbytes for part in parts)


# The latest last.
_kept: dict[tuple[Split, tuple[Path, ...], str], Data] = {}


def load(split: Split, roots: tuple[Path, ...] = ()) -> Data:
    """Return the dataset, read once per process; the last two are kept, the last one alone where they are large.

    Raises Refused where a file is missing or not as it should be.

    The fingerprint covers every input, every label and which of them went where.
    """
    key = (split, roots, stamp(split.dataset))
    data = _kept.pop(key, None) or _load(split, roots)
    _kept[key] = data
    while len(_kept) > 1 and (len(_kept) > MOST_KEPT or sum(one.size for one in _kept.values()) > MOST_BYTES_KEPT):
        del _kept[next(iter(_kept))]
    return data


def _load(split: Split, roots: tuple[Path, ...]) -> Data:
    known = dataset(split.dataset)
    if known.name == "digits":
        images, labels = reading.digits()
        first, last = _cut(labels, DIGITS_TEST_SHARE, split.seed, known)
        train, test = (images[first], labels[first]), (images[last], labels[last])
    elif known.place:
        train, test = arrays(known, "train"), arrays(known, "test")
    else:
        train, test = reading.files(known, roots)
    kept, held = _cut(train[1], split.valid_share, split.seed, known)
    digest = hashlib.sha256(repr((known.name, split.seed, split.valid_share)).encode())
    for array in (*train, *test, kept, held):
        digest.update(np.ascontiguousarray(array).data)
    peak = {"digits": 16}.get(known.name, 255 if known.task.kind == "image" else 1)
    mean, std = _scale(known, train[0], kept, peak)
    centre, unit = 0.0, 1.0
    if known.task.goal == "number":
        centre, unit = float(train[1][kept].mean()), float(train[1][kept].std()) or 1.0
    are_mapped = known.task.kind == "image" and train[0].nbytes + test[0].nbytes > most_bytes()
    parts = ((train, kept), (train, held), (test, np.arange(len(test[1]))))
    learned, watched, tested = (
        Part(_mapped(inputs, rows) if are_mapped else _held(inputs, rows), _told(labels[rows], known, centre, unit))
        for (inputs, labels), rows in parts
    )
    return Data(
        known=known,
        train=learned,
        valid=watched,
        test=tested,
        peak=peak,
        mean=mean,
        std=std,
        mirrors=known.mirrored,
        fingerprint=digest.hexdigest(),
        centre=centre,
        unit=unit,
    )


def _scale(
    known: Dataset, inputs: Inputs, rows: NDArray[np.int64], peak: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and spread per channel or feature of rows; a feature that is nothing but 0 and 1 stays as it is."""
    if known.task.kind == "text":
        return (), ()
    if known.task.kind == "image":
        mean, std = _of_pixels(inputs, rows)
        return (
            tuple(round(float(value / peak), 4) for value in mean),
            tuple(max(round(float(value / peak), 4), 1e-3) for value in std),
        )
    features = inputs[rows]
    flags = ((features == 0) | (features == 1)).all(0)
    mean = np.where(flags, 0.0, features.mean(0, dtype=np.float64))
    std = np.where(flags, 1.0, features.std(0, dtype=np.float64))
    return tuple(float(f"{value:.6g}") for value in mean), tuple(float(f"{value or 1:.6g}") for value in std)


def _of_pixels(images: Inputs, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and spread of each channel, from how often there is each value: no more than a portion is read."""
    values = np.arange(256)
    counts = np.zeros((images.shape[1], len(values)))
    step = max(1, PORTION // images[:1].nbytes)
    for start in range(0, len(rows), step):
        portion = images[rows[start : start + step]]
        for channel, count in enumerate(counts):
            count += np.bincount(portion[:, channel].ravel(), minlength=len(values))
    shares = counts / counts.sum(1, keepdims=True)
    mean = shares @ values
    return mean, np.sqrt((shares * (values - mean[:, None]) ** 2).sum(1))


def _mapped(inputs: Inputs, rows: NDArray[np.int64]) -> Mapped:
    assert isinstance(inputs, np.memmap)
    return Mapped(Path(str(inputs.filename)), torch.from_numpy(rows))


def _held(inputs: Inputs, rows: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(inputs[rows]))


def _told(labels: Labels, known: Dataset, centre: float, unit: float) -> Tensor:
    return torch.from_numpy(((labels - centre) / unit).astype(np.float32) if known.task.goal == "number" else labels)


def _cut(labels: Labels, share: float, seed: int, known: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices that stay and those held out, the classes in the same proportion in both."""
    alike = labels if known.task.goal == "classes" else None
    try:
        kept, held = train_test_split(np.arange(len(labels)), test_size=share, stratify=alike, random_state=seed)
    except ValueError as error:
        raise Refused("{title} cannot be split: {error}.", title=known.title, error=str(error).rstrip(".")) from error
    return np.sort(kept), np.sort(held)

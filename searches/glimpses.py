"""What a dataset looks like: a few of its images, rows or sentences, and how its classes or numbers are spread."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.urls import reverse
from django.utils.safestring import SafeString
from numpy.typing import NDArray

from nas.datasets.added import Added, Column, Part, array, described, find, vocabulary
from nas.datasets.known import Dataset
from nas.datasets.words import PAD, UNKNOWN
from nas.sentences import Refused
from searches.drawing.histogram import of_classes, of_numbers
from searches.drawing.png import png_file
from searches.samples import Image, samples

BINS = 32
LINES = 3
COLOURS = {1: 0, 3: 2}  # of PNG, by channels: greys, or red, green and blue


@dataclass(frozen=True)
class Glimpse:
    """Some images, or some rows or sentences as text, each with what is to be told of it."""

    images: tuple[Image, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()


def glimpse(known: Dataset, count: int, lines: int = LINES) -> Glimpse:
    """Return images of the training part, or so many lines, classes in turn; nothing where nothing can be read."""
    if known.place is None:
        return Glimpse(images=samples(known.name, count))
    try:
        one = find(known.name)
        if one is None or not count:
            return Glimpse()
        labels = array(known, "train", "labels")
        if known.task.kind == "image":
            images = (
                Image(_address(one, index), known.classes[int(labels[index])]) for index in in_turn(labels, count)
            )
            return Glimpse(images=tuple(images))
        chosen = in_turn(labels, lines) if known.task.goal == "classes" else list(range(min(lines, known.train)))
        return Glimpse(lines=tuple(_lines(one, known, chosen, labels)))
    except Refused:
        return Glimpse()


def in_turn(labels: NDArray[Any], count: int) -> list[int]:
    """Return where the first rows of each class are, one class after another until there are `count`."""
    by_class = [np.flatnonzero(labels == one)[:count].tolist() for one in np.unique(labels)[:count]]
    turns = max(map(len, by_class), default=0)
    return [rows[turn] for turn in range(turns) for rows in by_class if turn < len(rows)][:count]


def png(one: Added, part: Part, index: int) -> bytes:
    """Return an image as a PNG file; raises Refused where it cannot be read, IndexError where there is none."""
    pixels = array(described(one), part, "inputs")[index]
    channels, height, width = pixels.shape
    rows = np.ascontiguousarray(pixels.transpose(1, 2, 0)).reshape(height, width * channels)
    return png_file(width, COLOURS[channels], [row.tobytes() for row in rows])


def histogram(one: Added) -> SafeString:
    """Return how the classes of each split, or the numbers to tell of the training part, are spread."""
    if one.task.goal == "classes":
        return of_classes(one.report.counts, one.report.classes)
    numbers = np.asarray(array(described(one), "train", "labels"), dtype=np.float64)
    counts, edges = np.histogram(numbers, bins=BINS)
    return of_numbers(edges.tolist(), counts.tolist())


def _address(one: Added, index: int) -> str:
    # The fingerprint makes another address of another dataset under the same name: what is kept of this one stays true.
    return f"{reverse('dataset-image', args=[one.name, 'train', index])}?of={one.fingerprint[:12]}"


def _lines(one: Added, known: Dataset, chosen: Sequence[int], labels: NDArray[Any]) -> Iterator[tuple[str, str]]:
    inputs, words = array(known, "train", "inputs"), vocabulary(known)
    for index in chosen:
        row, label = inputs[index].tolist(), labels[index]
        text = " ".join(_words(words, row)) if words else ", ".join(cells(one.columns, row))
        yield text, known.classes[int(label)] if known.task.goal == "classes" else _number(label)


def _words(known: Sequence[str], tokens: Sequence[int]) -> Iterator[str]:
    """Yield the words of a text; what stands for others is a dot."""
    return (known[token] if token != UNKNOWN else "·" for token in tokens if token != PAD)


def cells(columns: Sequence[Column], features: Sequence[float]) -> Iterator[str]:
    """Yield each column of a row as it was before it became features: "name value"."""
    at = 0
    for column in columns:
        size = len(column.categories) or 1
        part, at = features[at : at + size], at + size
        gone = column.missing and bool(features[at])
        at += column.missing
        if column.categories:
            told = column.categories[part.index(1.0)] if 1.0 in part else "?"
        else:
            told = "?" if gone else _number(part[0])
        yield f"{column.name} {told}"


def _number(value: float) -> str:
    """Write a number with five digits that mean something, never with an exponent."""
    return np.format_float_positional(float(f"{value:.5g}"), trim="-")

"""A few images of a dataset as data URIs, read without the libraries that train on them."""

import base64
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings

from nas.datasets.catalogue import dataset
from nas.datasets.places import folder, read_bytes
from nas.sentences import Refused
from searches.drawing.png import png_file

COUNT = 8
IDX_HEADER = {"images": 16, "labels": 8}


@dataclass(frozen=True)
class Image:
    """A picture as a data URI, and the name of its class."""

    uri: str
    label: str


@dataclass(frozen=True)
class Grey:
    """Pixels of one image, row by row, 0 black to 255 white, with its class."""

    width: int
    pixels: bytes
    label: int


def samples(name: str, count: int = COUNT) -> tuple[Image, ...]:
    """Return the first image of each class in turn; none where the data is missing, unreadable or has no reader."""
    if name not in READERS:
        return ()
    try:
        return _images(name, count, tuple(settings.NAS_DATA_DIRS))
    except Refused:
        return ()


@cache
def _images(name: str, count: int, roots: tuple[Path, ...]) -> tuple[Image, ...]:
    known = dataset(name)
    found = _one_per_class(READERS[name](roots), len(known.classes), count)
    return tuple(Image(_uri(image), known.classes[image.label]) for image in found)


def _one_per_class(images: Sequence[Grey], classes: int, count: int) -> list[Grey]:
    by_class: list[list[Grey]] = [[image for image in images if image.label == index] for index in range(classes)]
    turns = max(map(len, by_class), default=0)
    return [row[turn] for turn in range(turns) for row in by_class if turn < len(row)][:count]


def _digits(_: Sequence[Path]) -> list[Grey]:
    # The package is only located: importing it would cost the web process 100 MB.
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise Refused("scikit-learn is not installed; it brings the digits.")
    file = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    try:
        rows = gzip.decompress(file.read_bytes()).decode().splitlines()[:400]
        values = [[round(float(value)) for value in row.split(",")] for row in rows]
    except (OSError, EOFError, ValueError) as error:
        raise Refused("{path} cannot be read: {error}.", path=str(file), error=str(error)) from error
    return [Grey(8, bytes(min(255, value * 16) for value in row[:64]), row[64]) for row in values]


def _fashion_mnist(roots: Sequence[Path]) -> list[Grey]:
    known = dataset("fashion_mnist")
    place = folder(known, roots)
    assert place is not None
    images = read_bytes(place, known.files[2])[IDX_HEADER["images"] :]
    labels = read_bytes(place, known.files[3])[IDX_HEADER["labels"] :]
    size = 28 * 28
    count = min(400, len(labels), len(images) // size)
    return [Grey(28, images[index * size : (index + 1) * size], labels[index]) for index in range(count)]


READERS: dict[str, Callable[[Sequence[Path]], list[Grey]]] = {"digits": _digits, "fashion_mnist": _fashion_mnist}


def _uri(image: Grey) -> str:
    return "data:image/png;base64," + base64.b64encode(_png(image)).decode()


def _png(image: Grey) -> bytes:
    height = len(image.pixels) // image.width
    return png_file(image.width, 0, [image.pixels[at * image.width : (at + 1) * image.width] for at in range(height)])

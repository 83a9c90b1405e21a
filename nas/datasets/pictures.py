"""Images of any size and mode as arrays of one shape."""

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from nas.sentences import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
GREY = frozenset({"1", "L", "LA", "I", "I;16", "I;16B", "F"})
MOST_SIDE, MOST_PIXELS = 10_000, 40_000_000
USUAL_SIDE = 64
SIDES = (4, 512)


class Unreadable(ValueError):
    """A file that is no image, or a damaged one."""


class UnknownKind(Unreadable):
    """A file that is of no kind of image that can be read."""


@dataclass(frozen=True)
class Shape:
    """What all images are brought to."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Header:
    """What an image says of itself before it is decoded."""

    width: int
    height: int
    is_grey: bool


def header(file: IO[bytes], name: str) -> Header:
    """Read a header; raises Unreadable for what is no image, Refused for one too large to be decoded."""
    image = _open(file, name)
    return Header(*image.size, image.mode in GREY)


def decoded(content: bytes, name: str, shape: Shape) -> "NDArray[np.uint8]":
    """Return pixels (channels, height, width), cut to the shape's proportions about the centre and resized.

    Turned as its camera said. Raises Unreadable for a damaged image.
    """
    import numpy as np
    from PIL import Image, ImageOps

    try:
        image = ImageOps.exif_transpose(_open(io.BytesIO(content), name))
        if image.mode.startswith("I"):  # 16 bits of grey: Pillow would cut them off at 255
            image = image.convert("F").point(lambda value: value / 257)
        image = image.convert("L" if shape.channels == 1 else "RGB")
        if image.size != (shape.width, shape.height):
            image = ImageOps.fit(image, (shape.width, shape.height), Image.Resampling.BICUBIC)
        pixels = np.asarray(image, np.uint8)
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise Unreadable(str(error)) from error
    return pixels[None] if shape.channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def common_shape(headers: Sequence[Header], side: int = 0) -> Shape:
    """Return the shape for a set of images: `side` square, else the commonest size, at most 64 pixels a side."""
    if side and not SIDES[0] <= side <= SIDES[1]:
        raise Refused("side is {value}; it must be between {low} and {high}.", value=side, low=SIDES[0], high=SIDES[1])
    channels = 1 if all(one.is_grey for one in headers) else 3
    if side:
        return Shape(channels, side, side)
    (width, height), _ = Counter((one.width, one.height) for one in headers).most_common(1)[0]
    shrunk = min(1.0, USUAL_SIDE / max(width, height))
    return Shape(channels, max(SIDES[0], round(height * shrunk)), max(SIDES[0], round(width * shrunk)))


def _open(file: IO[bytes], name: str) -> "Image":
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata; the size is checked below
            image = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise Refused("{file} declares more pixels than an image may have.", file=name) from error
    except UnidentifiedImageError as error:
        raise UnknownKind(name) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unreadable(str(error)) from error
    width, height = image.size
    if max(width, height) > MOST_SIDE or width * height > MOST_PIXELS:
        raise Refused(
            "{file} has {width} x {height} pixels; an image may have {side} a side and {most} million in all.",
            file=name,
            width=width,
            height=height,
            side=MOST_SIDE,
            most=MOST_PIXELS // 1_000_000,
        )
    return image

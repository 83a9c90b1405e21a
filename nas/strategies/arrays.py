"""Arrays of numbers inside a JSON state: base64 of little-endian float32."""

from base64 import b64decode, b64encode

import numpy as np
from numpy.typing import NDArray


def packed(array: NDArray[np.floating]) -> str:
    """Return the numbers as text, rounded to float32."""
    return b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode("ascii")


def unpacked(text: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the numbers of `packed` in float64, which holds each float32 exactly."""
    return np.frombuffer(b64decode(text), "<f4").astype(np.float64).reshape(shape)

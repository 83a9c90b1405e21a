"""Pixels as a PNG file, without a library."""

import struct
import zlib
from collections.abc import Sequence


def png_file(width: int, colours: int, rows: Sequence[bytes]) -> bytes:
    """Return the PNG file of rows of bytes, 0 black to 255 white; `colours` is 0 for greys, 2 for red, green, blue."""
    header = struct.pack(">IIBBBBB", width, len(rows), 8, colours, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

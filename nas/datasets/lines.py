"""Reads a text file, gzipped or not, as UTF-8, and says where it is not."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from nas.sentences import Refused

MOST_BYTES = 2**30
MOST_LINE = 2**20
GZIP = b"\x1f\x8b"
DELIMITERS = (",", ";", "\t", "|")


def lines(path: Path) -> Iterator[str]:
    """Yield lines with their ends; raises Refused for another encoding, with line and byte, and for too much."""
    try:
        with _opened(path) as file:
            yield from _decoded(file, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Refused("{file} is damaged: {error}.", file=path.name, error=str(error)) from error
    except FileNotFoundError as error:
        raise Refused("There is no file {file}.", file=str(path)) from error


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")


def _decoded(file: IO[bytes], path: Path) -> Iterator[str]:
    read, number = 0, 0
    while line := file.readline(MOST_LINE + 1):
        number += 1
        read += len(line)
        if len(line) > MOST_LINE:
            raise Refused("Line {line} of {file} is longer than a megabyte.", line=number, file=path.name)
        if read > MOST_BYTES:
            raise Refused(
                "{file} unpacks to more than {most} MB, which is the most that is taken.",
                file=path.name,
                most=MOST_BYTES // 2**20,
            )
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise Refused(
                "Line {line} of {file} is not UTF-8: byte {byte} at place {at}. Save the file as UTF-8.",
                line=number,
                file=path.name,
                byte=f"0x{line[error.start]:02x}",
                at=error.start + 1,
            ) from error
        if "\0" in text:
            raise Refused("Line {line} of {file} has a zero byte: this is no text.", line=number, file=path.name)
        yield text


def rows(path: Path, delimiter: str = "", *, quoted: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and cells; the delimiter is the commonest of the first line, unless given."""
    source = lines(path)
    first = next(source, "")
    delimiter = delimiter or max(DELIMITERS, key=first.count)

    def whole() -> Iterator[str]:
        yield first
        yield from source

    if quoted:
        reader = csv.reader(whole(), delimiter=delimiter, strict=True)
    else:
        reader = csv.reader(whole(), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise Refused(
            "Line {line} of {file} cannot be read: {error}.", line=reader.line_num, file=path.name, error=str(error)
        ) from error

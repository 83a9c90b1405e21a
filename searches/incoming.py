"""Files on their way in: pieces are written one after another, each at the place where the last one ended.

They lie beside the added datasets, in a folder of their own for each upload, so that whoever checks one finds it on
every host, and so that what became of it can be moved into its place at once.
"""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path
from typing import Protocol

from nas.datasets import storing
from nas.sentences import Refused

BLOCK_BYTES = 256 * 1024
ENDINGS = (".zip", ".csv", ".tsv")
LONGEST_STEM = 60
# So much stays free on the disk, for the database and the log.
RESERVE_BYTES = 200_000_000
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DISK_FULL = "The disk of {place} is full: {needed} MB are needed and {free} MB are free. Nothing of the file was kept."


class Readable(Protocol):
    """Bytes that come in: a request's body, or a file of a form."""

    def read(self, size: int = -1, /) -> bytes: ...


class Elsewhere(Exception):
    """A piece that does not begin where the last one ended; `received` is where that is."""

    def __init__(self, received: int) -> None:
        super().__init__(received)
        self.received = received


def place() -> Path:
    """Return the folder of what comes in; raises Refused where no folder for datasets is set."""
    return storing.place(None) / ".incoming"


def folder(upload_id: int) -> Path:
    """Return the folder of one upload, there or not."""
    return place() / str(upload_id)


def file(upload_id: int, file_name: str) -> Path:
    """Return where an upload is written: under the letters and digits of its name, so that a refusal tells it."""
    name = Path(file_name)
    stem = re.sub(r"[^\w-]+", "-", name.stem)[:LONGEST_STEM] or "file"
    return folder(upload_id) / f"{stem}{name.suffix if name.suffix.lower() in ENDINGS else ''}"


def test_file(upload_id: int, file_name: str) -> Path:
    """Return where the second file of an upload is put for the check."""
    path = file(upload_id, file_name)
    return path.parent / "test" / path.name


def cut(path: Path, at: int, rest: Path) -> None:
    """Move what lies behind so many bytes into a file of its own, unless that was done before."""
    if length(path) <= at:
        return
    rest.parent.mkdir(exist_ok=True)
    with path.open("rb") as whole, rest.open("wb") as stream:
        whole.seek(at)
        shutil.copyfileobj(whole, stream, BLOCK_BYTES)
    # Last: who is killed before copies it anew.
    os.truncate(path, at)


def fresh_staging(upload_id: int, attempt: int) -> Path:
    """Return an empty folder for what an attempt makes, and delete what earlier ones left."""
    for left in folder(upload_id).glob("attempt-*"):
        shutil.rmtree(left, ignore_errors=True)
    staging = folder(upload_id) / f"attempt-{attempt}"
    staging.mkdir(parents=True)
    return staging


def make_room(upload_id: int, size: int) -> None:
    """Make the folder of an upload; raises Refused where the disk has no room for `size` bytes."""
    try:
        place().mkdir(parents=True, exist_ok=True)
        check_room(size)
        folder(upload_id).mkdir(exist_ok=True)
    except OSError as error:
        raise Refused("The file cannot be kept: {error}.", error=error.strerror or str(error)) from error


def check_room(size: int) -> None:
    """Raise Refused where the disk has no room for `size` more bytes."""
    free = shutil.disk_usage(place()).free
    if free < size + RESERVE_BYTES:
        raise full(size)


def full(size: int) -> Refused:
    """Return the refusal of `size` bytes for want of room."""
    free = shutil.disk_usage(place()).free
    needed = size + RESERVE_BYTES
    return Refused(DISK_FULL, place=str(place().parent), needed=needed // 1_000_000, free=free // 1_000_000)


def length(path: Path) -> int:
    """Return how many bytes lie there already."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def opened(path: Path) -> Iterator[RawIOBase]:
    """Open the file for one writer at a time; raises Elsewhere while another one writes."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Elsewhere(length(path)) from None
        yield stream


def write(stream: RawIOBase, offset: int, piece: Readable, most: int) -> int:
    """Write a piece at its offset, and nothing of it but whole; returns where it ends.

    Takes back what it wrote where it raises: OSError where the disk is full, Refused where more than `most` bytes would
    lie there, Elsewhere where the piece broke off.
    """
    end = offset
    stream.seek(offset)
    try:
        while block := _next(piece, offset):
            end += len(block)
            if end > most:
                raise Refused("The file is longer than the {most} bytes that were announced.", most=most)
            rest = memoryview(block)
            while rest:
                # The last bytes before a disk is full are written in part; the next call says so.
                rest = rest[stream.write(rest) or 0 :]
        stream.truncate(end)
    except BaseException:
        with suppress(OSError):
            stream.truncate(offset)
        raise
    return end


def _next(piece: Readable, offset: int) -> bytes:
    try:
        return piece.read(BLOCK_BYTES)
    except OSError as error:
        # Whoever sends it went away; that says nothing of the disk.
        raise Elsewhere(offset) from error


def drop(upload_id: int) -> None:
    """Delete whatever lies there of an upload."""
    shutil.rmtree(folder(upload_id), ignore_errors=True)


def forgotten(known: set[int]) -> list[int]:
    """Return the uploads whose folders are there although nothing is awaited of them any more."""
    try:
        names = [entry.name for entry in os.scandir(place())]
    except (FileNotFoundError, Refused):
        return []
    return [int(name) for name in names if name.isdigit() and int(name) not in known]

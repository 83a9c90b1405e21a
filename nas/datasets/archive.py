"""Looks into a zip without unpacking it, and refuses what could do harm; or into a folder, which its owner trusts."""

import io
import os
import re
import stat
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nas.sentences import Refused

MOST_FILES = 500_000
MOST_FILE_BYTES = 64 * 2**20
MOST_BYTES = 8 * 2**30
MOST_RATIO, RATIO_FROM = 200, 2**20  # images hardly shrink in a zip; what shrinks so much is no image


@dataclass(frozen=True)
class Archive:
    """An opened zip whose names and sizes were looked at."""

    zip: zipfile.ZipFile
    names: tuple[str, ...]

    def read(self, name: str) -> bytes:
        """Return a file's content; raises Refused where there is more of it than the zip declares."""
        info = self.zip.getinfo(name)
        try:
            with self.zip.open(info) as file:
                content = file.read(info.file_size + 1)
        except NotImplementedError as error:
            raise Refused(
                "{file} in the zip is packed in a way that cannot be read: {error}.", file=name, error=str(error)
            ) from error
        if len(content) > info.file_size:
            raise Refused("{file} in the zip unpacks to more than it declares.", file=name)
        return content

    def open(self, name: str) -> IO[bytes]:
        """Return a file; raises Refused as `read` does."""
        return io.BytesIO(self.read(name))

    def close(self) -> None:
        """Close the file."""
        self.zip.close()


def opened(path: Path) -> Archive:
    """Return the archive; raises Refused for what no honest zip has."""
    try:
        packed = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise Refused("{file} is no zip that can be read.", file=path.name) from error
    except (OSError, ValueError, UnicodeDecodeError, NotImplementedError) as error:
        raise Refused("{file} is no zip that can be read: {error}.", file=path.name, error=str(error)) from error
    try:
        files = [info for info in packed.infolist() if not info.is_dir()]
        _check_files(files)
    except Refused:
        packed.close()
        raise
    return Archive(packed, tuple(info.filename for info in files))


@dataclass(frozen=True)
class Folder:
    """A folder on this machine; links to other folders are not followed."""

    path: Path
    names: tuple[str, ...]

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        return (self.path / name).read_bytes()

    def open(self, name: str) -> IO[bytes]:
        """Return a file, of which only that is read which is asked for."""
        return (self.path / name).open("rb")

    def close(self) -> None:
        """Nothing is open."""


def walked(path: Path) -> Folder:
    """Return a folder with all files below it."""
    files = (Path(place) / name for place, _, names in os.walk(path) for name in names)
    return Folder(path, tuple(sorted(file.relative_to(path).as_posix() for file in files)))


def _check_files(files: list[zipfile.ZipInfo]) -> None:
    _check_sizes(files)
    names = Counter(info.filename for info in files)
    for info in files:
        _check(info)
        if names[info.filename] > 1:
            raise Refused("There are two files {file} in the zip.", file=info.filename)


def _check_sizes(files: list[zipfile.ZipInfo]) -> None:
    if len(files) > MOST_FILES:
        raise Refused("The zip holds {count} files; at most {most} are taken.", count=len(files), most=MOST_FILES)
    total = sum(info.file_size for info in files)
    if total > MOST_BYTES:
        raise Refused(
            "The zip unpacks to {size} GB; at most {most} GB are taken.",
            size=round(total / 2**30, 1),
            most=MOST_BYTES // 2**30,
        )
    for info in files:
        if info.file_size > MOST_FILE_BYTES:
            raise Refused(
                "{file} in the zip unpacks to {size} MB; an image may have {most} MB.",
                file=info.filename,
                size=info.file_size // 2**20,
                most=MOST_FILE_BYTES // 2**20,
            )
        if info.file_size > RATIO_FROM and info.file_size > MOST_RATIO * max(1, info.compress_size):
            raise Refused(
                "{file} in the zip unpacks to {times} times its size, as a zip bomb does.",
                file=info.filename,
                times=info.file_size // max(1, info.compress_size),
            )


def _check(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise Refused("{file} in the zip has an absolute path.", file=info.orig_filename)
    if ".." in name.split("/") or "\0" in name:
        raise Refused("{file} in the zip would lie outside of its folder.", file=info.orig_filename.replace("\0", "?"))
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Refused("{file} in the zip is a link; only files are taken.", file=info.filename)
    if info.flag_bits & 1:
        raise Refused("The zip is encrypted ({file} is); pack it without a password.", file=info.filename)

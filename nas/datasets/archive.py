"""Looks into a zip of class folders without unpacking it, and refuses what could do harm."""

import re
import stat
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nas.datasets import splits
from nas.datasets.report import Problem
from nas.sentences import Refused, Sentence

MOST_FILES = 500_000
MOST_FILE_BYTES = 64 * 2**20
MOST_BYTES = 8 * 2**30
MOST_RATIO, RATIO_FROM = 200, 2**20  # images hardly shrink in a zip; what shrinks so much is no image
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Entry:
    """An image of a class; `part` is "train", "test", or "" where the zip does not say."""

    info: zipfile.ZipInfo
    label: str
    part: str


@dataclass
class Archive:
    """An opened zip: what it holds, and a bound on what is really read of it."""

    path: Path
    zip: zipfile.ZipFile
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Sentence] = field(default_factory=list)
    read_bytes: int = 0

    def read(self, entry: Entry) -> bytes:
        """Return a file's content; raises Refused where there is more of it than the zip declares."""
        try:
            with self.zip.open(entry.info) as file:
                content = file.read(entry.info.file_size + 1)
        except NotImplementedError as error:
            raise Refused(
                "{file} in the zip is packed in a way that cannot be read: {error}.",
                file=entry.info.filename,
                error=str(error),
            ) from error
        self.read_bytes += len(content)
        if len(content) > entry.info.file_size or self.read_bytes > MOST_BYTES:
            raise Refused("{file} in the zip unpacks to more than it declares.", file=entry.info.filename)
        return content


def opened(path: Path) -> Archive:
    """Return the archive with the images that it holds; raises Refused for what no honest zip has."""
    try:
        packed = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, UnicodeDecodeError, NotImplementedError) as error:
        raise Refused("{file} is no zip that can be read: {error}.", file=path.name, error=str(error)) from error
    archive = Archive(path, packed)
    try:
        files = [info for info in packed.infolist() if not info.is_dir()]
        _check_files(files)
        _sort(archive, [info for info in files if not _is_litter(info.filename)])
    except Refused:
        packed.close()
        raise
    return archive


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


def _is_litter(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return any(part.startswith(".") or part in LITTER for part in parts)


def _sort(archive: Archive, files: list[zipfile.ZipInfo]) -> None:
    """Find out part and class of each file from the folders it lies in."""
    paths = {info.filename: info.filename.replace("\\", "/").split("/") for info in files}
    while paths and _is_wrapped(list(paths.values())):
        paths = {name: parts[1:] for name, parts in paths.items()}
    tops = {parts[0].lower() for parts in paths.values() if len(parts) > 1}
    named = bool(tops) and tops <= splits.PARTS
    tested = bool(tops & splits.TESTING)
    if named and tested and tops & splits.VALIDATION:
        archive.warnings.append(
            Sentence("The validation images were added to the training part: every search cuts off its own.")
        )
    elif named and not tested and tops & splits.VALIDATION:
        archive.warnings.append(Sentence("There is no folder test; the validation images are the test part."))
    for info in files:
        parts = paths[info.filename]
        inside = parts[1:] if named else parts
        if len(inside) < 2:
            problem = Sentence("It lies in no folder that could name its class.")
        elif Path(inside[-1]).suffix.lower() not in SUFFIXES:
            problem = Sentence("Its name is not that of an image.")
        else:
            part = splits.part_of(parts[0], tested=tested) if named and tops - splits.TRAINING else ""
            archive.entries.append(Entry(info, inside[0], part))
            continue
        archive.problems.append(Problem(info.filename, problem))


def _is_wrapped(paths: list[list[str]]) -> bool:
    """Tell whether all lies in one folder that names neither a part nor a class."""
    first = {parts[0] for parts in paths}
    return len(first) == 1 and min(map(len, paths)) > 2 and next(iter(first)).lower() not in splits.PARTS

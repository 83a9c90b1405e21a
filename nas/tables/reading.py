"""Read a table from a `.npz` file, and refuse whatever would make its answers wrong.

The file holds `about` (UTF-8 JSON as bytes: format, name, source, licence, decisions, metrics), `choices`
(uint8, one row per network) and one array per metric. Nothing in it is unpickled.
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas import codec
from nas.architecture import Decision
from nas.sentences import Refused
from nas.tables.table import Column, Table

FORMAT = 1
MOST_BYTES = 1_000_000_000
MOST_ARRAYS, MOST_DECISIONS, MOST_EPOCHS = 2000, 500, 1_000_000
ARRAY = ".npy"
NAME = re.compile(r"[\w.+-]{1,100}")
TITLE, NOTE = 120, 2000
Arrays = Mapping[str, NDArray[Any]]


def read(path: Path) -> Table:
    """Return the table in a file, from memory where the file is as it was; raises Refused with the reason."""
    try:
        about = path.stat()
    except OSError as error:
        raise Refused("The table {path} cannot be read: {error}.", path=str(path), error=_why(error)) from error
    return _read(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, _size: int) -> Table:
    arrays = _arrays(path)
    about = _about(path.name, arrays)
    decisions = _decisions(about)
    columns = _columns(about, arrays)
    choices = _choices(decisions, arrays)
    for name in columns:
        _check_values(name, arrays[name], len(choices))
    return Table(
        name=path.stem,
        title=str(about["name"])[:TITLE],
        source=str(about.get("source", ""))[:NOTE],
        licence=str(about.get("licence", ""))[:TITLE],
        decisions=decisions,
        columns=columns,
        choices=choices,
        values={name: arrays[name] for name in columns},
        fingerprint=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _arrays(path: Path) -> Arrays:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            if size > MOST_BYTES or len(entries) > MOST_ARRAYS:
                raise Refused(
                    "The table {file} unpacks to {count} arrays of {size} bytes; at most {arrays} and {most} are read.",
                    file=path.name,
                    count=len(entries),
                    size=size,
                    arrays=MOST_ARRAYS,
                    most=MOST_BYTES,
                )
            for entry in entries:
                _check_entry(path.name, archive, entry)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except Refused:
        raise
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, MemoryError) as error:
        raise Refused("{file} is not a .npz file of arrays: {error}.", file=path.name, error=_why(error)) from error


def _check_entry(file: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Compare what an array says of itself with its size, before memory is given to it."""
    if not entry.filename.endswith(ARRAY):
        raise Refused("{file} holds {name}, which is no array.", file=file, name=entry.filename[:NOTE])
    with archive.open(entry) as stream:
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _fortran, dtype = header(stream)
        left = entry.file_size - stream.tell()
    name = entry.filename.removesuffix(ARRAY)
    if dtype.hasobject:
        raise Refused(
            "The table {file} holds pickled Python objects in {name}, which are never loaded; save plain arrays.",
            file=file,
            name=name,
        )
    if prod(shape) * dtype.itemsize != left:
        raise Refused(
            "The array {name} of {file} says to have the shape {shape}, but it has {size} bytes.",
            name=name,
            file=file,
            shape=str(shape),
            size=left,
        )


def _about(file: str, arrays: Arrays) -> Mapping[str, Any]:
    for name in ("about", "choices"):
        if name not in arrays:
            raise Refused("The table {file} has no array {name}.", file=file, name=name)
    try:
        about = json.loads(arrays["about"].astype(np.uint8).tobytes().decode())
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused("The about of the table {file} is not JSON: {error}.", file=file, error=_why(error)) from error
    if not isinstance(about, dict):
        raise Refused("The about of the table {file} is not JSON: {error}.", file=file, error="it is no object")
    for name in ("format", "name", "decisions", "metrics"):
        if not about.get(name):
            raise Refused("The about of the table {file} does not say {name}.", file=file, name=name)
    if about["format"] != FORMAT:
        raise Refused(
            "The table {file} has format {format}; this version reads format {known}.",
            file=file,
            format=str(about["format"]),
            known=FORMAT,
        )
    return about


def _decisions(about: Mapping[str, Any]) -> tuple[Decision, ...]:
    decisions = codec.load(tuple[Decision, ...], about["decisions"])
    names = [decision.name for decision in decisions]
    if not 1 <= len(names) <= MOST_DECISIONS or len(set(names)) < len(names):
        raise Refused(
            "A table needs 1 to {most} decisions of different names; this one has {count}.",
            most=MOST_DECISIONS,
            count=len(names),
        )
    for decision in decisions:
        if not 1 <= len(decision.options) <= 256 or len(set(decision.options)) < len(decision.options):
            raise Refused(
                "The decision {name} needs 1 to 256 different options; it has {options}.",
                name=decision.name,
                options=", ".join(decision.options) or "-",
            )
    return decisions


def _columns(about: Mapping[str, Any], arrays: Arrays) -> Mapping[str, Column]:
    columns = codec.load(dict[str, Column], about["metrics"])
    for name, column in columns.items():
        if not NAME.fullmatch(name) or not 0 <= column.epochs <= MOST_EPOCHS:
            raise Refused(
                "The metric {name} of {epochs} epochs cannot be read: names have letters, digits, dots and dashes.",
                name=name[:NOTE],
                epochs=column.epochs,
            )
        if name not in arrays:
            raise Refused("The metric {name} is announced, but the table has no array of that name.", name=name)
    extra = sorted(set(arrays) - set(columns) - {"about", "choices"})
    if extra:
        raise Refused("The array {name} is in the table, but its about says nothing of it.", name=extra[0])
    return columns


def _choices(decisions: tuple[Decision, ...], arrays: Arrays) -> NDArray[np.uint8]:
    choices = arrays["choices"]
    if not choices.size:
        raise Refused("The table has no rows: its array choices is empty.")
    if choices.ndim != 2 or choices.shape[1] != len(decisions):
        raise Refused(
            "choices has the shape {shape}; it must be rows of {count} decisions.",
            shape=str(choices.shape),
            count=len(decisions),
        )
    if choices.dtype.kind not in "ui":
        raise Refused("choices holds {kind}; it must be whole numbers.", kind=str(choices.dtype))
    sizes = np.array([len(decision.options) for decision in decisions])
    wrong = np.argwhere((choices < 0) | (choices >= sizes))
    if len(wrong):
        row, column = map(int, wrong[0])
        raise Refused(
            "Row {row} chooses option {option} of {decision}, which has {count} options counted from 0.",
            row=row,
            option=int(choices[row, column]),
            decision=decisions[column].name,
            count=int(sizes[column]),
        )
    choices = choices.astype(np.uint8)
    unique, first = np.unique(choices, axis=0, return_index=True)
    if len(unique) < len(choices):
        again = int(np.setdiff1d(np.arange(len(choices)), first)[0])
        raise Refused("Row {row} repeats an architecture that an earlier row has.", row=again)
    return choices


def _check_values(name: str, values: NDArray[Any], count: int) -> None:
    if values.shape != (count,):
        raise Refused(
            "The metric {name} has the shape {shape}; it must be one number for each of the {count} rows.",
            name=name,
            shape=str(values.shape),
            count=count,
        )
    if values.dtype.kind not in "uif":
        raise Refused("The metric {name} holds {kind}; it must be numbers.", name=name, kind=str(values.dtype))
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise Refused(
            "The metric {name} is {value} in row {row}; every number must be finite.",
            name=name,
            value=str(values[wrong[0]]),
            row=int(wrong[0]),
        )


def _why(error: Exception) -> str:
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return told.rstrip(".").splitlines()[0] if told else type(error).__name__

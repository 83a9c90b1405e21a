"""Add a table: checked as a whole before it is seen by anybody, then put into its place at once."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.sentences import Refused
from nas.tables import places
from nas.tables.comma_separated import arrays_of
from nas.tables.reading import read
from nas.tables.table import Table

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
MOST_FILE_BYTES = 64_000_000


def add(file: Path, name: str, title: str = "") -> Table:
    """Put a `.npz` or `.csv` file where added tables are kept, under a name; return the table.

    `title` is what people call it, of a CSV file, which has no place for that. Raises Refused, with nothing added, for
    a name that is taken or a file that cannot be trusted.
    """
    _check_name(name)
    size = _size(file)
    if size > MOST_FILE_BYTES:
        raise Refused(
            "{file} has {size} bytes; a table may have {most}.", file=file.name, size=size, most=MOST_FILE_BYTES
        )
    kept = places.added()
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept, prefix=".adding-") as draft:
        # Under its own name, so that a refusal speaks of it by that.
        path = Path(draft) / f"{name}.npz"
        if file.suffix.lower() == ".npz":
            shutil.copyfile(file, path)
        else:
            save(path, arrays_of(file, title or name))
        read(path)
        _publish(path, kept / path.name)
    return read(kept / f"{name}.npz")


def save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as a compressed `.npz`, down to the disk."""
    with path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
        stream.flush()
        os.fsync(stream.fileno())


def remove(name: str) -> bool:
    """Delete an added table; False where none of that name was added."""
    path = places.added() / f"{name}.npz"
    if not NAME.fullmatch(name) or not path.is_file():
        return False
    path.unlink()
    return True


def name_of(file: str) -> str:
    """Return a name for a table out of a file's: small letters, digits, dashes and underscores."""
    return re.sub(r"[^a-z0-9_-]+", "-", Path(file).stem.lower()).strip("-_")[:60]


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Refused(
            "A table cannot be called {name}: 1 to 60 small letters, digits, dashes and underscores.", name=name or "-"
        )
    taken = places.files().get(name)
    if taken is not None:
        raise Refused("There is a table {name} already: {path}. Choose another name.", name=name, path=str(taken))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        reason = error.strerror or str(error)
        raise Refused("The table {path} cannot be read: {error}.", path=str(file), error=reason) from error


def _publish(path: Path, place: Path) -> None:
    try:
        # A link fails where somebody else took the name meanwhile; a rename would overwrite theirs.
        os.link(path, place)
    except FileExistsError as error:
        raise Refused(
            "There is a table {name} already: {path}. Choose another name.", name=place.stem, path=str(place)
        ) from error

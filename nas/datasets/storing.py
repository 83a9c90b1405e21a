"""Writes an added dataset: in a hidden folder beside the others, which takes its name in one step when all is there."""

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nas import codec
from nas.datasets import added
from nas.datasets.added import ABOUT, Added
from nas.datasets.known import DATASETS
from nas.sentences import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
FULL = (errno.ENOSPC, errno.EDQUOT)
BLOCK = 2**20


def place(home: Path | None) -> Path:
    """Return the folder of added datasets; raises Refused where none is set."""
    found = home if home is not None else added.home()
    if found is None:
        raise Refused("There is no folder for added datasets; set NAS_DATASET_DIR.")
    return found


def check_name(name: str, home: Path) -> None:
    """Raise Refused for a name that is not one, or that is taken."""
    if not NAME.fullmatch(name):
        raise Refused(
            "A dataset cannot be called {name}: use up to 64 small letters, digits, - and _, a letter or digit first.",
            name=name[:80],
        )
    if name in DATASETS or (home / name).exists():
        raise Refused("There is already a dataset {name}.", name=name)


@contextmanager
def workplace(home: Path) -> Iterator[Path]:
    """Give a hidden folder to write in, and take it away; a disk that is full is one sentence, nothing is left."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".adding-", dir=home))
    except OSError as error:
        raise _unwritable(error, home) from error
    try:
        yield folder
    except OSError as error:
        raise _unwritable(error, home) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def finish(folder: Path, about: Added, arrays: Mapping[str, "NDArray[Any]"], texts: Mapping[str, str]) -> Added:
    """Write arrays and texts, by name without and with an ending, then rename the folder; returns what it became.

    Size and fingerprint are filled in; they count what was written into the folder before, too. Raises Refused where
    the name was taken meanwhile.
    """
    import numpy as np

    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    digest = hashlib.sha256(json.dumps([codec.dump(about.task), about.report.classes, about.target]).encode())
    files = sorted(folder.iterdir())
    for path in files:
        digest.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    size = sum(path.stat().st_size for path in files)
    about = replace(about, report=replace(about.report, size=size, fingerprint=digest.hexdigest()))
    (folder / ABOUT).write_text(json.dumps(codec.dump(about), indent=1) + "\n", encoding="utf-8")
    folder.chmod(0o755)
    target = folder.parent / about.name
    try:
        os.rename(folder, target)  # fails where somebody else has just added one of that name
    except OSError as error:
        if target.exists():
            raise Refused("There is already a dataset {name}.", name=about.name) from error
        raise
    return about


class Rows:
    """An `.npy` file that grows row by row: nothing but a row need fit into memory."""

    def __init__(self, path: Path, shape: tuple[int, ...], kind: str) -> None:
        self._shape, self._kind, self.count = shape, kind, 0
        self._file = path.open("wb")
        self._head()

    def write(self, row: "NDArray[Any]") -> None:
        """Append a row."""
        self._file.write(row.tobytes())
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Write the number of rows into the head, where numpy leaves room for it."""
        with self._file:
            if kind is None:
                self._file.seek(0)
                self._head()

    def _head(self) -> None:
        import numpy as np

        about = {"descr": np.dtype(self._kind).str, "fortran_order": False, "shape": (self.count, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, about)


def _unwritable(error: OSError, home: Path) -> Refused:
    if error.errno in FULL:
        return Refused("The disk is full: the dataset could not be written to {place}.", place=str(home))
    return Refused("The dataset could not be written to {place}: {error}.", place=str(home), error=str(error))

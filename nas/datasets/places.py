"""Where the files of a known dataset lie, and how one of them is read."""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from nas.datasets.known import Dataset
from nas.sentences import Refused

DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")
NOWHERE = "no folder, as NAS_DATA_DIR is not set"


def folder(known: Dataset, roots: Sequence[Path]) -> Path | None:
    """Return the folder that holds the dataset's files, None where it needs none; raises Refused where it is missing.

    Looks below each root for the dataset's own layouts, then where Debian's package puts Fashion-MNIST. A file may be
    gzipped.
    """
    if not known.files:
        return None
    places = [root / below for root in roots for below in known.folders]
    if known.name == "fashion_mnist":
        places.append(DEBIAN_FASHION)
    for place in places:
        if all(_present(place, name) for name in known.files):
            return place
    raise Refused(
        "{title} was not found. Looked for {file} and its companions in: {places}. Put it there, or set NAS_DATA_DIR.",
        title=known.title,
        file=known.files[0],
        places=", ".join(str(place) for place in places) or NOWHERE,
    )


def read_bytes(place: Path, name: str) -> bytes:
    """Return a dataset file's content, gzipped or not; raises Refused where it cannot be read."""
    plain, packed = place / name, place / f"{name}.gz"
    path = plain if plain.exists() else packed
    try:
        return plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise Refused("{path} cannot be read: {error}.", path=str(path), error=str(error)) from error


def _present(place: Path, name: str) -> bool:
    return (place / name).is_file() or (place / f"{name}.gz").is_file()

"""Where tables are found by name: added ones first, then the data folders, then the one that comes with the product.

`NAS_TABLE_DIR` is where added tables are kept, `NAS_DATA_DIR` lists folders that are only read.
"""

import os
from difflib import get_close_matches
from pathlib import Path

from nas.sentences import Refused
from nas.tables.reading import read
from nas.tables.table import Table

SHIPPED = Path(__file__).parent


def places() -> tuple[Path, ...]:
    """Return the folders in the order in which they are searched."""
    listed = [os.environ.get("NAS_TABLE_DIR", ""), *os.environ.get("NAS_DATA_DIR", "").split(os.pathsep)]
    return (*(Path(place) for place in listed if place), SHIPPED)


def added() -> Path:
    """Return the folder of added tables; raises Refused where none is set."""
    place = os.environ.get("NAS_TABLE_DIR", "")
    if not place:
        raise Refused("There is no folder for added tables; set NAS_TABLE_DIR.")
    return Path(place)


def files() -> dict[str, Path]:
    """Return every `.npz` file of those folders by its name without the ending; not every one need be a table."""
    found: dict[str, Path] = {}
    for place in places():
        for path in sorted(place.glob("*.npz")):
            found.setdefault(path.stem, path)
    return found


def table(name: str) -> Table:
    """Return a table by its name or by a path to it; raises Refused with the names there are."""
    if name.endswith(".npz"):
        return read(Path(name).expanduser().resolve())
    known = files()
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0)
        raise Refused(
            "There is no table {name}; the nearest is {near}. Looked in {places}.",
            name=name,
            near=near[0] if near else "-",
            places=", ".join(str(place) for place in places()),
        )
    return read(known[name])


def tables() -> tuple[Table, ...]:
    """Return every table that can be read, by title."""
    found = (found for _path, found in survey())
    return tuple(sorted((one for one in found if isinstance(one, Table)), key=lambda one: one.title))


def survey() -> tuple[tuple[Path, "Table | Refused"], ...]:
    """Return every file that may be a table with what is in it, or why it cannot be read."""
    found: list[tuple[Path, Table | Refused]] = []
    for path in files().values():
        try:
            found.append((path, read(path)))
        except Refused as refused:
            found.append((path, refused))
    return tuple(found)

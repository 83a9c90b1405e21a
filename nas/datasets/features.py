"""A row of a table as the features that a network reads.

It needs nothing but Python: an exported network carries the source of these functions.
"""

from collections.abc import Mapping, Sequence

MISSING = {"", "?", "na", "n/a", "nan", "null", "none"}


def is_missing(cell: str) -> bool:
    """Tell whether a cell says that its value is not known."""
    return cell.strip().lower() in MISSING


def features(row: Mapping[str, str], columns: Sequence[tuple[str, Sequence[str], float, bool]]) -> list[float]:
    """Return the features of a row, cells by the name of their column.

    A column is (name, categories, fill, missing): one 0-or-1 feature for each category or, without categories, the
    number, `fill` where it is missing; where `missing`, one more says that it is.
    """
    found: list[float] = []
    for name, categories, fill, missing in columns:
        cell = str(row[name]).strip()
        unknown = is_missing(cell)
        if categories:
            found += [float(not unknown and cell == category) for category in categories]
        else:
            found.append(fill if unknown else float(cell))
        if missing:
            found.append(float(unknown))
    return found

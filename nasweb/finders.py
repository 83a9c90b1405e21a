"""Static files that other Python packages bring along."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

# Address below static/ -> the package that ships the file, and where in it.
SHIPPED = {"vendor/plotly/plotly.min.js": ("plotly", "package_data/plotly.min.js")}


class WheelFinder(BaseFinder):
    """Finds the files named in SHIPPED without importing the packages; a package that is missing has no files."""

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        """Return the file's place on disk; [] where it is not one of ours."""
        place = _place(path)
        if place is None:
            return []
        return [str(place)] if find_all else str(place)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield each file's name and a storage that opens it, for collectstatic."""
        for path in SHIPPED:
            place = _place(path)
            if place is not None:
                storage = FileSystemStorage(location=place.parent)
                storage.prefix = str(Path(path).parent)  # type: ignore[attr-defined]
                yield place.name, storage


def _place(path: str) -> Path | None:
    package, inside = SHIPPED.get(path, ("", ""))
    spec = find_spec(package) if package else None
    if spec is None or not spec.submodule_search_locations:
        return None
    place = Path(spec.submodule_search_locations[0]) / inside
    return place if place.is_file() else None

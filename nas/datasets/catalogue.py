"""Every dataset by its name: those that everybody knows, and those that people added."""

from difflib import get_close_matches

from nas.datasets.added import added, described, find
from nas.datasets.known import DATASETS, Dataset
from nas.sentences import Refused


def datasets() -> dict[str, Dataset]:
    """Return every dataset by its name, the known ones first."""
    return DATASETS | {one.name: described(one) for one in added() if one.name not in DATASETS}


def dataset(name: str) -> Dataset:
    """Return the dataset of that name; raises Refused with the nearest names there are."""
    if name in DATASETS:
        return DATASETS[name]
    one = find(name)
    if one is None:
        near = ", ".join(get_close_matches(name, datasets(), n=3, cutoff=0))
        raise Refused("There is no dataset {name}; the nearest are {names}.", name=name, names=near)
    return described(one)

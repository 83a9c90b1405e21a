"""Every dataset by its name."""

from nas.datasets.known import DATASETS, Dataset
from nas.sentences import Refused


def dataset(name: str) -> Dataset:
    """Return the dataset of that name; raises Refused with the names there are."""
    if name not in DATASETS:
        raise Refused("There is no dataset {name}; there are {names}.", name=name, names=", ".join(DATASETS))
    return DATASETS[name]

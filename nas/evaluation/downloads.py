"""Fetches the files of a dataset from where its authors put them, through torchvision, which checks their sums."""

from pathlib import Path

from nas.datasets.known import Dataset
from nas.evaluation.vision import torchvision
from nas.sentences import Refused


def fetch(known: Dataset, root: Path) -> None:
    """Download a dataset below `root`, in the layout in which it is looked for; raises Refused where that fails."""
    reader = getattr(torchvision("torchvision.datasets"), known.reader)
    root.mkdir(parents=True, exist_ok=True)
    try:
        if known.reader == "SVHN":
            for split in ("train", "test"):
                reader(str(root / "svhn"), split=split, download=True)
        else:
            reader(str(root), download=True)
    except (OSError, RuntimeError) as error:
        raise Refused(
            "{title} could not be downloaded into {root}: {error}.", title=known.title, root=str(root), error=str(error)
        ) from error

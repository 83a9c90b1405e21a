"""Search cells of NAS-Bench-201 by gradient on real images and look what was derived up in a table.

    OMP_NUM_THREADS=1 nice -n 19 .venv/bin/python -m benchmarks.gradient --table digits_cells
    NAS_DATA_DIR=... OMP_NUM_THREADS=1 nice -n 19 .venv/bin/python -m benchmarks.gradient --methods gdas,snas

The first searches the small cells on digits that the product's own table has. The second searches on CIFAR-10 and needs
nasbench201.npz and cifar10_small.zip in a folder of NAS_DATA_DIR: 10,000 of the 50,000 images that train, a quarter of
them for validation; with `--dataset fashion_mnist` on as many of those. Unless told otherwise the images are shrunken
(`--side`), and the supernet (`--cells` per stage, `--channels`): on a processor the whole search takes days. The
accuracy is the table's, on CIFAR-10: of the derived cell in the whole network, trained by itself. With `--keep` a run
that was stopped goes on where it was, to the same numbers.
"""

import argparse
import os
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from json import loads
from pathlib import Path
from statistics import fmean, stdev
from zipfile import ZipFile

import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import train_test_split

from benchmarks.tables.digits_cells import EPOCHS, OPERATIONS, SPACE
from benchmarks.tables.digits_cells import SPLIT as DIGITS_SPLIT
from nas.datasets.known import DATASETS
from nas.evaluation.datasets import Data, Part, load
from nas.evaluation.devices import device, device_name
from nas.evaluation.protocol import Job, Split, Training
from nas.evaluation.relaxed.search import GradientSearch
from nas.gradient import GRADIENT
from nas.spaces.catalogue import SpaceSpec
from nas.tables import places
from nas.tables.table import Table

PACKED = "cifar10_small.zip"
SPLITS = {name: Split(name, seed=0, valid_share=0.25) for name in ("cifar10", "fashion_mnist")}
# CIFAR-10 test accuracy after a search on CIFAR-10, as the benchmark's paper gives it (Dong and Yang 2020, table 5).
PUBLISHED = {"darts": 54.30, "gdas": 93.61}


@dataclass(frozen=True)
class Ground:
    """What is searched, on which images, and the column of the table that tells how good a cell is."""

    space: SpaceSpec
    split: Split
    data: Data
    table: Table
    column: str

    def accuracy(self, choices: tuple[int, ...]) -> float:
        """Return the test accuracy of a cell trained by itself."""
        row = self.table.row(choices)
        assert row is not None
        return self.table.value(self.column, row)


@dataclass(frozen=True)
class Found:
    """What one search derived, and where its cell stands in the table."""

    choices: tuple[int, ...]
    accuracy: float
    better_than: float  # share of all cells
    entropy: float
    shared: float  # validation accuracy under the shared weights
    seconds: float


def main() -> None:
    """Print a row per search, and a row per method."""
    options = _options()
    ground = digits() if options.table == "digits_cells" else nasbench201(options)
    values = ground.table.values[ground.column]
    print(
        f"{device_name(device())}; {len(ground.data.train)} images train, {len(ground.data.valid)} validate; {options}"
    )
    print(f"random cell: mean {values.mean():.2f}, median {np.median(values):.2f}; best cell {values.max():.2f}")
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.methods.split(","):
            searches = [
                searched(ground, name, seed, options, options.keep or Path(scratch))
                for seed in range(options.seed, options.seed + options.seeds)
            ]
            accuracies = [one.accuracy for one in searches]
            spread = stdev(accuracies) if len(accuracies) > 1 else 0.0
            published = PUBLISHED.get(name, "-") if ground.split is SPLITS["cifar10"] else "-"
            print(
                f"| {name} | {fmean(accuracies):.2f} ± {spread:.2f} | {min(accuracies):.2f} | {max(accuracies):.2f} "
                f"| {values.mean():.2f} | {published} | {fmean(one.seconds for one in searches):.0f} |",
                flush=True,
            )


def searched(ground: Ground, name: str, seed: int, options: argparse.Namespace, keep: Path) -> Found:
    """Run one search and look its cell up."""
    values = ground.table.values[ground.column]
    job = Job(
        space=ground.space,
        choices=(),
        split=ground.split,
        training=Training(),
        epochs=options.epochs,
        seed=seed,
        stage="search",
        workdir=str(keep / f"{name}-{seed}"),
        strategy=name,
        strategy_settings=dict(pair.split("=") for pair in options.set),
    )
    for epoch in GradientSearch(job, ground.data, device()).epochs():
        accuracy = ground.accuracy(epoch.architecture.choices)
        found = Found(
            epoch.architecture.choices,
            accuracy,
            float(np.mean(values < accuracy)),
            epoch.trace["entropy"],
            epoch.metrics["accuracy"],
            epoch.metrics["training_seconds"],
        )
        if epoch.epoch == epoch.epochs or epoch.epoch % 5 == 0:
            print(f"{name} seed {seed} epoch {epoch.epoch}: {found}", flush=True)
    return found


def digits() -> Ground:
    """Return the small cells on digits, whose table comes with the product."""
    spec = SpaceSpec("nasbench201", {"operations": OPERATIONS, "cells": SPACE.cells, "channels": SPACE.channels})
    return Ground(
        spec, DIGITS_SPLIT, load(DIGITS_SPLIT), places.table("digits_cells"), f"digits.test_accuracy.{EPOCHS[-1]}ep"
    )


def nasbench201(options: argparse.Namespace) -> Ground:
    """Return the benchmark's cells in a network of the size asked for."""
    spec = SpaceSpec("nasbench201", {"cells": options.cells, "channels": options.channels})
    split = SPLITS[options.dataset]
    images, labels = _unpacked("train") if options.dataset == "cifar10" else _clothes(split)
    data = shrunken(split, images[: options.images], labels[: options.images], options.side)
    return Ground(spec, split, data, places.table("nasbench201"), "cifar10.test_accuracy.200ep")


def shrunken(split: Split, images: np.ndarray, labels: np.ndarray, side: int) -> Data:
    """Return images whose sides are averaged down to `side`, a quarter for validation, classes in proportion."""
    square = images.shape[2] // side
    images = images.reshape(*images.shape[:2], side, square, side, square).mean((3, 5)).round().astype(np.uint8)
    kept, held = train_test_split(
        np.arange(len(labels)), test_size=split.valid_share, stratify=labels, random_state=split.seed
    )
    parts = [Part(torch.from_numpy(images[some]), torch.from_numpy(labels[some])) for some in (kept, held)]
    mean, std = images[kept].mean((0, 2, 3)) / 255, images[kept].std((0, 2, 3)) / 255
    return Data(
        known=DATASETS[split.dataset],
        train=parts[0],
        valid=parts[1],
        test=parts[1],
        peak=255,
        mean=tuple(map(float, mean)),
        std=tuple(map(float, std)),
        mirrors=True,
        fingerprint=sha256(images.tobytes()).hexdigest(),
    )


def _clothes(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return the images with a margin of black, so that they have the 32 pixels of CIFAR-10's, which halve often."""
    part = load(split).train
    assert isinstance(part.inputs, torch.Tensor)
    return np.pad(part.inputs.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2))), part.labels.numpy()


def _unpacked(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Cut the mosaics of a split into images (count, channels, height, width)."""
    folders = [Path(place) for place in os.environ.get("NAS_DATA_DIR", "").split(os.pathsep) if place]
    with ZipFile(next(folder / PACKED for folder in folders if (folder / PACKED).exists())) as file:
        about = loads(file.read("meta.json"))
        height, width = about["tile"]
        tiles = []
        for name in sorted(name for name in file.namelist() if name.startswith(f"{split}/") and name.endswith(".webp")):
            mosaic = np.asarray(Image.open(BytesIO(file.read(name))).convert("RGB"))
            rows, columns = mosaic.shape[0] // height, mosaic.shape[1] // width
            cut = mosaic.reshape(rows, height, columns, width, 3).swapaxes(1, 2).reshape(-1, height, width, 3)
            tiles.append(cut[: about["chunk"]])
        labels = np.load(BytesIO(file.read(f"{split}/labels.npy")), allow_pickle=False).astype(np.int64)
    pixels = np.concatenate(tiles)[: len(labels)]
    known = about["splits"][split]["sha256_pixels_nhwc_rgb_uint8"]
    assert sha256(pixels.tobytes()).hexdigest() == known, "the images are not those that were packed"
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), labels


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="nasbench201", choices=("nasbench201", "digits_cells"))
    parser.add_argument("--methods", default=",".join(GRADIENT))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--dataset", default="cifar10", choices=SPLITS, help="what nasbench201's cells are searched on")
    parser.add_argument("--side", type=int, default=16, choices=(8, 16, 32), help="pixels")
    parser.add_argument("--cells", type=int, default=1)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--keep", type=Path, help="folder for the checkpoints")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the methods")
    return parser.parse_args()


if __name__ == "__main__":
    main()

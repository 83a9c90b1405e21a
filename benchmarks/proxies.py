"""How zero-cost proxies rank NAS-Bench-201 cells: beside the table's own proxy columns, and beside trained accuracy.

`python -m benchmarks.proxies [--cells 200] [--batch 32] [--only NAME ...] [--torch-init]` prints the tables of
docs/proxies.md. Needs NAS_DATA_DIR with nasbench201.npz and cifar10_small.zip.
"""

import argparse
import io
import os
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain
from math import inf
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nas.architecture import Architecture
from nas.evaluation.networks import Network, build
from nas.evaluation.proxies.catalogue import PROXIES
from nas.evaluation.proxies.probe import Probe, measure
from nas.sentences import Refused
from nas.spaces.graph import Graph, Task
from nas.spaces.nasbench201 import NasBench201
from nas.tables.places import table
from nas.tables.table import Table

ACCURACY = "cifar10.test_accuracy.200ep"
SIZES = ("parameters", "multiply_adds")
PICKING = ("cifar10.proxy.synflow", "cifar10.proxy.naswot", "cifar10.proxy.zen", "cifar10.parameters")
CROWD, DRAWS = 1000, 300
TRAINED, SHORTLY = 10, "cifar10.valid_accuracy.12ep"
SAMPLE_SEED = 0
SIDE, COLUMNS = 32, 40  # of the images in a mosaic of the archive
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
# |Spearman| over all 15,625 cells, CIFAR-10: Abdelfattah et al. (2021), from the notebook of their repository.
PUBLISHED = {"synflow": 0.737, "jacob_cov": 0.731, "snip": 0.596, "grad_norm": 0.594, "grasp": 0.514, "fisher": 0.360}


def main() -> int:
    """Print the table; 2 where the data are missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxies", description=__doc__)
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--only", nargs="*", default=list(PROXIES), choices=list(PROXIES))
    parser.add_argument("--torch-init", action="store_true", help="weights as PyTorch draws them, not as for training")
    options = parser.parse_args()
    torch.set_num_threads(1)
    known = table("nasbench201")
    built = _as_torch_draws if options.torch_init else build
    for line in chain(correlations(known, options.only, options.cells, options.batch, built), picks(known)):
        print(line, flush=True)
    return 0


def correlations(
    known: Table, names: Sequence[str], cells: int, batch: int, built: Callable[[Graph], Network] = build
) -> Iterator[str]:
    """Yield a Markdown table, one row per proxy, the sizes last."""
    from scipy.stats import spearmanr

    rows = sample(known, cells)
    inputs, labels = cifar_batch(batch)
    accuracy = known.values[ACCURACY][rows]
    yield f"{cells} cells, a batch of {batch} CIFAR-10 images; rank correlations (Spearman):"
    yield ""
    yield "| proxy | with the table's own | with accuracy | the table's own with accuracy | published | CPU seconds |"
    yield "|---|---|---|---|---|---|"
    for name in names:
        values, seconds = scores(known, name, rows, inputs, labels, built)
        same, theirs, column = "", "", f"cifar10.proxy.{name}"
        if column in known.columns:
            own = known.values[column][rows]
            same, theirs = f"{spearmanr(values, own).statistic:.3f}", f"{spearmanr(own, accuracy).statistic:.3f}"
        found, published = spearmanr(values, accuracy).statistic, PUBLISHED.get(name, "")
        yield f"| {name} | {same} | {found:.3f} | {theirs} | {published} | {seconds:.2f} |"
    for size in SIZES:
        values = [graph_of(known, row).costs[size] for row in rows]
        yield f"| {size} | | {spearmanr(values, accuracy).statistic:.3f} | | | |"


def picks(known: Table) -> Iterator[str]:
    """Yield a table: the accuracy of the cell that a column of the table likes best among many, on average."""
    draw = np.random.default_rng(SAMPLE_SEED)
    crowds = [draw.choice(len(known), CROWD, replace=False) for _ in range(DRAWS)]
    yield ""
    yield f"The cell picked of {CROWD:,}, its test accuracy after 200 epochs, mean and deviation of {DRAWS} draws:"
    yield ""
    yield "| picked by | test accuracy |"
    yield "|---|---|"
    for column in PICKING:
        yield f"| {column} | {_picked(known, column, crowds)} |"
    few = [crowd[:TRAINED] for crowd in crowds]
    yield f"| {SHORTLY} of {TRAINED} of them | {_picked(known, SHORTLY, few)} |"
    yield f"| chance | {_picked(known, SHORTLY, [crowd[:1] for crowd in crowds])} |"


def _picked(known: Table, column: str, crowds: Sequence[NDArray[np.int64]]) -> str:
    values = known.values[column]
    found = [known.values[ACCURACY][crowd[np.argmax(values[crowd])]] for crowd in crowds]
    return f"{np.mean(found):.2f} ± {np.std(found):.2f} %"


def scores(
    known: Table,
    name: str,
    rows: Sequence[int],
    inputs: Tensor,
    labels: Tensor,
    built: Callable[[Graph], Network] = build,
) -> tuple[list[float], float]:
    """Return a proxy of the cells, minus infinity where it refuses one, and the median CPU seconds of a network."""
    values, times = [], []
    for row in rows:
        probe = Probe(built(graph_of(known, row)), inputs, labels)
        started = time.process_time()
        try:
            values.append(measure(name, probe))
        except Refused:
            values.append(-inf)
        times.append(time.process_time() - started)
    return values, median(times)


def _as_torch_draws(graph: Graph) -> Network:
    torch.manual_seed(0)
    return Network(graph)


def sample(known: Table, cells: int) -> list[int]:
    """Return the rows of a fixed sample of the table."""
    drawn = np.random.default_rng(SAMPLE_SEED).choice(len(known), cells, replace=False)
    return [int(row) for row in drawn]


def graph_of(known: Table, row: int) -> Graph:
    """Return the benchmark's network of a row: 15 cells, 16 channels, for images of 32 x 32."""
    choices = tuple(int(choice) for choice in known.choices[row])
    return NasBench201(Task((3, SIDE, SIDE), 10)).graph(Architecture("nasbench201", choices))


@cache
def cifar_batch(count: int) -> tuple[Tensor, Tensor]:
    """Return training images of all classes in turn, normalised (count, 3, 32, 32), and their labels."""
    archive = zipfile.ZipFile(_archive())
    labels = np.load(io.BytesIO(archive.read("train/labels.npy")))
    by_class = [np.flatnonzero(labels == label) for label in range(10)]
    picked = [int(by_class[index % 10][index // 10]) for index in range(count)]
    images = torch.from_numpy(np.stack([_image(archive, index) for index in picked])).float() / 255
    pixels = ((images - torch.tensor(MEAN)) / torch.tensor(STD)).permute(0, 3, 1, 2).contiguous()
    return pixels, torch.from_numpy(labels[picked].astype(np.int64))


def _archive() -> Path:
    for place in os.environ.get("NAS_DATA_DIR", "").split(os.pathsep):
        if place and (Path(place) / "cifar10_small.zip").is_file():
            return Path(place) / "cifar10_small.zip"
    raise FileNotFoundError("cifar10_small.zip is in no folder of NAS_DATA_DIR.")


def _image(archive: zipfile.ZipFile, index: int) -> NDArray[np.uint8]:
    chunk, place = divmod(index, 1000)
    top, left = SIDE * (place // COLUMNS), SIDE * (place % COLUMNS)
    return _mosaic(archive, chunk)[top : top + SIDE, left : left + SIDE]


@cache
def _mosaic(archive: zipfile.ZipFile, chunk: int) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(archive.read(f"train/{chunk:03}.webp"))).convert("RGB"))


if __name__ == "__main__":
    sys.exit(main())

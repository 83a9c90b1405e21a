"""How shared weights rank the cells of the table on digits, beside size alone, a proxy and a short training.

    OMP_NUM_THREADS=1 nice -n 19 .venv/bin/python -m benchmarks.supernet [--epochs 30] [--seeds 1 2 3] [--cells 243]

Each seed trains shared weights on uniform paths and measures every cell by them; the table has what those cells reach
when each is trained by itself. Prints a line per seed; about a minute of processor time each.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from statistics import fmean

import numpy as np
import torch
from scipy.stats import kendalltau, spearmanr

from benchmarks.tables.digits_cells import OPERATIONS, SPLIT
from nas.evaluation.catalogue import evaluator
from nas.evaluation.protocol import Job, Scoring, Supernet, Training
from nas.events import EpochEnded, Measured
from nas.spaces.catalogue import SpaceSpec
from nas.tables import places

SPACE = SpaceSpec("nasbench201", {"operations": OPERATIONS, "cells": 1, "channels": 4})
TRUTH, TESTED, SHORT = "digits.valid_accuracy.27ep", "digits.test_accuracy.27ep", "digits.valid_accuracy.3ep"
Cells = Sequence[tuple[int, ...]]


def measured(cells: Cells, seed: int, settings: Supernet, name: str, folder: str) -> tuple[list[float], float]:
    """Return what an evaluator says of each cell, nan where nothing, and the seconds that the shared weights took."""
    values, trained = [], 0.0
    for cell in cells:
        job = Job(
            space=SPACE,
            choices=cell,
            split=SPLIT,
            training=Training(),
            epochs=1,
            seed=seed,
            stage="search",
            workdir=folder,
            shared=folder,
            evaluator="score" if name != "accuracy" else "supernet",
            columns=(name,) if name != "accuracy" else (),
            scoring=Scoring(),
            supernet=settings,
        )
        value = float("nan")
        for event in evaluator(job).evaluate(job):
            match event:
                case EpochEnded():
                    trained = event.seconds
                case Measured():
                    value = event.metrics[name]
        values.append(value)
    return values, trained


def line(title: str, said: Sequence[float], truth: Sequence[float], tests: Sequence[float]) -> str:
    """Return rank correlations and the test accuracy of the cell that has the highest value."""
    known = [at for at, value in enumerate(said) if np.isfinite(value)]
    pairs = [said[at] for at in known], [truth[at] for at in known]
    picked = max(known, key=lambda at: said[at])
    spearman, kendall = spearmanr(*pairs).statistic, kendalltau(*pairs).statistic
    return f"| {title} | {spearman:.3f} | {kendall:.3f} | {tests[picked]:.2f} % |"


def main() -> None:
    """Print the tables of docs/supernet.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.supernet", description=__doc__)
    parser.add_argument("--epochs", type=int, default=Supernet().epochs)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--cells", type=int, default=243)
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = places.table("digits_cells")
    rows = np.random.default_rng(0).permutation(len(table))[: options.cells]
    cells = [tuple(int(choice) for choice in table.choices[row]) for row in rows]
    truth, tests = ([table.value(column, int(row)) for row in rows] for column in (TRUTH, TESTED))
    print(f"{len(cells)} cells, test accuracy {fmean(tests):.2f} % on average, {max(tests):.2f} % at best")
    print("| picked by | Spearman | Kendall | test accuracy of its first |\n|---|---|---|---|")
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            started = time.process_time()
            settings = Supernet(epochs=options.epochs)
            found, seconds = measured(cells, seed, settings, "accuracy", folder)
            spent = time.process_time() - started
            title = f"shared weights, seed {seed} ({seconds:.0f} s to train, {spent:.0f} s of processor in all)"
            print(line(title, found, truth, tests), flush=True)
            proxy, _ = measured(cells, seed, settings, "synflow", folder)
            print(line(f"synflow, seed {seed}", proxy, truth, tests), flush=True)
    print(line("a training of 3 epochs", [table.value(SHORT, int(row)) for row in rows], truth, tests))
    print(line("parameters", [table.value("digits.parameters", int(row)) for row in rows], truth, tests))


if __name__ == "__main__":
    main()

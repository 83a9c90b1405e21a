"""Trains the cells of a small NAS-Bench-201 space on digits and writes the table that comes with the product.

    OMP_NUM_THREADS=1 nice -n 19 .venv/bin/python -m benchmarks.tables.digits_cells --processes 2

The space has the benchmark's six edges with three operations, one cell per stage and 4 channels. Many of its 729 cells
are one network in different spellings: a sum does not know which node made it. Each network is trained once per seed
and fidelity, and every spelling of it has those numbers, but its own parameters and multiply-adds, which count parts
that lead nowhere. A fidelity is a training of its own with its own schedule, not a point on a longer curve.

What is measured goes to a `.jsonl` file at once, so that a run can be stopped and continued; the table is written in
the end. Training takes 27 minutes of processor time.
"""

import argparse
import json
import multiprocessing
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from nas.architecture import Architecture
from nas.datasets.catalogue import dataset
from nas.evaluation.batches import Batches, Scale
from nas.evaluation.datasets import load
from nas.evaluation.networks import build
from nas.evaluation.protocol import Split, Training
from nas.evaluation.scoring import validation_metrics
from nas.evaluation.training import Trainer, predict
from nas.spaces.nasbench201 import EDGES, NODES, NasBench201
from nas.tables import places
from nas.tables.reading import FORMAT, read

OPERATIONS = ("none", "skip_connect", "nor_conv_3x3")
SPACE = NasBench201(dataset("digits").task, operations=OPERATIONS, cells=1, channels=4)
# Half of the training images validate: 719 tell more cells apart than a quarter would.
SPLIT = Split("digits", seed=0, valid_share=0.5)
EPOCHS = (3, 9, 27)
SEEDS = (1, 2, 3)
Choices = tuple[int, ...]
Asked = tuple[Choices, int, int]  # a network by one of its cells, epochs, seed


def network_of(choices: Choices) -> str:
    """Spell out what a cell computes, alike for all cells that are one network up to the names of its nodes."""
    carried = {edge: OPERATIONS[choice] for edge, choice in zip(EDGES, choices, strict=True)}
    sums: list[list[Any]] = [["input"]]  # what each node adds up: the input, and convolutions of other sums
    for node in NODES:
        terms: list[Any] = []
        for source in range(node):
            if carried[source, node] == "skip_connect":
                terms += sums[source]
            elif carried[source, node] == "nor_conv_3x3":
                terms.append(((source, node), sums[source]))
        sums.append(terms)
    # Only what is read in several places needs a name, to tell it from as many convolutions of the same sum.
    shared = [edge for edge, times in Counter(_convolutions(sums[-1])).items() if times > 1]
    return min(_spelled(sums[-1], dict(zip(shared, order, strict=True))) for order in permutations(range(len(shared))))


def _convolutions(terms: list[Any]) -> Iterator[tuple[int, int]]:
    for term in terms:
        if term != "input":
            yield term[0]
            yield from _convolutions(term[1])


def _spelled(terms: list[Any], names: dict[tuple[int, int], int]) -> str:
    parts = [
        term if term == "input" else f"conv {names.get(term[0], '')} of {_spelled(term[1], names)}" for term in terms
    ]
    return f"({' + '.join(sorted(parts))})"


def measure(asked: Asked) -> dict[str, Any]:
    """Train one network on the training part; measure the same weights on validation and on the test split."""
    choices, epochs, seed = asked
    torch.set_num_threads(1)
    data = load(SPLIT)
    scale = Scale.of(data, torch.device("cpu"))
    training = Training()
    network = build(SPACE.graph(Architecture(SPACE.name, choices)), seed)
    network.to(memory_format=torch.channels_last)
    batches = Batches(
        data.train, scale, size=training.batch_size, seed=seed, augment=training.augment, mirrors=data.mirrors
    )
    started = time.process_time()
    curve = list(Trainer(network, batches, training, epochs, scale, data.valid).train())
    seconds = time.process_time() - started
    tested = validation_metrics(predict(network, data.test, scale, exact=True), data.test.labels)
    return {
        "choices": choices,
        "epochs": epochs,
        "seed": seed,
        "valid_accuracy": curve[-1].valid_accuracy,
        "valid_loss": curve[-1].valid_loss,
        "test_accuracy": tested["accuracy"],
        "training_seconds": seconds,
    }


def trained(log: Path, wanted: list[Asked], processes: int) -> dict[Asked, dict[str, Any]]:
    """Return every measurement asked for, from the log where it is there, trained and logged where not."""
    done: dict[Asked, dict[str, Any]] = {}
    for line in log.read_text().splitlines() if log.exists() else ():
        row = json.loads(line)
        done[tuple(row["choices"]), row["epochs"], row["seed"]] = row
    missing = [asked for asked in wanted if asked not in done]
    with multiprocessing.get_context("spawn").Pool(processes) as pool, log.open("a") as out:
        rows = pool.imap_unordered(measure, missing)
        for row in tqdm(rows, total=len(wanted), initial=len(wanted) - len(missing), unit="training"):
            out.write(json.dumps(row) + "\n")
            out.flush()
            done[tuple(row["choices"]), row["epochs"], row["seed"]] = row
    return done


def table(cells: list[Choices], same: dict[Choices, Choices], done: dict[Asked, dict[str, Any]]) -> dict[str, Any]:
    """Return the arrays of the file: means over the seeds, and the costs of each cell's own graph."""
    graphs = [SPACE.graph(Architecture(SPACE.name, cell)) for cell in cells]
    arrays: dict[str, Any] = {
        "digits.parameters": np.array([graph.parameters for graph in graphs], np.int32),
        "digits.mega_flops": np.array([graph.multiply_adds / 1e6 for graph in graphs], np.float32),
    }
    about: dict[str, dict[str, Any]] = {
        "digits.parameters": {"goal": "min", "unit": "count"},
        "digits.mega_flops": {"goal": "min", "unit": "million multiply-adds"},
    }
    for metric, goal, unit, split in (
        ("valid_accuracy", "max", "%", "valid"),
        ("valid_loss", "min", "", "valid"),
        ("test_accuracy", "max", "%", "test"),
        ("training_seconds", "min", "s", ""),
    ):
        for epochs in EPOCHS:
            name = f"digits.{metric}.{epochs}ep"
            means = [np.mean([done[same[cell], epochs, seed][metric] for seed in SEEDS]) for cell in cells]
            arrays[name] = np.array(means, np.float32)
            about[name] = {"goal": goal, "unit": unit, "split": split, "epochs": epochs}
    told = {
        "format": FORMAT,
        "name": "Digits cells",
        "source": (
            f"Trained by NASWeb's own trainer: {len(set(same.values()))} networks that {len(cells)} cells spell, mean "
            f"of {len(SEEDS)} seeds, each number of epochs a training of its own; 718 training, 719 validation and 360 "
            "test images of scikit-learn's digits; processor seconds of one thread."
        ),
        "licence": "Digits: CC BY 4.0, Alpaydin and Kaynak (1998).",
        "space": {"kind": SPACE.name, "settings": {"operations": OPERATIONS, "cells": 1, "channels": 4}},
        "training": asdict(Training()),
        "decisions": [asdict(decision) for decision in SPACE.decisions],
        "metrics": {name: {"dataset": "digits", **column} for name, column in about.items()},
    }
    arrays["about"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    arrays["choices"] = np.array(cells, np.uint8)
    return arrays


def main() -> None:
    """Train what the log lacks, then write the table and read it back."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--out", type=Path, default=places.SHIPPED / "digits_cells.npz")
    chosen = options.parse_args()
    cells = list(product(range(len(OPERATIONS)), repeat=len(EDGES)))
    spellings: dict[str, list[Choices]] = defaultdict(list)
    for cell in cells:
        spellings[network_of(cell)].append(cell)
    # The spelling with the fewest parameters has no part that leads nowhere.
    same = {}
    for group in spellings.values():
        least = min(group, key=lambda cell: SPACE.graph(Architecture(SPACE.name, cell)).parameters)
        same |= dict.fromkeys(group, least)
    wanted = [(cell, epochs, seed) for epochs in EPOCHS for seed in SEEDS for cell in sorted(set(same.values()))]
    done = trained(chosen.out.with_suffix(".jsonl"), wanted, chosen.processes)
    np.savez_compressed(chosen.out, **table(cells, same, done))
    written = read(chosen.out)
    print(f"{len(written)} cells, {len(set(same.values()))} networks, {chosen.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

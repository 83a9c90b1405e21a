"""Images that do not fit into memory are trained with from the disk: as well, as repeatable, and never whole."""

import json
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas.__main__ import main
from nas.datasets.added import Added
from nas.datasets.report import Report
from nas.datasets.storing import finish, workplace
from nas.evaluation import datasets, training
from nas.evaluation.augmentation import Augmentation
from nas.evaluation.batches import Batches, Scale
from nas.evaluation.datasets import Data, _load
from nas.evaluation.mapped import BOUND, Mapped
from nas.evaluation.protocol import Fidelity, Job, Split, Training
from nas.evaluation.reduced import load_reduced
from nas.evaluation.streams import LOADERS, Stream, batches_of
from nas.evaluation.trained import Trained
from nas.events import EpochEnded, Measured
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.graph import Task
from tests.nas.datasets.made import made
from tests.nas.evaluation.jobs import curve, events

CPU = torch.device("cpu")
UNCHANGED = {"shift": 0.0, "flip": False}
CHANGES: dict[str, dict[str, Any]] = {
    "shift": {**UNCHANGED, "shift": 0.25},
    "flip": {**UNCHANGED, "flip": True},
    "rotation": {**UNCHANGED, "rotation": 30.0},
    "colour": {**UNCHANGED, "colour": 0.5},
    "cutout": {**UNCHANGED, "cutout": 0.5},
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of added datasets, on a machine without memory for images or processes that read them."""
    monkeypatch.setenv("NAS_DATASET_DIR", str(tmp_path / "datasets"))
    monkeypatch.setenv(BOUND, "0")
    monkeypatch.setenv(LOADERS, "0")
    return tmp_path / "datasets"


@pytest.fixture
def parts(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Data, Data]:
    """The same dataset on the disk, and in memory."""
    made(home, "pictures", seed=7)
    streamed = _load(Split("pictures"), ())
    with monkeypatch.context() as large:
        large.delenv(BOUND)
        held = _load(Split("pictures"), ())
    return streamed, held


def pictures(folder: Path, name: str = "pictures", **changes: Any) -> Job:
    """A job of two epochs on a dataset of pictures."""
    options: dict[str, Any] = {"training": Training(learning_rate=0.05, batch_size=32), "epochs": 2, "stage": "search"}
    options |= changes
    return Job(SpaceSpec("baseline", {}), (), Split(name), seed=1, workdir=str(folder), **options)


def test_images_stay_on_the_disk_beyond_the_bound_and_are_the_same(parts: tuple[Data, Data]) -> None:
    streamed, held = parts
    assert (streamed.mean, streamed.std, streamed.fingerprint) == (held.mean, held.std, held.fingerprint)
    for part, other in ((streamed.train, held.train), (streamed.valid, held.valid), (streamed.test, held.test)):
        assert isinstance(part.inputs, Mapped)
        assert isinstance(other.inputs, torch.Tensor)
        assert part.inputs.shape == other.inputs.shape
        assert torch.equal(part.inputs[: len(part)], other.inputs)
        assert torch.equal(part.labels, other.labels)
    assert streamed.size < held.size / 10
    joined = streamed.train.join(streamed.valid)
    assert torch.equal(joined.inputs[: len(joined)], torch.cat((held.train.inputs[:], held.valid.inputs[:])))


def test_reading_a_dataset_never_holds_it(home: Path) -> None:
    shape, counts = (3, 64, 64), {"train": 2400, "test": 600}
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, count in counts.items():
        arrays[f"{part}_inputs"] = random.integers(0, 256, (count, *shape)).astype(np.uint8)
        arrays[f"{part}_labels"] = np.arange(count) % 2
    report = Report({part: {"": count} for part, count in counts.items()}, ("0", "1"), (), 0, 0, 0, "")
    with workplace(home) as folder:
        finish(folder, Added("many", "Many", "images", Task(shape, 2), 2400, 600, report), arrays, {})
    size = sum(array.nbytes for array in arrays.values())
    arrays.clear()
    tracemalloc.start()
    data = _load(Split("many"), ())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < size / 3
    assert len(pickle.dumps(data.train.inputs)) < size / 100, "to another process go rows, not images"


def test_unchanged_images_are_trained_with_as_if_they_were_in_memory(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(home, "pictures")
    how = {"training": Training(learning_rate=0.05, batch_size=32, augment=False), "stage": "final", "export": True}
    streamed = events(pictures(tmp_path / "streamed", **how))
    forget(monkeypatch)
    held = events(pictures(tmp_path / "held", **how))
    assert curve(streamed) == curve(held)
    assert isinstance(streamed[-1], Measured), streamed[-1]
    assert isinstance(held[-1], Measured)
    assert {*streamed[-1].artifacts} == {*held[-1].artifacts}
    for name in ("accuracy", "loss", "generalisation_gap", "onnx_accuracy"):
        assert streamed[-1].metrics[name] == held[-1].metrics[name]


def test_it_learns_from_changed_images(home: Path, tmp_path: Path) -> None:
    made(home, "pictures")
    last = events(pictures(tmp_path, epochs=8, stage="final"))[-1]
    assert isinstance(last, Measured), last
    assert last.metrics["accuracy"] > 80, "the classes follow from the images"


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a single core
@pytest.mark.parametrize("readers", [0, 2])
def test_a_stopped_training_goes_on_as_if_nothing_had_been_whoever_reads(
    readers: int, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(home, "pictures")
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    every = {name: value for change in CHANGES.values() for name, value in change.items() if value}
    how = Training(learning_rate=0.05, batch_size=64, mixup=0.4, **every)
    whole = events(pictures(tmp_path / "whole", training=how, epochs=3))
    monkeypatch.setenv(LOADERS, str(readers))
    running = Trained().evaluate(pictures(tmp_path / "stopped", training=how, epochs=3))
    assert isinstance([next(running), next(running)][-1], EpochEnded)
    running.close()
    resumed = events(pictures(tmp_path / "stopped", training=how, epochs=3))
    assert curve(resumed) == curve(whole)
    assert len({point[1] for point in curve(whole)}) == 3


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_made_by_random_numbers_of_the_epoch(change: str, parts: tuple[Data, Data]) -> None:
    part, scale = parts[0].train, Scale.of(parts[0], CPU)
    asked: dict[str, Any] = {"size": 50, "seed": 3, "augment": True, "mirrors": True}
    plain, changed = (
        batches_of(part, scale, **asked, augmentation=Augmentation(**how)) for how in (UNCHANGED, CHANGES[change])
    )
    assert isinstance(changed, Stream)
    before = torch.get_rng_state()
    (images, labels), (others, same) = next(changed.epoch(1)), next(plain.epoch(1))
    assert torch.equal(labels, same)
    assert images.shape == others.shape
    differ = (images != others).flatten(1).any(1)
    assert differ.float().mean() > (0.3 if change == "flip" else 0.8)
    assert torch.equal(images, next(changed.epoch(1))[0])
    assert not torch.equal(images, next(changed.epoch(2))[0])
    assert torch.equal(torch.get_rng_state(), before), "nobody else's random numbers are used up"


def test_the_changes_are_those_of_data_in_memory(parts: tuple[Data, Data]) -> None:
    streamed, held = parts
    scale, asked = Scale.of(streamed, CPU), {"size": 100, "seed": 3, "augment": True, "mirrors": True}
    black = scale(torch.zeros(1, 3, 1, 1, dtype=torch.uint8))
    found = {}
    for name, part in (("streamed", streamed.train), ("held", held.train)):
        shifted = batches_of(part, scale, **asked, augmentation=Augmentation(**CHANGES["shift"]))
        cut = batches_of(part, scale, **asked, augmentation=Augmentation(**CHANGES["cutout"]))
        assert isinstance(shifted, Stream if name == "streamed" else Batches)
        images = torch.cat([images for images, _ in shifted.epoch(1)])
        empty = (images == black).all(1)  # rows and columns that were moved in
        squares = torch.cat([images for images, _ in cut.epoch(1)]).abs().amax(1) < 0.02
        found[name] = (float(empty.float().mean()), int(squares.flatten(1).sum(1).max()))
    assert found["streamed"][0] == pytest.approx(found["held"][0], rel=0.15)
    assert found["streamed"][1] >= found["held"][1] == 16


def test_a_cheaper_fidelity_takes_the_same_rows_and_sides(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(home, "pictures")
    fidelity = Fidelity(share=0.4, side=0.5)
    streamed = load_reduced(Split("pictures"), (), fidelity)
    forget(monkeypatch)
    held = load_reduced(Split("pictures", 0, 0.25), (), Fidelity(share=0.4, side=0.5, width=0.99))
    assert isinstance(streamed.train.inputs, Mapped)
    assert isinstance(held.train.inputs, torch.Tensor)
    assert streamed.train.inputs.shape == held.train.inputs.shape == (120, 3, 4, 4)
    assert torch.equal(streamed.train.inputs[:120], held.train.inputs)
    assert torch.equal(streamed.train.labels, held.train.labels)
    assert streamed.valid.inputs.shape == held.valid.inputs.shape


@pytest.mark.parametrize(
    "options",
    [
        ["--space", "nasbench201", "--strategy", "gdas", "--budget", "1", "--set", "space.cells=1"],
        ["--space", "chain", "--strategy", "random", "--budget", "2", "--evaluator", "supernet"],
        ["--space", "chain", "--strategy", "random", "--budget", "2", "--evaluator", "score"],
    ],
    ids=["gradient", "supernet", "score"],
)
def test_every_way_to_search_reads_from_the_disk(
    options: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(home, "pictures")
    supernet = ["--set", "supernet.epochs=1"] if "supernet" in options else []
    asked = ["search", "--dataset", "pictures", *options, *supernet, "--final-epochs", "1", "--final-seeds", "1"]
    assert main([*asked, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "accuracy" in lines[-1]["test"]


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have memory for images, and nothing kept of what was read without."""
    monkeypatch.delenv(BOUND)
    monkeypatch.setattr(datasets, "_kept", {})

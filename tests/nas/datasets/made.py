"""Small datasets of each task, stored as added ones are, whose answers follow from their inputs."""

from pathlib import Path

import numpy as np

from nas.datasets.added import Added, Column
from nas.datasets.report import Report
from nas.datasets.storing import finish, workplace
from nas.datasets.words import PAD
from nas.spaces.graph import Task

ROWS, HELD = 400, 100
TASKS = {
    "rows": Task((6,), 3),
    "prices": Task((6,), 1, goal="number"),
    "words": Task((8,), 2, vocabulary=30),
    "pictures": Task((3, 8, 8), 2),
}
KINDS = {"rows": "table", "prices": "table", "words": "text", "pictures": "images"}


def made(home: Path, name: str, seed: int = 0) -> Added:
    """Store one of the datasets."""
    task = TASKS[name]
    random = np.random.default_rng(seed)
    arrays = {}
    for part, count in (("train", ROWS), ("test", HELD)):
        arrays[f"{part}_inputs"], arrays[f"{part}_labels"] = _rows(random, name, count)
    labels = [str(index) for index in range(task.classes)] if task.goal == "classes" else []
    report = Report({"train": {"": ROWS}, "test": {"": HELD}}, tuple(labels), (), 0, 0, 0, "")
    columns = tuple(Column(f"x{index}") for index in range(6)) if KINDS[name] == "table" else ()
    about = Added(name, name.title(), KINDS[name], task, ROWS, HELD, report, columns=columns)
    words = [f"word{index}" for index in range(task.vocabulary)]
    with workplace(home) as folder:
        return finish(folder, about, arrays, {"vocabulary.json": repr(words).replace("'", '"')} if words else {})


def _rows(random: np.random.Generator, name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    if name == "words":
        ids = random.integers(2, 30, (count, 8)).astype(np.int32)
        ids[np.arange(8) >= random.integers(3, 9, (count, 1))] = PAD
        # The class is whether more than half of the words are of the upper half.
        return ids, (2 * (ids >= 16).sum(1) > (ids != PAD).sum(1)).astype(np.int64)
    if name == "pictures":
        pixels = random.integers(0, 200, (count, 3, 8, 8)).astype(np.uint8)
        labels = random.integers(0, 2, count)
        pixels[labels == 1, 0] += 50
        return pixels, labels.astype(np.int64)
    features = random.normal(10, 5, (count, 6)).astype(np.float32)
    told = 3 * features[:, 0] - 2 * features[:, 1] + features[:, 2]
    if name == "prices":
        return features, (1000 + 50 * told).astype(np.float64)
    return features, np.digitize(told, [10, 30]).astype(np.int64)

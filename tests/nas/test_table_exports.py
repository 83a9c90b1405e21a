"""The lines of docs/tables.md that export published benchmarks, run on fakes with the calls of their own libraries."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from nas.tables.reading import read

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


class Tss:
    """The topology search space of NATS-Bench with two cells."""

    cell = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|"

    def __len__(self):
        return 2

    def arch(self, index):
        return self.cell if index == 0 else self.cell.replace("nor_conv_3x3", "none")

    def get_more_info(self, index, dataset, iepoch=None, hp="12", is_random=True):
        assert (hp, is_random) == ("12", False)
        return {"valid-accuracy": 80.0 + index} if dataset == "cifar10-valid" else {"test-accuracy": 90.0 - index}

    def clear_params(self, index):
        pass


class NasBench:
    """NAS-Bench-101 with one cell of four nodes: input, two operations one after another, output."""

    def __init__(self, file):
        assert file == "nasbench_only108.tfrecord"

    def hash_iterator(self):
        return {"one": None}.keys()

    def get_metrics_from_hash(self, key):
        matrix = np.array([[0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]], np.int8)
        operations = ["input", "conv3x3-bn-relu", "maxpool3x3", "output"]
        fixed = {"module_adjacency": matrix, "module_operations": operations, "trainable_parameters": 1234}
        runs = [{"final_validation_accuracy": 0.9, "final_test_accuracy": 0.8 + extra} for extra in (0.0, 0.1)]
        return fixed, {108: runs}


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """Return a function that runs the block of the page that imports from a library."""
    nats, nasbench = ModuleType("nats_bench"), ModuleType("nasbench")
    nats.create = lambda path, space, fast_mode, verbose: Tss()
    nasbench.api = ModuleType("api")
    nasbench.api.NASBench = NasBench
    monkeypatch.setitem(sys.modules, "nats_bench", nats)
    monkeypatch.setitem(sys.modules, "nasbench", nasbench)
    monkeypatch.chdir(tmp_path)

    def run(library):
        blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        (block,) = (block for block in blocks if f"from {library} import" in block)
        exec(compile(block, library, "exec"), {})

    return run


def test_nats_bench_becomes_a_table(lines):
    lines("nats_bench")
    table = read(Path("nats-bench.npz"))
    cell = [3, 0, 1, 2, 0, 4]
    row = table.row(cell)
    assert row is not None
    assert table.value("cifar10.valid_accuracy.12ep", row) == 80.0
    assert table.value("cifar10.test_accuracy.12ep", table.row([0, *cell[1:]])) == 89.0


def test_nas_bench_101_becomes_a_table(lines):
    lines("nasbench")
    table = read(Path("nas-bench-101.npz"))
    picked = {
        decision.name: decision.options[choice]
        for decision, choice in zip(table.decisions, table.choices[0], strict=True)
    }
    connected = [name for name, option in picked.items() if option == "yes"]
    assert connected == ["connection 0-1", "connection 1-2", "connection 1-6", "connection 2-6"]
    operations = [picked[f"operation {number}"] for number in range(1, 6)]
    assert operations == ["conv3x3-bn-relu", "maxpool3x3", "absent", "absent", "absent"]
    values = {name: table.value(name, 0) for name in table.columns}
    assert values["cifar10.test_accuracy.108ep"] == pytest.approx(85)
    assert values["cifar10.parameters"] == 1234

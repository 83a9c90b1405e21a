"""The contract of the proxies: on cells of NAS-Bench-201 they rank like the table's own columns and like accuracy."""

import os
from math import inf
from pathlib import Path

import pytest
from scipy.stats import spearmanr

from nas.tables.places import table
from nas.tables.table import Table

CELLS, BATCH = 200, 8
FILES = ("nasbench201.npz", "cifar10_small.zip")
PLACES = [Path(place) for place in os.environ.get("NAS_DATA_DIR", "").split(os.pathsep) if place]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(any((place / name).is_file() for place in PLACES) for name in FILES),
        reason=f"needs {' and '.join(FILES)} in NAS_DATA_DIR",
    ),
]


@pytest.fixture(scope="module")
def known() -> Table:
    return table("nasbench201")


@pytest.mark.parametrize(
    ("name", "like_the_table", "published"),
    # Over all cells: synflow from Abdelfattah et al. (2021), naswot from the table's own column.
    [("synflow", 0.95, 0.737), ("naswot", 0.9, 0.793)],
)
def test_it_ranks_cells_like_the_tables_own_column_and_like_accuracy(known, name, like_the_table, published):
    from benchmarks.proxies import ACCURACY, cifar_batch, sample, scores

    rows = sample(known, CELLS)
    values, _ = scores(known, name, rows, *cifar_batch(BATCH))
    own = known.values[f"cifar10.proxy.{name}"][rows]
    assert spearmanr(values, own).statistic > like_the_table
    assert spearmanr(values, known.values[ACCURACY][rows]).statistic == pytest.approx(published, abs=0.1)
    # A cell that it refuses is among the worst of the table's column.
    refused = [mine for mine, value in zip(own, values, strict=True) if value == -inf]
    assert all(mine == own.min() for mine in refused)

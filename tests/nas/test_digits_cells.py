"""The table that comes with the product, and the script that trained it."""

from itertools import product

import numpy as np
import pytest

from benchmarks.tables.digits_cells import EPOCHS, SEEDS, SPACE, measure, network_of
from nas.architecture import Architecture
from nas.tables import places
from nas.tables.reading import read

# Operations of the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3: 0 is none, 1 a skip, 2 a convolution.
PLAIN = (0, 0, 0, 1, 0, 0)


@pytest.fixture(scope="module")
def table():
    """The shipped file, not one of the same name that was added later."""
    return read(places.SHIPPED / "digits_cells.npz")


def test_it_has_every_cell_with_the_costs_of_its_graph(table):
    assert table.decisions == SPACE.decisions
    assert sorted(map(tuple, table.choices.tolist())) == sorted(product(range(3), repeat=6))
    for row, choices in enumerate(table.choices.tolist()):
        graph = SPACE.graph(Architecture(SPACE.name, tuple(choices)))
        assert table.value("digits.parameters", row) == graph.parameters
        assert table.value("digits.mega_flops", row) == pytest.approx(graph.multiply_adds / 1e6)


@pytest.mark.parametrize("metric", ["valid_accuracy", "valid_loss", "test_accuracy", "training_seconds"])
def test_it_has_each_metric_at_three_fidelities(table, metric):
    assert table.fidelities(f"digits.{metric}.{EPOCHS[-1]}ep") == EPOCHS == (3, 9, 27)


def test_cells_that_are_one_network_share_its_numbers_and_others_do_not(table):
    rows: dict[str, set[float]] = {}
    for row, choices in enumerate(table.choices.tolist()):
        rows.setdefault(network_of(tuple(choices)), set()).add(table.value("digits.valid_loss.27ep", row))
    assert len(rows) == 132
    assert {len(losses) for losses in rows.values()} == {1}
    seeing = [losses for network, losses in rows.items() if "input" in network]
    assert len(set.union(*seeing)) == len(seeing) == 127


def test_more_training_helps_and_a_cell_that_lets_nothing_through_guesses(table):
    few, some, many = (table.values[f"digits.test_accuracy.{epochs}ep"] for epochs in EPOCHS)
    sees = np.array(["input" in network_of(tuple(choices)) for choices in table.choices.tolist()])
    assert many[~sees].max() < 20
    assert np.median(few[sees]) < np.median(some[sees]) < np.median(many[sees])
    assert many[sees].min() > 80


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((2, 0, 1, 0, 0, 2), (1, 0, 2, 0, 0, 2)),  # a skip before a convolution or after it
        ((2, 1, 0, 0, 2, 1), (1, 2, 0, 0, 1, 2)),  # nodes 1 and 2 swapped
        ((2, 2, 2, 1, 0, 0), PLAIN),  # convolutions that lead nowhere
    ],
)
def test_spellings_of_one_network_are_recognised(one, other):
    assert network_of(one) == network_of(other)


def test_a_convolution_added_twice_is_not_two_convolutions():
    assert network_of((2, 0, 1, 0, 1, 1)) != network_of((2, 2, 0, 0, 1, 1))


def test_spellings_of_one_network_train_alike():
    one, other = (measure((choices, 1, 1)) for choices in ((2, 0, 1, 0, 0, 2), (1, 0, 2, 0, 0, 2)))
    assert one["valid_loss"] == pytest.approx(other["valid_loss"], rel=1e-4)


def test_training_again_comes_to_the_numbers_of_the_table(table):
    """Another processor rounds otherwise, so a short training ends near, not on, the same accuracy."""
    again = [measure((PLAIN, 3, seed))["valid_accuracy"] for seed in SEEDS]
    row = table.row(PLAIN)
    assert np.mean(again) == pytest.approx(table.value("digits.valid_accuracy.3ep", row), abs=5)

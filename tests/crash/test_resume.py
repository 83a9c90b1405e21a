"""A runner that is killed in the middle of an epoch: the next one goes on after the epoch before."""

import pytest

from benchmarks.runners import killed

pytestmark = [pytest.mark.crash, pytest.mark.slow]


def test_a_kill_costs_no_more_than_the_epoch_that_was_begun() -> None:
    repeated, _ = killed()
    assert repeated == 0

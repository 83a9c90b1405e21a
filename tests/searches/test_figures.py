"""Numbers on pages are rounded, not cut off."""

import pytest

from searches.figures import duration, percent


@pytest.mark.parametrize(
    ("value", "told"), [(97.777, "97.78 %"), (98.333, "98.33 %"), (100.0, "100.00 %"), (0, "0.00 %")]
)
def test_a_share_is_rounded(value, told):
    assert percent(value) == told


def test_short_times_are_rounded():
    assert duration(2.26) == "2.3 s"

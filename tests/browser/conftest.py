"""With PICTURES=1 the browser tests write the screenshots of README and docs to docs/images."""

import os
from pathlib import Path

import pytest

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


@pytest.fixture
def picture(signed_in):
    """Return a function that takes a picture of the page where they are wanted."""
    signed_in.set_viewport_size({"width": 1360, "height": 900})
    signed_in.emulate_media(reduced_motion="reduce")

    def take(name, *, whole=False):
        if os.environ.get("PICTURES"):
            IMAGES.mkdir(parents=True, exist_ok=True)
            signed_in.screenshot(path=IMAGES / f"{name}.png", full_page=whole)

    return take

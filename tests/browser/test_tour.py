"""The whole job by somebody who has only the README: from the sign-in link to the model at home.

With PICTURES=1 the screenshots of README and docs are written to docs/images.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
FILES = ["weights.safetensors", "model.py", "model.onnx", "architecture.json", "model_card.md"]
DEMO_SECONDS = 400

LOAD_AT_HOME = """
import sys
sys.path.insert(0, sys.argv[1])
import torch, model
network = model.load(sys.argv[1] + "/weights.safetensors")
print(tuple(network(torch.zeros(2, 1, 8, 8)).shape))
"""


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


def test_five_clicks_on_next_give_a_search_and_the_model_comes_home(signed_in, stack, picture, tmp_path):
    page = signed_in
    page.goto(stack.address)
    picture("dashboard-empty")
    page.get_by_role("link", name="New search").first.click()
    for step in ("dataset", "space", "strategy", "objectives", "budget"):
        assert f"/setup/{step}/" in page.url
        picture(f"wizard-{step}")
        page.get_by_role("button", name="Next").click()
    assert "/setup/review/" in page.url
    picture("wizard-review")
    page.get_by_role("button", name="Start search").click()
    page.wait_for_url("**/searches/*/")
    wait_until(lambda: page.evaluate("() => document.querySelector('#fitness')?.data?.some(t => t.x?.length > 2)"), 60)
    page.wait_for_selector("#best svg.arch")
    picture("run-live", whole=True)

    run_id = int(page.url.rstrip("/").rpartition("/")[2])
    status = "select status from searches_run where id = ?"
    wait_until(lambda: stack.rows(status, run_id)[0]["status"] == "completed", DEMO_SECONDS, every=0.5)
    page.locator("#model").get_by_role("link").first.wait_for(timeout=10_000)
    picture("run-finished", whole=True)

    for name in FILES:
        with page.expect_download() as download:
            page.locator("#model").get_by_role("link", name=name).click()
        download.value.save_as(tmp_path / name)
    ran = subprocess.run(
        [sys.executable, "-I", "-c", LOAD_AT_HOME, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "(2, 10)", ran.stderr
    assert json.loads((tmp_path / "architecture.json").read_text())
    assert "Digits" in (tmp_path / "model_card.md").read_text()

    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.get_by_role("button", name="简体中文").click()
    page.wait_for_selector("html[lang='zh-hans']")
    wait_until(lambda: page.evaluate("() => document.querySelector('#fitness')?.data?.length > 0"), 20)
    picture("run-finished-dark-chinese", whole=True)

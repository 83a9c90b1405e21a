"""The whole job by somebody who has only the README: from the sign-in link to the model at home."""

import json
import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.running import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FILES = [
    "weights.safetensors",
    "model.py",
    "model.pt2",
    "model.onnx",
    "model-int8.onnx",
    "latency.json",
    "architecture.json",
    "model_card.html",
    "model_card.md",
]
DEMO_SECONDS = 400
# The pictures show the usual budget.
QUICK = {"Candidates": "6", "Epochs each": "3", "Epochs at the end": "3", "Seeds at the end": "2"}

LOAD_AT_HOME = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy, onnxruntime, torch, model
pixels = torch.zeros(2, 1, 8, 8)
network = model.load(sys.argv[1] + "/weights.safetensors")
print(tuple(network(model.preprocess(pixels)).shape))
print(tuple(torch.export.load(sys.argv[1] + "/model.pt2").module()(pixels).shape))
for name in ("model.onnx", "model-int8.onnx"):
    session = onnxruntime.InferenceSession(f"{sys.argv[1]}/{name}", providers=["CPUExecutionProvider"])
    print(session.run(None, {"pixels": numpy.zeros((2, 1, 8, 8), numpy.float32)})[0].shape)
"""


def test_five_clicks_on_next_give_a_search_and_the_model_comes_home(signed_in, stack, picture, tmp_path):
    page = signed_in
    page.goto(stack.address)
    picture("dashboard-empty")
    page.get_by_role("link", name="New search").first.click()
    for step in ("dataset", "space", "strategy", "objectives", "budget"):
        page.wait_for_url(f"**/setup/{step}/")
        picture(f"wizard-{step}")
        if step == "budget" and not os.environ.get("PICTURES"):
            for name, number in QUICK.items():
                page.get_by_label(name).fill(number)
        page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/setup/review/")
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
    assert ran.stdout.split("\n") == [*["(2, 10)"] * 4, ""], ran.stderr
    assert json.loads((tmp_path / "architecture.json").read_text())
    assert "Digits" in (tmp_path / "model_card.md").read_text()
    assert "<h2>Comparison</h2>" in (tmp_path / "model_card.html").read_text()

    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.get_by_role("button", name="简体中文").click()
    page.wait_for_selector("html[lang='zh-hans']")
    wait_until(lambda: page.evaluate("() => document.querySelector('#fitness')?.data?.length > 0"), 20)
    picture("run-finished-dark-chinese", whole=True)


def test_a_rehearsal_is_one_click(signed_in, stack, picture):
    page = signed_in
    page.goto(stack.address)
    page.get_by_role("button", name=re.compile("Rehearse on")).first.click()
    expect(page.locator("#run-title")).to_contain_text("Completed", timeout=90_000)
    expect(page.locator("#fitness")).to_have_attribute("data-points", re.compile("[1-9]"))
    page.get_by_role("heading", name=re.compile("What the table says")).wait_for()
    picture("rehearsal", whole=True)

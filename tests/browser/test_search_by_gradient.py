"""A search by gradient in a real browser: alpha is drawn as it learns, looked back at, and stopped with one click."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MINUTES = 60_000
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}}
START = """
from django.contrib.auth import get_user_model
from nas import codec
from nas.evaluation.protocol import Split
from nas.plan import Plan, explicit
from nas.spaces.catalogue import SpaceSpec
from searches import lifecycle
from searches.models import Run
plan = Plan(
    Split("digits"),
    SpaceSpec("nasbench201", {"cells": 1, "channels": 4}),
    "gdas",
    {"warm_up": 0.1, "batch_size": 256, "alpha_learning_rate": 0.03},
    budget=400,
    final_epochs=1,
    final_seeds=1,
)
run = Run.objects.create(
    name="gradient", plan_json=codec.dump(explicit(plan)), owner=get_user_model().objects.get(username="admin")
)
lifecycle.start(run)
result = run.pk
"""


def test_alpha_is_drawn_live_looked_back_at_and_an_epoch_is_taken(stack: Any, signed_in: Page, picture: Any) -> None:
    page = signed_in
    run = int(stack.execute(START))
    page.goto(f"{stack.address}/searches/{run}/")
    expect(page.locator("#alpha-parts")).to_be_visible(timeout=MINUTES)
    expect(page.locator("#alpha-number")).to_have_text(re.compile(r"\d\d"), timeout=2 * MINUTES)
    expect(page.locator("#alpha-map")).to_have_attribute("data-points", "5")
    expect(page.locator("#fitness")).to_have_attribute("data-points", re.compile(r"\d\d"))
    expect(page.locator("#traces figure")).to_have_count(8)
    page.get_by_label("Edge", exact=True).select_option("edge 1-3")
    page.locator("#alpha").scroll_into_view_if_needed()
    picture("gradient")
    page.locator("#run-toggle").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#run-title")).to_contain_text("Paused", timeout=MINUTES)
    slider = page.get_by_label("Look back at epoch")
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    detail = page.locator("#alpha-detail")
    take = detail.get_by_role("button", name="Stop here and take the architecture of epoch 2", exact=True)
    expect(take).to_be_visible(timeout=20_000)
    expect(page.get_by_role("button", name="Follow the latest")).to_have_attribute("aria-pressed", "false")
    expect(detail.locator("pre")).to_contain_text("|+|")
    detail.get_by_text("The same as a table").click()
    expect(detail.get_by_role("row")).to_have_count(7)
    found = Axe().run(page, context="#alpha", options=RULES)
    assert found.violations_count == 0, found.generate_report()
    take.click()
    expect(page.locator("#run-title")).to_contain_text("Final stage", timeout=MINUTES)
    expect(page.locator("#run-title")).to_contain_text("Completed", timeout=2 * MINUTES)
    expect(page.locator("#run-banner")).to_contain_text("candidate 2 won")
    expect(detail.get_by_role("button")).to_have_count(0)

"""A search that learns from an earlier one, in a real browser against a real stack."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
SECONDS = 1000


@pytest.fixture(autouse=True)
def _a_page_that_is_left_drops_what_it_asked_for(watch):
    watch += ["htmx:sendAbort", "htmx:afterRequest"]


@pytest.fixture(scope="module")
def earlier(stack):
    """The name of a completed rehearsal on the table that comes with the product."""
    name, status = stack.execute(
        "import time\nfrom dataclasses import replace\nfrom django.contrib.auth import get_user_model\n"
        "from nas import codec\nfrom searches import drafts, lifecycle\nfrom searches.models import Run\n"
        "draft = drafts.new_rehearsal(get_user_model().objects.get(username='admin'), 'digits_cells')\n"
        "plan = replace(draft.plan, strategy='random', strategy_settings={}, budget=30)\n"
        "Run.objects.filter(pk=draft.pk).update(plan_json=codec.dump(plan), name='The one before')\n"
        "lifecycle.start(Run.objects.get(pk=draft.pk))\n"
        "until = time.monotonic() + 90\n"
        "while Run.objects.get(pk=draft.pk).is_open and time.monotonic() < until: time.sleep(0.3)\n"
        "result = [Run.objects.get(pk=draft.pk).name, Run.objects.get(pk=draft.pk).status]"
    )
    assert status == "completed"
    return name


def violations(page):
    return [
        (found["id"], [node["target"] for node in found["nodes"]])
        for found in Axe().run(page, options=RULES).response["violations"]
    ]


def test_a_search_that_learns_from_an_earlier_one_reaches_its_best_at_once(signed_in, stack, earlier):
    page = signed_in
    page.goto(f"{stack.address}/tables/")
    page.locator("#rehearse-digits_cells").click()
    for _ in range(2):
        page.locator("#next").click()
    expect(page).to_have_url(re.compile("/setup/strategy/$"))
    box = page.get_by_role("checkbox", name=re.compile(earlier))
    expect(box).to_be_hidden()
    page.get_by_text("Learn from earlier searches").first.focus()
    page.keyboard.press("Enter")
    expect(box).not_to_be_checked()
    box.focus()
    page.keyboard.press("Space")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    page.get_by_label("Networks to begin with").fill("3")
    page.locator("#next").click()
    page.locator("#next").click()
    page.get_by_label("Candidates").fill("20")
    page.locator("#next").click()
    expect(page.get_by_text(f"It begins with 3 networks of {earlier}.")).to_be_visible()
    page.get_by_role("button", name="Start search").click()
    # The first of the three may end after the others: there are several workers.
    panel = page.get_by_role("region", name="Warm start").first
    expect(panel.get_by_role("link", name=earlier)).to_be_visible()
    expect(panel.get_by_role("row", name=re.compile(earlier)).get_by_role("cell").last).to_have_text(
        re.compile("^[1-3]$"), timeout=60 * SECONDS
    )
    expect(page.get_by_role("cell", name="warm start", exact=True).first).to_be_visible(timeout=30 * SECONDS)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390

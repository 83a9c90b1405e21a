"""A race in a real browser against a real stack: set up, watched, compared, taken home."""

import csv
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
MINUTE = 60_000
START = """
import time
from dataclasses import replace
from django.contrib.auth import get_user_model
from nas.rehearsal import on_table
from searches import racing
from searches.forms.race import PLAN
from searches.models import Race
plan = replace(on_table(PLAN, "digits_cells"), budget={budget})
admin = get_user_model().objects.get(username="admin")
race = racing.start({name!r}, admin, plan, {strategies!r}, {seeds}, "default")
until = time.monotonic() + {wait}
while not Race.objects.get(pk=race.pk).closed and time.monotonic() < until: time.sleep(0.2)
result = race.pk
"""


@pytest.fixture(autouse=True)
def _a_page_that_is_left_drops_what_it_asked_for(watch):
    watch += ["htmx:sendAbort", "htmx:afterRequest"]


def start(stack, name, strategies=("genetic", "annealing"), seeds=4, budget=30, wait=0):
    race = stack.execute(START.format(name=name, strategies=strategies, seeds=seeds, budget=budget, wait=wait))
    return f"{stack.address}/races/{race}/"


@pytest.fixture(scope="module")
def over(stack):
    """The address of a race that ran to its end."""
    return start(stack, "over", wait=90)


def violations(page):
    for folded in page.locator("details").all():
        folded.evaluate("element => element.open = true")
    return [
        (found["id"], [node["target"] for node in found["nodes"]])
        for found in Axe().run(page, options=RULES).response["violations"]
    ]


def drawn(page, name):
    expect(page.locator(f"#chart-{name}")).to_have_attribute("data-points", re.compile("[1-9]"), timeout=MINUTE)


def test_a_race_is_set_up_watched_and_completed(signed_in, stack, picture):
    page = signed_in
    page.goto(stack.address)
    page.get_by_role("link", name="Races").click()
    page.locator("#new-race").click()
    page.get_by_label("Table").select_option("digits_cells")
    page.get_by_label("Seeds", exact=True).fill("12")
    page.get_by_label("Budget", exact=True).fill("40")
    page.get_by_label("Budget", exact=True).press("Tab")
    for name in ("Local search", "Annealing"):
        page.get_by_role("checkbox", name=name).focus()
        page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name="Annealing")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Local search")).not_to_be_checked()
    page.get_by_role("button", name="Start the race").click()
    expect(page).to_have_url(re.compile(r"/races/\d+/$"))
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    # Nothing is loaded again: the tiles, the curves and the standings come while one looks.
    page.evaluate("window.untouched = true")
    drawn(page, "best")
    expect(page.locator("#race-tiles")).to_contain_text("48 / 48", timeout=2 * MINUTE)
    expect(page.locator("#race-title")).to_have_attribute("data-status", "completed", timeout=MINUTE)
    expect(page.locator("#race-standings")).to_contain_text("from 48 lanes")
    expect(page.locator("#connection")).to_have_text("finished")
    assert page.evaluate("window.untouched")
    assert page.locator("#race-standings table").first.locator("tbody tr").count() == 4
    picture("race", whole=True)


def test_another_table_brings_its_columns_and_keeps_the_other_answers(signed_in, stack, tmp_path):
    file = tmp_path / "pair.csv"
    file.write_text("kernel,pair.valid_accuracy.9ep:max,pair.test_accuracy.9ep:max\n3,70,69\n5,71,72\n7,73,71\n")
    told = stack.manage("tables", "add", str(file), "--name", "pair", "--title", "A pair")
    assert "3 networks" in told.stdout, told.stdout + told.stderr
    page = signed_in
    page.goto(f"{stack.address}/races/new/?table=digits_cells")
    page.get_by_role("checkbox", name="ASHA").check()
    held = []
    page.route("**/races/new/?*", lambda route: route.continue_() if held else held.append(route))
    page.get_by_label("Table").select_option("pair")
    page.get_by_label("Seeds", exact=True).fill("9")
    page.get_by_label("Budget", exact=True).fill("40")
    page.get_by_label("Budget", exact=True).press("Tab")
    held[0].continue_()  # an answer that comes only after the next question
    expect(page.get_by_label("Select on")).to_have_value("max:pair.valid_accuracy.9ep")
    expect(page.get_by_label("Report", exact=True)).to_have_value("pair.test_accuracy.9ep")
    expect(page.locator("#problem-asha")).to_contain_text("needs trainings of several lengths")
    expect(page.get_by_role("checkbox", name="ASHA")).to_be_checked()
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("9")
    page.get_by_label("Select on").select_option("max:pair.test_accuracy.9ep")
    expect(page.get_by_label("Report", exact=True)).to_have_value("")
    page.get_by_role("button", name="Start the race").click()
    expect(page.locator("#problems")).to_be_focused()
    expect(page.locator("#problems")).to_contain_text("ASHA: asha needs trainings")


def test_what_is_drawn_can_be_chosen_by_keyboard(signed_in, over):
    page = signed_in
    page.goto(over)
    drawn(page, "best")
    lines = page.locator("#chart-best .scatterlayer .trace")
    expect(lines).to_have_count(9)  # two edges of a band and a line each
    page.get_by_role("checkbox", name="Annealing").focus()
    page.keyboard.press("Space")
    expect(lines).to_have_count(6)


def test_the_report_and_the_lanes_are_taken_home(signed_in, over, tmp_path):
    page = signed_in
    page.goto(over)
    with page.expect_download() as started:
        page.locator("#report").click()
    report = Path(started.value.path()).read_text()
    assert "<script src" not in report
    assert "after 30 evaluations" in report
    with page.expect_download() as started:
        page.locator("#lanes").click()
    rows = list(csv.DictReader(Path(started.value.path()).read_text().splitlines()))
    assert {row["strategy"] for row in rows} == {"genetic", "annealing", "random"}
    assert {row["seed"] for row in rows} == {"1", "2", "3", "4"}


def test_a_race_is_stopped_and_deleted(signed_in, stack):
    page = signed_in
    page.goto(start(stack, "too long", seeds=1000, budget=150))
    drawn(page, "best")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop now, keep results").click()
    expect(page.locator("#race-title")).to_have_attribute("data-status", "stopped")
    expect(page.locator("#race-banner")).to_contain_text("Lanes that were done are kept.", timeout=MINUTE)
    expect(page.locator("#report")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.locator("#race-dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("too long was deleted.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_races_are_accessible(signed_in, stack, over, scheme):
    page = signed_in
    page.emulate_media(color_scheme=scheme)
    page.goto(over)
    drawn(page, "best")
    assert violations(page) == []
    for address in ("races/", "races/new/"):
        assert page.goto(f"{stack.address}/{address}").status == 200
        assert violations(page) == [], address


def test_nothing_scrolls_sideways_on_a_phone(signed_in, stack, over):
    page = signed_in
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (over, f"{stack.address}/races/", f"{stack.address}/races/new/"):
        page.goto(address)
        assert page.locator("html").evaluate("root => root.scrollWidth") == 390, address

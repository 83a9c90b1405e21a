"""A rehearsal by one click, and the tables behind it, in a real browser against a real stack."""

import re
from itertools import product

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
def table(stack, tmp_path_factory):
    """Put a table of 256 networks under the name that the one click looks for."""
    file = tmp_path_factory.mktemp("tables") / "toy.csv"
    head = "edge 0-1,edge 0-2,edge 1-2,width,toy.valid_accuracy.12ep:max,toy.test_accuracy.12ep:max,"
    lines = [f"{head}latency.phone:min,toy.parameters:min"]
    for choices in product(range(4), repeat=4):
        a, b, c, d = choices
        best = 10 if a == 0 and b < 2 else 60 + 3 * a + 2 * b + c * d
        lines.append(",".join(map(str, (*choices, best, best + 1 - b, 1 + a + d, 1000 * (1 + a + b)))))
    file.write_text("\n".join(lines))
    told = stack.manage("tables", "add", str(file), "--name", "nasbench201", "--title", "Toy networks")
    assert "256 networks" in told.stdout, told.stdout + told.stderr
    return file


@pytest.fixture(scope="module")
def rehearsed(stack, table):
    """The address of a rehearsal with two objectives that ran to its end."""
    run = stack.execute(
        "import time\nfrom dataclasses import replace\nfrom django.contrib.auth import get_user_model\n"
        "from nas import codec\nfrom nas.objectives import Objective\nfrom searches import drafts, lifecycle\n"
        "from searches.models import Run\n"
        "draft = drafts.new_rehearsal(get_user_model().objects.get(username='admin'), 'nasbench201')\n"
        "aims = (draft.plan.objectives[0], Objective('latency.phone', 'min'))\n"
        "plan = replace(draft.plan, strategy='random', strategy_settings={}, objectives=aims, budget=20)\n"
        "Run.objects.filter(pk=draft.pk).update(plan_json=codec.dump(plan))\n"
        "lifecycle.start(Run.objects.get(pk=draft.pk))\n"
        "until = time.monotonic() + 90\n"
        "while Run.objects.get(pk=draft.pk).is_open and time.monotonic() < until: time.sleep(0.3)\n"
        "result = draft.pk"
    )
    assert stack.rows("SELECT status FROM searches_run WHERE id = ?", run)[0]["status"] == "completed"
    return f"{stack.address}/searches/{run}/"


def violations(page):
    for folded in page.locator("details").all():
        folded.evaluate("element => element.open = true")
    return [
        (found["id"], [node["target"] for node in found["nodes"]])
        for found in Axe().run(page, options=RULES).response["violations"]
    ]


def test_one_click_rehearses_a_whole_search(signed_in, stack, table):
    page = signed_in
    page.goto(stack.address)
    page.get_by_role("button", name="Rehearse on Toy networks").first.click()
    expect(page).to_have_url(re.compile(r"/searches/\d+/$"))
    expect(page.locator("#fitness")).to_have_attribute("data-points", re.compile("[1-9]"), timeout=30 * SECONDS)
    # The trace grows while one looks, and so does the table beside it.
    expect(page.locator("#traces figure").first).to_be_visible(timeout=30 * SECONDS)
    expect(page.locator("#traces-empty")).to_be_hidden()
    expect(page.locator("#run-title")).to_have_attribute("data-status", "completed", timeout=90 * SECONDS)
    expect(page.locator("#run-banner")).to_contain_text("of 256 in the table")
    expect(page.get_by_role("heading", name=re.compile("What the table says of candidate"))).to_be_visible()
    expect(page.locator("#fitness .legendtext").filter(has_text="best in the table")).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("rowheader", name="Diversity")).to_be_visible()


def test_networks_that_did_not_learn_point_down_from_the_edge_of_the_chart(signed_in, rehearsed):
    signed_in.goto(rehearsed)
    expect(signed_in.locator("#fitness")).to_have_attribute("data-points", re.compile("[1-9]"))
    drawn = "() => { const { y, marker } = document.getElementById('fitness').data[0]; return [y, marker.symbol]; }"
    heights, symbols = signed_in.evaluate(drawn)
    assert set(symbols) == {"circle", "triangle-down"}
    assert min(heights) > 10
    assert {height for height, symbol in zip(heights, symbols, strict=True) if symbol != "circle"} == {min(heights)}


def test_the_axis_of_the_fitness_chart_can_be_changed_by_keyboard(signed_in, rehearsed):
    page = signed_in
    page.goto(rehearsed)
    title = page.locator("#fitness .xtitle")
    expect(title).to_have_text("candidate number")
    page.locator("[data-axis=number]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(title).to_have_text("seconds since the start")
    expect(page.locator("[data-axis=time]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-axis=generation]").click()
    expect(title).to_have_text("generation")
    expect(page.locator("#fitness")).to_have_attribute("data-points", re.compile("[1-9]"))


def test_two_objectives_stand_against_each_other_with_the_front_of_the_table(signed_in, rehearsed):
    page = signed_in
    page.goto(rehearsed)
    expect(page.get_by_role("heading", name="Objectives against each other")).to_be_visible()
    expect(page.locator("#plane .xtitle")).to_have_text("Latency (ms)")
    for words in ("Pareto front", "front of the whole table"):
        expect(page.locator("#plane .legendtext").filter(has_text=words)).to_be_visible()


def test_a_thinned_chart_says_how_much_of_it_is_shown(signed_in, rehearsed):
    def many(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"measured": 20,', '"measured": 4000,'))

    signed_in.route(rehearsed, many)
    signed_in.goto(rehearsed)
    expect(signed_in.locator("#shown")).to_have_text(re.compile("Showing 20 of 4,000 points"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_a_rehearsal_are_accessible(signed_in, stack, rehearsed, scheme):
    page = signed_in
    page.emulate_media(color_scheme=scheme)
    page.goto(rehearsed)
    expect(page.locator("#fitness")).to_have_attribute("data-points", re.compile("[1-9]"))
    assert violations(page) == []
    page.goto(f"{stack.address}/tables/")
    assert violations(page) == []
    page.locator("#rehearse-nasbench201").click()
    for step in ("dataset", "space", "strategy", "objectives", "budget"):
        expect(page).to_have_url(re.compile(f"/setup/{step}/$"))
        assert violations(page) == [], step
        page.locator("#next").click()
    expect(page.get_by_role("button", name="Start search")).to_be_enabled()
    assert violations(page) == []


def test_nothing_scrolls_sideways_on_a_phone(signed_in, stack, rehearsed):
    page = signed_in
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (rehearsed, f"{rehearsed}candidates/1/", f"{stack.address}/tables/", f"{stack.address}/"):
        page.goto(address)
        assert page.locator("html").evaluate("root => root.scrollWidth") == 390, address


def test_a_refused_upload_says_why_where_the_focus_is(signed_in, stack, tmp_path):
    file = tmp_path / "wrong.csv"
    file.write_text("kernel,accuracy\n3,70\n")
    page = signed_in
    page.goto(f"{stack.address}/tables/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Add the table").click()
    expect(page.locator("#problems")).to_be_focused()
    expect(page.locator("#problems")).to_contain_text("wrong.csv has no metric")
    file.write_text("kernel,accuracy:max\n3,70\n5,71\n")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Add the table").click()
    expect(page.get_by_text("wrong was added: 2 networks.")).to_be_visible()
    page.locator("#delete-wrong").click()
    expect(page.get_by_text("wrong was deleted.")).to_be_visible()

"""The wizard, the dashboard and the list in a real browser against a real stack."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
STEPS = ("dataset", "space", "strategy", "objectives", "budget")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture(autouse=True)
def _a_page_that_is_left_drops_what_it_asked_for(watch):
    watch += ["htmx:sendAbort", "htmx:afterRequest"]


def begin(page, stack):
    """Open a new search and return the address of its first step."""
    page.goto(f"{stack.address}/searches/new/")
    expect(page).to_have_url(re.compile(r"/searches/\d+/setup/dataset/$"))
    return page.url.removesuffix("dataset/")


def violations(page):
    return [
        (found["id"], [node["target"] for node in found["nodes"]])
        for found in Axe().run(page, options=RULES).response["violations"]
    ]


def test_five_clicks_on_next_and_start_begin_a_search(signed_in, stack):
    page = signed_in
    begin(page, stack)
    for step in STEPS:
        expect(page).to_have_url(re.compile(f"/setup/{step}/$"))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if step == "budget":
            page.get_by_label("Candidates").fill("2")
            page.get_by_label("Epochs each").fill("1")
            page.get_by_label("Epochs at the end").fill("1")
            page.get_by_label("Seeds at the end").fill("1")
        page.get_by_role("button", name="Next", exact=True).last.click()
    page.get_by_role("button", name="Start search").click()
    expect(page).to_have_url(re.compile(r"/searches/\d+/$"))
    number = int(page.url.rstrip("/").rsplit("/", 1)[1])
    assert stack.rows("select status from searches_run where id = ?", number)[0]["status"] != "draft"


def test_the_estimate_follows_what_is_typed_without_saving(signed_in, stack):
    page = signed_in
    begin(page, stack)
    page.get_by_role("button", name="Budget and queue").click()
    page.wait_for_url("**/budget/")  # what is typed before the scripts are there changes nothing
    total = page.locator("#estimate dd b")
    before = total.inner_text()
    page.get_by_label("Candidates").fill("5000")
    expect(total).not_to_have_text(before)
    page.get_by_label("Candidates").fill("")
    expect(page.get_by_text("Some values are not right yet")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Candidates")).to_have_value("32")


def test_a_mistake_moves_the_focus_to_a_summary_that_leads_to_the_field(signed_in, stack):
    page = signed_in
    page.goto(begin(page, stack) + "space/")
    page.get_by_role("spinbutton", name="Max layers").fill("99")
    page.keyboard.press("Enter")
    expect(page.locator("#problems")).to_be_focused()
    page.locator("#problems").get_by_role("link", name="Max layers").click()
    expect(page.get_by_role("spinbutton", name="Max layers")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Back").click()
    expect(page).to_have_url(re.compile("/setup/dataset/$"))
    page.get_by_role("button", name="Next", exact=True).last.click()
    expect(page.get_by_role("spinbutton", name="Max layers")).to_have_value("99")


def test_only_the_settings_of_the_chosen_strategy_are_shown(signed_in, stack):
    page = signed_in
    page.goto(begin(page, stack) + "strategy/")
    population = page.get_by_role("spinbutton", name="Population")  # of the chosen one: hidden fields have no role
    expect(population).to_be_visible()
    page.locator("#strategy-random").check(force=True)
    expect(population).to_be_hidden()
    page.locator("#strategy-genetic").check(force=True)
    page.get_by_role("button", name=re.compile("Classic values")).click()
    expect(population).to_have_value("100")


def test_other_random_networks_are_drawn_without_leaving_the_page(signed_in, stack):
    page = signed_in
    page.goto(begin(page, stack) + "space/")
    page.get_by_role("spinbutton", name="Max layers").fill("4")
    captions = page.locator("#samples figcaption")
    before = captions.all_inner_texts()
    page.get_by_role("button", name="Show three more").click()
    expect(captions.first).not_to_have_text(before[0])
    expect(captions).to_have_count(3)
    expect(page.get_by_role("spinbutton", name="Max layers")).to_have_value("4")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(signed_in, stack, scheme):
    page = signed_in
    page.emulate_media(color_scheme=scheme)
    setup = begin(page, stack)
    addresses = [f"{stack.address}{path}" for path in ("/", "/searches/", "/datasets/")]
    for address in (
        *addresses,
        *(f"{setup}{step}/" for step in (*STEPS, "review")),
        setup.replace("/setup/", "/delete/"),
    ):
        response = page.goto(address)
        assert response.status == 200
        for folded in page.locator("details").all():
            folded.evaluate("element => element.open = true")
        assert violations(page) == [], address


def test_nothing_scrolls_sideways_on_a_phone(signed_in, stack):
    page = signed_in
    page.set_viewport_size({"width": 390, "height": 844})
    setup = begin(page, stack)
    addresses = [f"{stack.address}{path}" for path in ("/", "/searches/", "/datasets/")]
    for address in (*addresses, *(f"{setup}{step}/" for step in (*STEPS, "review"))):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, address


def test_a_search_is_set_up_without_scripts(browser, stack):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(stack.sign_in_link())
    begin(page, stack)
    page.locator("#next").click()
    page.get_by_role("button", name="Show three more").click()
    expect(page.locator("#samples figcaption")).to_have_count(3)
    for _ in STEPS[1:]:
        page.locator("#next").click()
    expect(page).to_have_url(re.compile("/setup/review/$"))
    expect(page.get_by_role("button", name="Start search")).to_be_enabled()
    context.close()


def test_the_dashboard_and_the_list_show_the_demo_as_it_goes_on(signed_in, stack):
    page = signed_in
    page.goto(stack.address)
    page.get_by_role("button", name="Start a demo search").click()
    expect(page).to_have_url(re.compile(r"/searches/\d+/$"))
    page.goto(stack.address)
    card = page.locator(".cards .card").filter(has_text="Demo search")
    expect(card).to_be_visible()
    expect(card.locator("b.big")).to_contain_text("%", timeout=60_000)
    page.goto(f"{stack.address}/searches/")
    page.get_by_role("searchbox").fill("demo")
    expect(page).to_have_url(re.compile("q=demo"))
    expect(page.locator("#searches tbody tr")).to_have_count(1)
    number = page.locator("#searches tbody th a").get_attribute("href")
    page.goto(f"{stack.address}{number}")
    run = number.split("/")[2]
    stack.execute(f"from searches import lifecycle, models\nlifecycle.stop(models.Run.objects.get(pk={run}))")

"""The live page of a run in a real browser, on a real search."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.running import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MINUTES = 60_000
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}}
START = """
from dataclasses import replace
from django.contrib.auth import get_user_model
from nas import codec
from searches import lifecycle
from nas.plan import explicit
from searches.demo import DEMO
from searches.models import Run
plan = replace(DEMO, **{changes})
run = Run.objects.create(
    name={name!r}, plan_json=codec.dump(explicit(plan)), owner=get_user_model().objects.get(username="admin")
)
lifecycle.start(run)
result = run.pk
"""
# When an event was committed, and when the chart had drawn it.
LISTEN = """
window.heard = [];
const Plain = WebSocket;
window.sockets = [];
window.WebSocket = class extends Plain {
  constructor(...words) {
    super(...words);
    sockets.push(this);
    this.addEventListener("message", (event) => heard.push(JSON.parse(event.data).seq));
  }
};
"""


@pytest.fixture
def live(stack: Any, signed_in: Page) -> Iterator[Page]:
    """The page of a small search that has just been started; stopped at the end, so that the next one is not slowed."""
    run = _start(stack, "live", budget=8, epochs=8, final_epochs=2, final_seeds=2)
    signed_in.add_init_script(LISTEN)
    signed_in.goto(f"{stack.address}/searches/{run}/")
    yield signed_in
    stack.execute(
        f"from searches import lifecycle\nfrom searches.models import Run\nlifecycle.stop(Run.objects.get(pk={run}))"
    )


@pytest.fixture(scope="module")
def completed(stack: Any) -> str:
    """The address of a search that ran to its end."""
    run = _start(stack, "complete", budget=6, epochs=2, final_epochs=2, final_seeds=2)
    stack.execute(
        f"import time\nfrom searches.models import Run\n"
        f"until = time.monotonic() + 120\n"
        f"while Run.objects.get(pk={run}).is_open and time.monotonic() < until: time.sleep(0.5)\n"
    )
    assert stack.rows("SELECT status FROM searches_run WHERE id = ?", run)[0]["status"] == "completed"
    return f"{stack.address}/searches/{run}/"


def _start(stack: Any, name: str, **changes: int) -> int:
    return int(stack.execute(START.format(name=name, changes=changes)))


def test_points_appear_without_a_reload_and_the_run_ends_with_a_model(live: Page) -> None:
    expect(live.locator("#connection")).to_have_text("live", timeout=10_000)
    expect(live.locator("#fitness")).to_have_attribute("data-points", re.compile("[1-9]"), timeout=MINUTES)
    expect(live.locator("#best svg.arch")).to_be_visible(timeout=20_000)
    expect(live.locator("#curves")).to_be_visible(timeout=20_000)
    expect(live.locator("#run-title")).to_contain_text("Completed", timeout=2 * MINUTES)
    expect(live.locator("#model a")).to_have_count(9)
    expect(live.locator("#run-final tbody tr").first).to_contain_text("±")
    expect(live).to_have_title(re.compile(r"\d+\.\d\d % · live"))
    expect(live.locator("#connection")).to_have_text("finished")
    # Eight candidates, each with a step of the line of the best so far.
    expect(live.locator("#fitness")).to_have_attribute("data-points", "16")


def test_pause_resume_and_stop_keep_the_focus_and_need_no_reload(live: Page) -> None:
    toggle = live.locator("#run-toggle")
    toggle.focus()
    live.keyboard.press("Enter")
    expect(live.locator("#run-title")).to_contain_text(re.compile("Pausing|Paused"))
    expect(toggle).to_have_text("Resume")
    expect(toggle).to_be_focused()
    expect(live.locator("#run-title")).to_contain_text("Paused", timeout=20_000)
    toggle.click()
    expect(live.locator("#run-title")).to_contain_text("Running")
    live.get_by_role("button", name="Stop", exact=True).click()
    live.get_by_role("button", name="Stop now, keep results").click()
    expect(live.locator("#run-title")).to_contain_text(re.compile("Stopping|Cancelled"))
    expect(live.locator("#run-title")).to_contain_text("Cancelled", timeout=20_000)


def test_a_dropped_socket_comes_back_without_gap_or_repeat(live: Page) -> None:
    expect(live.locator("#fitness")).to_have_attribute("data-points", re.compile("[1-9]"), timeout=MINUTES)
    live.evaluate("sockets.at(-1).close()")
    # The dot may still say "live" of the socket that was closed a moment ago.
    wait_until(lambda: live.evaluate("sockets.length") > 1, 10)
    expect(live.locator("#connection")).to_have_text("live", timeout=10_000)
    expect(live.locator("#run-title")).to_contain_text("Completed", timeout=2 * MINUTES)
    numbers = live.evaluate("heard")
    assert len(numbers) == len(set(numbers))
    assert numbers == sorted(numbers)


def test_arrow_keys_walk_through_the_diagram(signed_in: Page, completed: str) -> None:
    signed_in.goto(completed)
    nodes = signed_in.locator("#best .node")
    nodes.first.focus()
    signed_in.keyboard.press("ArrowDown")
    expect(nodes.first).not_to_be_focused()
    assert signed_in.locator('#best .node[tabindex="0"]').count() == 1
    signed_in.keyboard.press("ArrowUp")
    expect(nodes.first).to_be_focused()


def test_a_morph_keeps_the_focus_on_the_node(signed_in: Page, completed: str) -> None:
    signed_in.goto(completed)
    signed_in.locator("#best .node").first.focus()
    kept = signed_in.evaluate(
        """async () => {
            const { morph } = await import("nas/arch");
            const picture = document.querySelector("#best svg.arch");
            const next = picture.cloneNode(true);
            const node = next.querySelector(".node:last-child");
            node.dataset.key = "n:new";
            next.querySelector(".node text").textContent = "changed";
            morph(picture, next);
            return [document.activeElement.dataset.key, picture.querySelector(".node text").textContent,
                    Boolean(picture.querySelector('[data-key="n:new"]'))];
        }"""
    )
    assert kept == ["n:input", "changed", True]


def test_the_table_is_sorted_filtered_and_paged(signed_in: Page, completed: str) -> None:
    signed_in.goto(completed)
    heading = signed_in.locator("th", has=signed_in.get_by_role("link", name="Parameters", exact=True)).first
    heading.get_by_role("link").click()
    expect(signed_in.locator("#candidates-rows th[aria-sort]")).to_contain_text("Parameters")
    signed_in.keyboard.press("/")
    expect(signed_in.locator("#candidates-filter")).to_be_focused()
    signed_in.keyboard.type("3")
    expect(signed_in.locator("#candidates-rows tbody tr")).to_have_count(1)


def test_the_diagram_can_be_read_as_a_table(signed_in: Page, completed: str) -> None:
    signed_in.goto(completed)
    signed_in.get_by_role("button", name="Show as table").click()
    expect(signed_in.locator("#best table")).to_be_visible()
    expect(signed_in.locator("#best svg.arch")).to_be_hidden()


def test_a_file_of_the_model_can_be_downloaded(signed_in: Page, completed: str) -> None:
    signed_in.goto(completed)
    with signed_in.expect_download() as download:
        signed_in.locator("#model a", has_text="model.py").click()
    assert "import torch" in download.value.path().read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["", "candidates/1/", "candidates/0/"])
def test_the_pages_pass_axe(signed_in: Page, completed: str, scheme: Any, place: str) -> None:
    signed_in.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    answer = signed_in.goto(completed + place)
    assert answer is not None
    assert answer.status == 200
    signed_in.wait_for_load_state("networkidle")
    found = Axe().run(signed_in, options=RULES)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("place", ["", "candidates/1/"])
def test_a_narrow_screen_needs_no_sideways_scrolling(signed_in: Page, completed: str, place: str) -> None:
    signed_in.set_viewport_size({"width": 390, "height": 844})
    signed_in.goto(completed + place)
    signed_in.wait_for_load_state("networkidle")
    assert signed_in.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_theme_is_chosen_kept_and_seen_by_the_charts(signed_in: Page, completed: str) -> None:
    signed_in.goto(completed)
    expect(signed_in.locator("#fitness .gridlayer path").first).to_be_attached()
    grid = "getComputedStyle(document.querySelector('#fitness .gridlayer path')).stroke"
    light = signed_in.evaluate(grid)
    signed_in.get_by_role("button", name="Dark").click()
    wait_until(lambda: signed_in.evaluate(grid) != light)
    signed_in.reload()
    assert signed_in.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_the_list_of_shortcuts_opens_with_a_question_mark(signed_in: Page, completed: str) -> None:
    signed_in.goto(completed)
    signed_in.keyboard.press("?")
    expect(signed_in.locator("#shortcuts")).to_be_visible()


def test_parts_that_did_not_change_are_left_alone(signed_in: Page, completed: str) -> None:
    signed_in.goto(completed)
    signed_in.locator("#run-tiles").evaluate("element => element.untouched = true")
    with signed_in.expect_response(lambda answer: answer.url == completed):
        signed_in.evaluate(
            "htmx.ajax('GET', location.pathname, {swap: 'none', source: document.getElementById('run')})"
        )
    signed_in.wait_for_timeout(300)
    assert signed_in.locator("#run-tiles").evaluate("element => element.untouched") is True

"""A dataset of one's own in a real browser: sent, checked, looked at, searched on; and what happens when it breaks."""

import random
import re
import zipfile

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from searches.drawing.png import png_file

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
SECONDS = 1000


@pytest.fixture(autouse=True)
def _a_page_that_is_left_drops_what_it_asked_for(watch):
    watch += ["htmx:sendAbort", "htmx:afterRequest"]


@pytest.fixture
def pets(tmp_path):
    """A zip of two classes of images, one file of which is none."""
    dice = np.random.default_rng(3)
    file = tmp_path / "pets.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for label, bright in (("cat", 60), ("dog", 190)):
            for index in range(30):
                pixels = dice.integers(0, 40, (12, 12 * 3), dtype=np.uint8)
                # A face with ears: pointed ones, or ones that hang.
                pixels.reshape(12, 12, 3)[3:10, 2:10] += np.array([bright, 130, 210 - bright], dtype=np.uint8)
                ears = ((1, 3), (1, 8), (2, 3), (2, 8)) if label == "cat" else ((4, 1), (4, 10), (5, 1), (5, 10))
                for row, column in (*ears, (5, 4), (5, 7)):
                    pixels.reshape(12, 12, 3)[row, column] = 30 if (row, column) in ((5, 4), (5, 7)) else 170
                archive.writestr(f"{label}/{index}.png", png_file(12, 2, [row.tobytes() for row in pixels]))
        archive.writestr("dog/broken.png", b"no image")
    return file


def violations(page):
    for folded in page.locator("details").all():
        folded.evaluate("element => element.open = true")
    return [
        (found["id"], [node["target"] for node in found["nodes"]])
        for found in Axe().run(page, options=RULES).response["violations"]
    ]


def test_a_zip_of_images_becomes_a_dataset_to_search_on(signed_in, stack, pets, picture):
    page = signed_in
    page.goto(f"{stack.address}/datasets/")
    page.get_by_role("link", name="Add a dataset").click()
    assert violations(page) == []
    page.locator("#id_file").set_input_files(pets)
    expect(page.locator("[name=kind][value=images]")).to_be_checked()
    expect(page.get_by_label("Side of the images")).to_be_visible()
    expect(page.get_by_label("Column to predict")).to_be_hidden()
    page.get_by_label("Title").fill("My pets")
    page.get_by_label("Title").press("Enter")
    expect(page).to_have_url(re.compile("/datasets/pets/$"), timeout=60 * SECONDS)
    expect(page.get_by_role("heading", name="My pets")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("broken.png"))).to_be_visible()
    expect(page.get_by_role("img", name="Rows of 2 classes")).to_be_visible()
    # Each comes on its own; one that could not be drawn would be refused here.
    page.locator(".sample-images img").evaluate_all("images => Promise.all(images.map((image) => image.decode()))")
    picture("dataset", whole=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme
    page.locator("#search-on").click()
    expect(page.locator("#dataset-pets")).to_be_checked()
    for step in ("dataset", "space", "strategy", "objectives", "budget"):
        expect(page).to_have_url(re.compile(f"/setup/{step}/$"))
        page.locator("#next").click()
    expect(page.get_by_role("button", name="Start search")).to_be_enabled()
    expect(page.locator(".review")).to_contain_text("My pets")
    page.goto(f"{stack.address}/datasets/")
    assert violations(page) == []


def test_a_file_goes_on_where_it_stopped(signed_in, stack, tmp_path, watch):
    watch += ["ERR_FAILED", "the server responded with a status of 409"]
    page = signed_in
    dice = random.Random(1)
    file = tmp_path / "long.csv"
    rows = (f"{dice.random()},{dice.random()},{'yes' if row % 2 else 'no'}\n" for row in range(150_000))
    file.write_text("first,second,answer\n" + "".join(rows))
    offsets = []

    def pieces(route):
        offsets.append(int(route.request.url.split("offset=")[1]))
        # The second one gets lost once, the third one never arrives.
        if len(offsets) == 2:
            route.abort()
        elif offsets[-1] < 4_000_000:
            route.continue_()

    page.route("**/pieces/?offset=*", pieces)
    page.goto(f"{stack.address}/datasets/add/")
    page.locator("#id_file").set_input_files(file)
    page.get_by_role("button", name="Send and check it").click()
    expect(page.locator("#sending progress")).to_have_attribute("value", "4000000", timeout=20 * SECONDS)
    assert offsets == [0, 2_000_000, 2_000_000, 4_000_000]
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page).to_have_url(re.compile(r"/datasets/uploads/\d+/$"))
    expect(page.locator("#upload-line")).to_contain_text("3.8 MB of")
    page.unroute("**/pieces/?offset=*")
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    page.locator("#id_file").set_input_files(other)
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(page.locator("#problems")).to_be_focused()
    expect(page.locator("#problems")).to_contain_text("This is another file: long.csv")
    assert violations(page) == []
    page.locator("#id_file").set_input_files(file)
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(page).to_have_url(re.compile("/datasets/long/$"), timeout=60 * SECONDS)
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("long was deleted.")).to_be_visible()


def test_a_second_file_becomes_the_test_part(signed_in, stack, tmp_path):
    page = signed_in
    page.goto(f"{stack.address}/datasets/add/")
    for field, name, count in (("Drop a file here", "measures", 40), ("File of the test part", "others", 15)):
        file = tmp_path / f"{name}.csv"
        file.write_text(
            "size,kind\n" + "".join(f"{row}.{count},{'big' if row % 2 else 'small'}\n" for row in range(count))
        )
        page.get_by_label(field).set_input_files(file)
    page.get_by_role("button", name="Send and check it").click()
    expect(page).to_have_url(re.compile("/datasets/measures/$"), timeout=60 * SECONDS)
    expect(page.locator("main")).to_contain_text("40 rows to train and validate, 15 to test")


def test_a_refusal_says_why_and_where(signed_in, stack, tmp_path, watch):
    watch += ["status of 422"]
    page = signed_in
    page.goto(f"{stack.address}/datasets/add/")
    file = tmp_path / "digits.zip"
    file.write_bytes(b"PK no archive")
    page.locator("#id_file").set_input_files(file)
    page.get_by_role("button", name="Send and check it").click()
    expect(page.locator("#problems")).to_be_focused()
    expect(page.locator("#problems")).to_contain_text("There is already a dataset digits.")
    expect(page.get_by_label("Short name")).to_have_attribute("aria-invalid", "true")
    assert violations(page) == []
    page.get_by_label("Short name").fill("no-archive")
    page.get_by_role("button", name="Send and check it").click()
    expect(page.get_by_text("It was refused.")).to_be_visible(timeout=30 * SECONDS)
    expect(page.locator("#upload-state")).to_contain_text("digits.zip")
    assert violations(page) == []
    page.get_by_role("button", name="Clear it away").click()
    expect(page.get_by_text("nothing of it is left.")).to_be_visible()


def test_the_pages_do_not_scroll_sideways_on_a_phone(signed_in, stack):
    page = signed_in
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("add/", ""):
        page.goto(f"{stack.address}/datasets/{address}")
        assert page.locator("html").evaluate("root => root.scrollWidth") == 390, address

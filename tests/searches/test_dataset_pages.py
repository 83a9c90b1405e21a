"""The list of datasets and the page of one that was added: what it shows, and who may delete it."""

import struct
import zlib

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from nas.datasets import added
from nas.datasets.added import Column
from searches import checking, drafts, glimpses
from searches.drawing.histogram import of_classes, of_numbers
from searches.drawing.png import png_file
from searches.models import Run, Upload
from searches.sweep import sweep


@pytest.fixture(autouse=True)
def home(dataset_home):
    """The folder of added datasets."""
    return dataset_home


@pytest.fixture
def row(alice):
    """The upload that the dataset pets came from."""
    return Upload.objects.create(
        owner=alice, name="pets", title="Pets", kind="images", file_name="p.zip", size=5, status=Upload.Status.READY
    )


def text_of(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_tells_what_was_found_and_what_was_left_out(person, make_dataset, row):
    one = make_dataset()
    text = text_of(person.get(reverse("dataset", args=["pets"])))
    assert "10 images to train and validate, 4 to test; 2 classes; 3 × 8 × 8" in text
    assert "9.png is empty." in text
    assert "cat/&lt;b&gt;9&lt;/b&gt;.png" in text
    assert "The first 1 of 3 are listed." in text
    assert "taken out of training" in text
    assert one.fingerprint[:16] in text
    assert 'role="img" aria-label="Rows of 2 classes"' in text
    assert "dog &amp; wolf" in text
    assert text.count("/datasets/pets/train/") == 10


def test_known_datasets_whose_files_are_missing_are_folded_away(person, settings, tmp_path):
    settings.NAS_DATA_DIRS = [tmp_path]
    seen, folded = text_of(person.get(reverse("datasets"))).split("<details>")
    assert "Digits" in seen
    assert "CIFAR-100" not in seen
    assert "more, which were not found" in folded
    assert "CIFAR-100 was not found" in folded


@pytest.mark.parametrize(
    ("kind", "words"), [("table", "a number to tell; 4 features"), ("text", "6 words at most, 5 known")]
)
def test_other_kinds_have_pages_too(person, make_dataset, kind, words):
    make_dataset(kind, "things")
    text = text_of(person.get(reverse("dataset", args=["things"])))
    assert words in text
    assert ("Numbers to tell, from 0 to 100" in text) == (kind == "table")
    assert words in text_of(person.get(reverse("datasets")))


def test_the_list_tells_what_is_on_its_way_and_what_cannot_be_read(person, make_dataset, alice, home):
    make_dataset()
    (home / "broken").mkdir()
    (home / "broken" / "about.json").write_text("{")
    Upload.objects.create(
        owner=alice, name="birds", title="Birds", kind="images", file_name="birds.zip", size=200, received=50
    )
    text = text_of(person.get(reverse("datasets")))
    assert "My pets" in text
    assert "about.json cannot be read" in text
    assert "Birds" in text
    assert "25 %" in text
    assert "Receiving" in text


def test_an_image_is_a_png_that_the_browser_keeps(person, make_dataset):
    make_dataset()
    page = text_of(person.get(reverse("dataset", args=["pets"])))
    address = page.split('src="/datasets/pets/')[1].split('"')[0]
    answer = person.get(f"/datasets/pets/{address}")
    assert answer.headers["Content-Type"] == "image/png"
    assert "immutable" in answer.headers["Cache-Control"]
    assert unpacked(answer.content) == (8, 8, 2)
    assert person.get(reverse("dataset-image", args=["pets", "train", 10])).status_code == 404
    assert person.get(reverse("dataset-image", args=["pets", "valid", 1])).status_code == 404
    assert person.get(reverse("dataset-image", args=["nothing", "train", 1])).status_code == 404


def unpacked(body):
    """Width, height and kind of colours of a PNG whose parts are as they should be."""
    assert body.startswith(b"\x89PNG\r\n\x1a\n")
    at, found = 8, {}
    while at < len(body):
        (length,) = struct.unpack(">I", body[at : at + 4])
        kind, data = body[at + 4 : at + 8], body[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + data) == struct.unpack(">I", body[at + 8 + length : at + 12 + length])[0]
        found[kind] = data
        at += 12 + length
    width, height, _depth, colours = struct.unpack(">IIBB", found[b"IHDR"][:10])
    assert len(zlib.decompress(found[b"IDAT"])) == height * (1 + width * (3 if colours == 2 else 1))
    return width, height, colours


def test_a_grey_image_is_a_grey_png():
    assert unpacked(png_file(2, 0, [b"\0\xff", b"\xff\0", b"\0\0"])) == (2, 3, 0)


def test_samples_take_turns_among_classes():
    labels = np.array([0, 0, 0, 1, 2, 2])
    assert glimpses.in_turn(labels, 5) == [0, 3, 4, 1, 5]


def test_a_histogram_of_many_classes_is_no_wall():
    names = [f"class number {index} with a long name" for index in range(200)]
    drawn = of_classes({"train": dict.fromkeys(names, 3)}, names)
    assert drawn.count("<rect") == 40
    assert 'aria-label="Rows of 200 classes"' in drawn
    assert "…" in drawn


def test_a_histogram_of_numbers_has_a_bar_for_each_bin():
    drawn = of_numbers([0.0, 1.0, 2.0], [4, 1])
    assert drawn.count("<rect") == 2
    assert 'height="180.0"' in drawn


def test_a_row_is_shown_as_it_was_before_it_became_features():
    columns = (Column("size", fill=2.5, missing=True), Column("colour", ("red", "blue")), Column("price"))
    assert list(glimpses.cells(columns, [3.5, 0.0, 0.0, 1.0, 1234.0])) == ["size 3.5", "colour blue", "price 1234"]
    assert list(glimpses.cells(columns, [2.5, 1.0, 0.0, 0.0, 0.5])) == ["size ?", "colour ?", "price 0.5"]


# Searching and deleting


def test_a_search_begins_on_the_dataset(person, make_dataset):
    make_dataset()
    answer = person.post(reverse("search-on", args=["pets"]))
    run = Run.objects.get()
    assert answer.url == reverse("wizard", args=[run.pk, "dataset"])
    assert run.plan.split.dataset == "pets"
    assert person.post(reverse("search-on", args=["nothing"])).url == reverse("datasets")


def test_a_dataset_is_deleted_only_while_no_search_uses_it(person, alice, make_dataset, row, home):
    make_dataset()
    draft = drafts.new_on(alice, "pets")
    page = person.post(reverse("dataset-delete", args=["pets"]), follow=True)
    assert f"My pets is used by “{draft.name}”, 1 in all, so it stays." in text_of(page)
    assert "1 search uses it; delete that one first." in text_of(page)
    drafts.delete(draft)
    person.post(reverse("dataset-delete", args=["pets"]))
    assert added.find("pets") is None
    assert not Upload.objects.exists()
    assert list(home.iterdir()) == []
    assert person.post(reverse("dataset-delete", args=["pets"])).status_code == 404
    assert person.get(reverse("dataset", args=["pets"])).status_code == 404


def test_only_who_added_a_dataset_and_the_staff_delete_it(client, make_dataset, row, alice):
    make_dataset()
    client.force_login(get_user_model().objects.create_user("bob", password="a builder's password"))
    assert "Delete" not in text_of(client.get(reverse("dataset", args=["pets"])))
    assert client.post(reverse("dataset-delete", args=["pets"])).status_code == 403
    client.force_login(alice)
    assert client.post(reverse("dataset-delete", args=["pets"])).status_code == 302


def test_only_the_staff_deletes_what_the_command_line_added(client, person, make_dataset, alice):
    make_dataset()
    alice.is_staff = False
    alice.save()
    assert client.post(reverse("dataset-delete", args=["pets"])).status_code == 403
    alice.is_staff = True
    alice.save()
    assert client.post(reverse("dataset-delete", args=["pets"])).status_code == 302
    assert added.find("pets") is None


def test_a_deletion_that_was_cut_short_is_finished_by_the_sweep(make_dataset, row):
    make_dataset()
    Upload.objects.update(status=Upload.Status.REMOVING)
    assert not checking.remove(row)
    sweep()
    assert added.find("pets") is None
    assert not Upload.objects.exists()


def test_nobody_sees_datasets_without_signing_in(client, make_dataset):
    make_dataset()
    for name, arguments in (("dataset", ["pets"]), ("dataset-image", ["pets", "train", 1]), ("datasets", [])):
        assert client.get(reverse(name, args=arguments)).status_code == 302

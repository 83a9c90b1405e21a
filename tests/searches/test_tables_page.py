"""The page of tables and the command beside it: what is added can be used, what is wrong is refused in a sentence."""

from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from nas.tables import places, writing
from searches import drafts
from searches.models import Run

CSV = b"kernel,depth,toy.valid_accuracy.2ep:max,toy.parameters:min\n3,1,70,10\n5,2,75,20\n3,2,71,15\n"


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """The folder of added tables, the only one there is."""
    monkeypatch.setenv("NAS_TABLE_DIR", str(tmp_path / "tables"))
    monkeypatch.delenv("NAS_DATA_DIR", raising=False)
    return tmp_path / "tables"


def names():
    """The tables there are, but for those that come with the product."""
    return {name for name, path in places.files().items() if path.parent != places.SHIPPED}


def upload(person, file, body, **words):
    return person.post(reverse("tables"), {"file": SimpleUploadedFile(file, body), **words}, follow=True)


def test_an_uploaded_csv_is_a_table_to_rehearse_on(person):
    page = upload(person, "Toy Results.csv", CSV, title="Toy results")
    text = page.content.decode()
    assert "Toy results was added: 3 networks." in text
    assert "toy.valid_accuracy.2ep" in text
    assert names() == {"toy-results"}
    answer = person.post(reverse("rehearse", args=["toy-results"]))
    assert answer.url == reverse("wizard", args=[Run.objects.get().pk, "dataset"])
    assert Run.objects.get().plan.report == ()


def test_an_uploaded_npz_is_checked_and_kept(person, tmp_path):
    file = tmp_path / "x.csv"
    file.write_bytes(CSV)
    writing.save(tmp_path / "x.npz", writing.arrays_of(file, "By hand"))
    upload(person, "x.npz", (tmp_path / "x.npz").read_bytes(), name="mine")
    assert places.table("mine").title == "By hand"


@pytest.mark.parametrize(
    ("name", "body", "words", "reason"),
    [
        ("a.csv", b"kernel,accuracy\n3,70\n", {}, "has no metric: write the goal"),
        ("a.csv", CSV.replace(b"75", b"nan"), {}, "every number must be finite"),
        ("a.npz", b"no archive", {}, "is not a .npz file of arrays"),
        ("a.npz", CSV, {}, "is not a .npz file of arrays"),
        ("a.csv", CSV, {"name": "../../etc/passwd"}, "cannot be called ../../etc/passwd"),
        ("???.csv", CSV, {}, "A table cannot be called -"),
        ("a.csv", b"", {}, "empty"),
        ("../../../elsewhere/a.exe", b"MZ\xff\xfe", {}, "is not UTF-8 text"),
    ],
)
def test_an_upload_that_cannot_be_used_is_refused_at_the_field(person, kept, name, body, words, reason):
    page = upload(person, name, body, **words)
    assert page.status_code == 200
    assert reason in page.content.decode()
    assert not list(kept.rglob("*.npz"))


@pytest.mark.parametrize("name", ["../escaped", "../../escaped", "sub/escaped"])
def test_no_word_that_was_sent_becomes_a_path(person, kept, tmp_path, monkeypatch, name):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(below))
    assert "cannot be called" in upload(person, "toy.csv", CSV, name=name).content.decode()
    upload(person, f"{name}.csv", CSV)
    assert [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*escaped*")] in ([], ["tables"])


def test_a_name_that_is_taken_is_refused(person):
    upload(person, "toy.csv", CSV)
    assert "There is a table toy already" in upload(person, "toy.csv", CSV).content.decode()


def test_a_file_that_is_no_table_is_shown_with_the_reason(person, kept):
    kept.mkdir()
    (kept / "broken.npz").write_bytes(b"nonsense")
    text = person.get(reverse("tables")).content.decode()
    assert "Cannot be read" in text
    assert "broken.npz is not a .npz file of arrays" in text
    assert person.get("/").status_code == 200
    assert "no table broken" not in person.get("/searches/new/", follow=True).content.decode()


def test_a_table_is_deleted_only_while_no_search_uses_it(person, alice):
    upload(person, "toy.csv", CSV)
    draft = drafts.new_rehearsal(alice, "toy")
    page = person.post(reverse("table-delete", args=["toy"]), follow=True)
    assert f"toy is used by “{draft.name}”, 1 in all" in page.content.decode()
    drafts.delete(draft)
    person.post(reverse("table-delete", args=["toy"]))
    assert names() == set()
    assert person.post(reverse("table-delete", args=["toy"])).status_code == 404


def test_only_staff_deletes_a_table_and_nobody_one_of_a_data_folder(person, alice, kept, monkeypatch, tmp_path):
    upload(person, "toy.csv", CSV)
    alice.is_staff = False
    alice.save()
    assert person.post(reverse("table-delete", args=["toy"])).status_code == 403
    alice.is_staff = True
    alice.save()
    monkeypatch.setenv("NAS_DATA_DIR", str(kept))
    monkeypatch.setenv("NAS_TABLE_DIR", str(tmp_path / "elsewhere"))
    assert person.post(reverse("table-delete", args=["toy"])).status_code == 404
    assert names() == {"toy"}


def test_the_command_adds_and_lists(tmp_path):
    file = tmp_path / "toy.csv"
    file.write_bytes(CSV)
    told = StringIO()
    call_command("tables", "add", str(file), "--title", "Toy networks", stdout=told)
    call_command("tables", "list", stdout=told)
    assert "Added toy: Toy networks, 3 networks, 2 decisions, 2 columns." in told.getvalue()
    assert "3 networks    2 columns  Toy networks" in told.getvalue()
    with pytest.raises(CommandError, match="There is a table toy already"):
        call_command("tables", "add", str(file))
    with pytest.raises(CommandError, match="No such file"):
        call_command("tables", "add", str(tmp_path / "nowhere.npz"), "--name", "other")

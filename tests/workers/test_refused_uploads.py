"""Files that would do harm, sent through the page and checked by a worker: refused in a sentence, nothing left."""

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from searches import checking
from searches.models import Upload
from tests.nas.datasets.test_adding import bomb, files, huge_png, linked
from workers.checker import answers
from workers.checking import check

pytestmark = pytest.mark.django_db
ROWS = "".join(f"{row},{row % 2}\n" for row in range(30))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The folder of added datasets."""
    monkeypatch.setenv("NAS_DATASET_DIR", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


@pytest.fixture
def person(client):
    client.force_login(get_user_model().objects.create_user("alice", password="a wonderland password"))
    return client


class Here:
    """What `workers.checker` says, without a process of its own."""

    exit_code = None

    def order(self, order):
        """Take the one order."""
        self.said = answers(order)

    def hear(self, _timeout):
        """Return the next thing that is said."""
        return next(self.said)

    def kill(self):
        """End what is not over yet."""
        self.said.close()


def sent(person, name, body, **words):
    """Send a file through the page without scripts, have it checked, and return the page that tells what came of it."""
    person.post(reverse("new-dataset"), {"file": SimpleUploadedFile(name, body), "name": "mine", **words})
    upload = Upload.objects.get()
    check(checking.claim(upload.pk, 1, "w@here"), Here)
    return person.get(reverse("upload", args=[upload.pk]), follow=True).content.decode()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (bomb, "times its size, as a zip bomb does"),
        (linked, "cat/link.png in the zip is a link"),
        (files({"../../evil.png": b"x"}), "../../evil.png in the zip would lie outside of its folder"),
        (files({"/etc/evil.png": b"x"}), "/etc/evil.png in the zip has an absolute path"),
        (files({"cat/wide.png": huge_png(20_000, 100)}), "cat/wide.png has 20,000 x 100 pixels"),
        (lambda path: path.write_bytes(b"no zip") and path, "pets.zip is no zip that can be read"),
    ],
)
def test_a_zip_that_would_do_harm_is_refused(person, home, tmp_path, make, said):
    page = sent(person, "pets.zip", make(tmp_path / "made.zip").read_bytes())
    assert "It was refused." in page
    assert said in page
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("name", "body", "words", "said"),
    [
        ("prices.csv", f"länge,y\n{ROWS}".encode("utf-16"), {}, "UTF-8"),
        ("prices.csv", f"länge,y\n{ROWS}".encode("latin-1"), {}, "UTF-8"),
        ("prices.csv", f"a,y\n{ROWS}".encode(), {"target": "z"}, "There is no column z; there are a, y"),
        ("prices.csv", "".join(["a,y\n", *(f"{row},1\n" for row in range(30))]).encode(), {}, "one class only"),
        ("films.tsv", "ein schöner Film\tgut\n".encode("latin-1") * 20, {}, "UTF-8"),
    ],
    ids=("utf-16", "latin-1", "no target", "one class", "sentences"),
)
def test_a_text_that_is_no_dataset_is_refused(person, home, name, body, words, said):
    page = sent(person, name, body, **words)
    assert "It was refused." in page
    assert said in page
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_a_disk_that_becomes_full_while_it_is_checked_leaves_nothing(person, home, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.save", full)
    monkeypatch.setattr("numpy.lib.format.open_memmap", full)
    page = sent(person, "prices.csv", f"a,y\n{ROWS}".encode())
    assert "disk is full" in page
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_what_is_honest_gets_through(person, home):
    page = sent(person, "prices.csv", f"a,y\n{ROWS}".encode())
    assert "rows to train and validate" in page
    assert [path.name for path in home.iterdir() if path.name != ".incoming"] == ["mine"]

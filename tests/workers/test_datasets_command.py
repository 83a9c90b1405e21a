"""`manage.py datasets`: what is there, and the only thing that downloads."""

import gzip
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from PIL import Image

from nas import codec
from nas.datasets.catalogue import dataset
from nas.datasets.known import IDX_FILES
from nas.datasets.places import folder
from nas.evaluation.protocol import Split
from nas.evaluation.vision import torchvision
from nas.plan import Plan
from nas.spaces.catalogue import SpaceSpec
from searches.models import Run
from tests.nas.evaluation.test_datasets import idx


@pytest.fixture
def places(settings, tmp_path):
    """A configured root without any dataset, and the folder for downloads."""
    settings.DOWNLOADS = tmp_path / "home" / "data"
    settings.NAS_DATA_DIRS = [tmp_path / "root", settings.DOWNLOADS]
    return tmp_path


class Quiet(SimpleHTTPRequestHandler):
    """A file server that writes no log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def told(*arguments: str) -> str:
    answer = StringIO()
    call_command("datasets", *arguments, stdout=answer)
    return answer.getvalue()


@pytest.fixture
def published(places, monkeypatch):
    """Serve a small MNIST where torchvision will look for the real one."""
    folder = places / "published"
    folder.mkdir()
    found = []
    for name in IDX_FILES:
        shape = (20, 28, 28) if "images" in name else (20,)
        file = folder / f"{name}.gz"
        file.write_bytes(gzip.compress(idx(np.arange(20).repeat(int(np.prod(shape)) // 20).reshape(shape) % 10)))
        found.append((file.name, hashlib.md5(file.read_bytes()).hexdigest()))
    reader = torchvision("torchvision.datasets").MNIST
    monkeypatch.setattr(reader, "resources", found)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(reader, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        yield
        server.shutdown()


def test_the_list_says_what_is_there(places):
    lines = dict(line.split(maxsplit=1) for line in told("list").splitlines())
    assert lines["digits"] == "comes with the installation"
    assert lines["svhn"] == "not found"


def test_nothing_is_downloaded_unless_asked_for(places):
    with pytest.raises(CommandError, match=r"MNIST was not found\. .* Or let --download fetch it\."):
        told("add", "mnist")
    assert not (places / "home").exists()


def test_a_download_lies_where_searches_find_it(settings, published):
    assert "MNIST is there" in told("add", "mnist", "--download")
    assert folder(dataset("mnist"), settings.NAS_DATA_DIRS) == settings.DOWNLOADS / "MNIST" / "raw"
    assert "MNIST is there" in told("add", "mnist"), "what is there is not asked for again"


def test_a_download_that_fails_is_a_sentence(places, monkeypatch):
    reader = torchvision("torchvision.datasets").MNIST
    monkeypatch.setattr(reader, "mirrors", [f"{(places / 'nowhere').as_uri()}/"])
    with pytest.raises(CommandError, match="MNIST could not be downloaded into"):
        told("add", "mnist", "--download")


def test_an_unknown_name_lists_the_known(places):
    with pytest.raises(CommandError, match="There is no dataset cifar; the nearest are cifar10"):
        told("add", "cifar")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder of added datasets."""
    monkeypatch.setenv("NAS_DATASET_DIR", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


@pytest.mark.django_db
def test_a_file_is_added_listed_and_taken_away(places, home):
    source = places / "My Prices.csv"
    source.write_text("size,rooms,price\n" + "".join(f"{i},{i % 4},{i * 2.5}\n" for i in range(100)))
    said = told("add", str(source), "--title", "Prices")
    assert "train: 80 rows" in said
    assert "my-prices was added" in said
    assert dataset("my-prices").title == "Prices"
    (line,) = [line for line in told("list").splitlines() if line.startswith("my-prices")]
    assert "added, tabular, 80 rows to learn from, 20 to test" in line
    told("remove", "my-prices")
    assert "my-prices" not in told("list")
    assert not [*home.iterdir()]


@pytest.mark.django_db
def test_what_a_search_uses_stays(places, home):
    source = places / "a.tsv"
    source.write_text("".join(f"word{i} word{i % 7}\t{i % 2}\n" for i in range(40)))
    told("add", str(source))
    plan = Plan(Split("a"), SpaceSpec("transformer", {}), "random")
    Run.objects.create(owner=User.objects.create(username="ada"), plan_json=codec.dump(plan))
    with pytest.raises(CommandError, match="a is used by 1 searches, such as"):
        told("remove", "a")
    assert dataset("a").task.kind == "text"


def test_the_layout_of_imagenet_is_found_below_a_root(places, home):
    random = np.random.default_rng(0)
    for part, count in (("train", 8), ("val", 3)):
        for wnid in ("n01440764", "n01443537"):
            folder_ = places / "root" / "imagenet" / part / wnid
            folder_.mkdir(parents=True)
            for index in range(count):
                pixels = random.integers(0, 256, (60, 80, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(folder_ / f"{wnid}_{index}.JPEG")
    said = told("add", "imagenet", "--side", "32")
    assert "note: There is no folder test; the validation images are the test part." in said
    assert "test: 6 rows (n01440764 3, n01443537 3)" in said
    assert dataset("imagenet").task.input_shape == (3, 32, 32)


@pytest.mark.django_db
def test_what_cannot_be_added_is_a_sentence(places, home):
    (places / "notes.pdf").write_bytes(b"%PDF")
    with pytest.raises(CommandError, match=r"What notes\.pdf holds its ending does not say; say --kind"):
        told("add", str(places / "notes.pdf"))
    with pytest.raises(CommandError, match=r"notes\.pdf is no zip that can be read"):
        told("add", str(places / "notes.pdf"), "--kind", "images")
    with pytest.raises(CommandError, match="No dataset nothing was added"):
        told("remove", "nothing")

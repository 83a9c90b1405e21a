"""`manage.py datasets`: what is there, and the only thing that downloads."""

import gzip
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from nas.datasets.catalogue import dataset
from nas.datasets.known import IDX_FILES
from nas.datasets.places import folder
from nas.evaluation.vision import torchvision
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
    with pytest.raises(CommandError, match="There is no dataset cifar; there are digits, "):
        told("add", "cifar")

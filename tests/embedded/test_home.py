import json
import multiprocessing
import os
from pathlib import Path

import pytest

from nas.sentences import Refused
from nasweb.home import LONGEST_SOCKET_PATH, Secrets, home, load_secrets, socket_path


def _secrets_of(place: Path) -> Secrets:
    return load_secrets(place)


def test_secrets_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    first = load_secrets(tmp_path)
    assert load_secrets(tmp_path) == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["secrets.json"]


def test_processes_that_start_at_once_agree_on_the_secrets(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        made = pool.map(_secrets_of, [tmp_path] * 8)
    assert len(set(made)) == 1


def test_unreadable_secrets_are_one_sentence_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"something": "else"}))
    with pytest.raises(Refused, match=r"secrets\.json"):
        load_secrets(tmp_path)


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NASWEB_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(Refused, match="Cannot make the folder"):
        home()


def test_the_socket_of_a_deep_home_has_a_short_path_of_its_own(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    other = tmp_path / ("y" * 120)
    assert len(str(socket_path(deep))) < LONGEST_SOCKET_PATH
    assert socket_path(deep) == socket_path(deep) != socket_path(other)
    assert socket_path(Path("/srv/nasweb")) == Path("/srv/nasweb/valkey/valkey.sock")

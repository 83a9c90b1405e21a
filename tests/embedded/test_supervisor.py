import sys
import time
from pathlib import Path

import psutil
import pytest

from nas.sentences import Refused
from nasweb.embedded import process, supervisor
from nasweb.embedded.process import Part, keep_small
from nasweb.embedded.supervisor import Supervisor
from tests.running import wait_until

SLEEP = ("sleep", "60")


def tend_until(running: Supervisor, what: "object", seconds: float = 10) -> None:
    def look() -> bool:
        running.tend()
        return bool(what())  # type: ignore[operator]

    wait_until(look, seconds, 0.02)


def test_it_starts_again_what_has_died_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    running = Supervisor([Part("steady", SLEEP, 0), Part("mortal", SLEEP, 0)], tmp_path, said.append)
    running.start()
    try:
        first = {name: child.process.pid for name, child in running.children.items()}
        psutil.Process(first["mortal"]).kill()
        tend_until(running, lambda: running.children["mortal"].process.pid != first["mortal"])
        assert running.children["steady"].process.pid == first["steady"]
        assert len(said) == 1
        assert "mortal stopped (killed by SIGKILL)" in said[0]
        assert str(tmp_path / "mortal.log") in said[0]
    finally:
        running.stop()


def test_it_waits_longer_for_each_next_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.05)
    monkeypatch.setattr(supervisor, "LONGEST_DELAY", 0.15)
    said: list[str] = []
    running = Supervisor([Part("broken", ("false",), 0)], tmp_path, said.append)
    running.start()
    tend_until(running, lambda: len(said) >= 4)
    running.stop()
    assert [line.split(" in ")[1].split(" s.")[0] for line in said[:4]] == ["0.05", "0.1", "0.15", "0.15"]


def test_it_stops_stage_by_stage(tmp_path: Path) -> None:
    # Each part notes when it ends; the broker's note must come last although it was started first.
    note = f"trap 'sleep 0.2; echo $0 >> {tmp_path}/ends; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    parts = [Part(name, ("sh", "-c", note, name), stage) for name, stage in (("broker", 2), ("web", 1), ("worker", 0))]
    running = Supervisor(parts, tmp_path, lambda line: None)
    running.start()
    wait_until(lambda: all("up" in (tmp_path / f"{part.name}.log").read_text() for part in parts))
    running.stop()
    assert (tmp_path / "ends").read_text().split() == ["worker", "web", "broker"]


def test_what_does_not_listen_is_killed_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.3)
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)"
    )
    running = Supervisor([Part("deaf", (sys.executable, "-c", program), 0)], tmp_path, lambda line: None)
    running.start()
    grandchild = int(wait_until((tmp_path / "deaf.log").read_text))
    running.stop()
    wait_until(lambda: not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == "zombie", 3)


def test_a_part_that_ends_before_it_is_ready_is_refused_with_its_last_words(tmp_path: Path) -> None:
    words = ("sh", "-c", "echo some trouble; echo the port is gone; exit 3")
    running = Supervisor([Part("web", words, 0, ready=lambda: False)], tmp_path, lambda line: None)
    with pytest.raises(Refused, match=r"web did not start \(exit code 3\): the port is gone"):
        running.start()
    running.stop()


def test_it_waits_for_a_part_to_be_ready_before_it_starts_the_next(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    parts = [
        Part("first", ("sh", "-c", f"sleep 0.3; touch {ready}; sleep 60"), 1, ready=ready.exists),
        Part("second", ("sh", "-c", f"test -e {ready} && echo in time; sleep 60"), 0),
    ]
    running = Supervisor(parts, tmp_path, lambda line: None)
    running.start()
    try:
        wait_until(lambda: "in time" in (tmp_path / "second.log").read_text())
    finally:
        running.stop()


def test_children_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from nasweb.embedded.process import Part\n"
        "from nasweb.embedded.supervisor import Supervisor\n"
        f"running = Supervisor([Part('child', ('sleep', '60'), 0)], Path({str(tmp_path)!r}), print)\n"
        "running.start(); print(running.children['child'].process.pid, flush=True); time.sleep(60)"
    )
    parent = psutil.Popen([sys.executable, "-c", program], stdout=-1)
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    began = time.monotonic()
    wait_until(lambda: not child.is_running() or child.status() == "zombie", 3, 0.02)
    assert time.monotonic() - began < 3


def test_a_log_that_has_grown_is_moved_while_its_writer_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LARGEST_LOG", 10)
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a line longer than ten\n")
        keep_small(log)
        writer.write(b"next\n")
        keep_small(log)
    assert log.read_text() == "next\n"
    assert (tmp_path / "web.log.1").read_text() == "a line longer than ten\n"

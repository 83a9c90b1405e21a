"""A whole NASWeb as real processes, for tests that drive a browser or kill things."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(http://\S+?)(/sign-in/\S+/)")
# Short, so that a test of a dead worker need not wait half a minute.
SHORT_TIMES = {
    "NASWEB_LEASE_SECONDS": "4",
    "NASWEB_HEARTBEAT_SECONDS": "1",
    "NASWEB_REDISPATCH_SECONDS": "5",
    "NASWEB_SWEEP_SECONDS": "0.5",
}


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a stack at that home, free of what the test process itself was given."""
    own = {"BROKER_URL", "CHANNEL_URL", "DATABASE_URL", "STORAGE_URL", "NAS_DATA_DIR", "NAS_TABLE_DIR"}
    own |= {"NAS_DATASET_DIR", "DJANGO_ALLOW_ASYNC_UNSAFE"}
    kept = {name: value for name, value in os.environ.items() if name not in own and not name.startswith("PYTEST")}
    return {**kept, "NASWEB_HOME": str(home), **SHORT_TIMES, **(extra or {})}


def wait_until(what: Callable[[], Any], seconds: float = 30, every: float = 0.1) -> Any:
    """Return the first true value of `what`; fails after so many seconds."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        value = what()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"waited {seconds} s in vain")


@dataclass
class Stack:
    """`manage.py up` on a free port; `start` may be called again after the process has ended."""

    home: Path
    workers: int = 2
    extra: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def terminal(self) -> str:
        """What the command has printed so far, over all starts."""
        return (self.home / "terminal.txt").read_text()

    def start(self, port: int = 0) -> "Stack":
        """Start it and wait until it is ready."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "terminal.txt").open("ab") as terminal:
            before = terminal.tell()
            self.process = subprocess.Popen(
                [sys.executable, str(REPOSITORY / "manage.py"), "up", f"--port={port}", f"--workers={self.workers}"],
                env=environment(self.home, self.extra),
                stdout=terminal,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        found = wait_until(lambda: self._link(before), 90)
        self.address = found.group(1)
        return self

    def stop(self) -> int:
        """Stop it as Ctrl-C would, and return its exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def kill(self) -> None:
        """Kill the supervisor and everything it has running, at once."""
        processes = self.processes()
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        if self.process:
            self.process.wait()
        psutil.wait_procs(processes[1:], timeout=5)

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a management command of this installation."""
        return subprocess.run(
            [sys.executable, str(REPOSITORY / "manage.py"), *words],
            env=environment(self.home, self.extra),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def sign_in_link(self) -> str:
        """Return a fresh link that signs in once."""
        told = self.manage("signin")
        found = LINK.search(told.stdout)
        assert found, told.stdout + told.stderr
        return self.address + found.group(2)

    def execute(self, code: str) -> Any:
        """Run Python code inside this installation's Django; returns what it leaves in `result`, through JSON."""
        program = f"import django, json\ndjango.setup()\nresult = None\n{code}\nprint('\\n' + json.dumps(result))"
        ran = subprocess.run(
            [sys.executable, "-c", program],
            env={**environment(self.home, self.extra), "DJANGO_SETTINGS_MODULE": "nasweb.settings"},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout.splitlines()[-1])

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Return rows of the installation's database."""
        connection = sqlite3.connect(f"file:{self.home / 'nasweb.sqlite3'}?mode=ro", uri=True, timeout=30)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()

    def processes(self) -> list[psutil.Process]:
        """Return the supervisor and everything it has running."""
        assert self.process
        try:
            supervisor = psutil.Process(self.process.pid)
            return [supervisor, *supervisor.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def part(self, name: str) -> psutil.Process:
        """Return the process of a part, once it runs: valkey, web, sweep, worker0, runner or racer (of any worker)."""
        return wait_until(lambda: self.find(name), 20)  # type: ignore[no-any-return]

    def find(self, name: str) -> psutil.Process | None:
        """Return the process of a part, None where none runs."""
        marks = {
            "valkey": "valkey-server",
            "web": "nasweb.embedded.web",
            "sweep": "sweep",
            "runner": "workers.runner",
            "racer": "workers.racer",
        }
        mark = marks.get(name, f"{name}@")
        for process in self.processes()[1:]:
            try:
                words = " ".join(process.cmdline())
            except psutil.NoSuchProcess:  # A zombie is one too.
                continue
            if mark in words:
                return process
        return None

    def _link(self, before: int) -> re.Match[str] | None:
        assert self.process
        told = (self.home / "terminal.txt").read_bytes()[before:].decode()
        assert self.process.poll() is None, f"up ended with {self.process.returncode}: {told}"
        return LINK.search(told)

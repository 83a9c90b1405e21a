"""One child process of the supervisor: started so that it cannot outlive us, stopped with all that it started."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from nasweb.home import REPOSITORY

LARGEST_LOG = 5_000_000
PR_SET_PDEATHSIG = 1
# Looked up before any fork: between fork and exec hardly anything is safe to call.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Part:
    """A program of the stack. Parts stop in the order of `stage`, all of one stage together."""

    name: str
    command: Sequence[str]
    stage: int
    environment: Mapping[str, str] = field(default_factory=dict)
    files: tuple[int, ...] = ()
    ready: Callable[[], bool] | None = None
    dies_by: signal.Signals = signal.SIGKILL


class Child:
    """A part that was started."""

    def __init__(self, part: Part, logs: Path) -> None:
        self.part = part
        self.log = logs / f"{part.name}.log"
        self.started = time.monotonic()
        self._kin: list[psutil.Process] = []
        keep_small(self.log)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                part.command,
                env={**os.environ, "PYTHONPATH": _python_path(), **part.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=part.files,
                preexec_fn=_die_with_parent(part.dies_by),
            )

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    @property
    def end(self) -> str:
        """How it ended, in words."""
        code = self.process.returncode
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and remember what else it has running."""
        self._kin = _descendants(self.process.pid)
        if not self.has_ended:
            self.process.terminate()

    def make_sure(self) -> None:
        """Kill what is left of it and of everything it started, and wait until it is gone."""
        left = [*self._kin, *_descendants(self.process.pid)]
        if not self.has_ended:
            self.process.kill()
        self.process.wait()
        for kin in left:
            try:
                kin.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=3)


def keep_small(log: Path) -> None:
    """Move a log that has grown large to one older copy; its writer appends, so it may be emptied in place."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def _python_path() -> str:
    # The stack may be started from any folder.
    return os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    libc, parent = _LIBC, os.getpid()

    def before_exec() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # The parent died before the line above.
            os._exit(1)

    return before_exec

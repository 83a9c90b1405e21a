"""The worker's handle on a process beside it: start it, give it an order, hear it, cancel it, kill it."""

import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

from nas import codec
from nas.evaluation.protocol import Job

PR_SET_PDEATHSIG = 1


class Runner:
    """A subprocess in a process group of its own, which dies with the thread that started it."""

    def __init__(self, module: str = "workers.runner", environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
            preexec_fn=_in_the_child,
        )
        self._said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        assert self._process.stdout is not None
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the process ended: negative for a signal; None while it runs."""
        return self._process.poll()

    def submit(self, job: Job) -> None:
        """Hand over a job; what it says comes out of `hear` until "Idle"."""
        self.order({"job": codec.dump(job)})

    def cancel(self) -> None:
        """Ask for the end of the job at its next event."""
        self.order({"cancel": True})

    def order(self, order: Mapping[str, Any]) -> None:
        """Write an order; where the process has ended, `hear` says so."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()

    def hear(self, timeout_seconds: float) -> dict[str, Any] | None:
        """Return the next message, or None after `timeout_seconds` of silence; raises EOFError when it has ended."""
        try:
            message = self._said.get(timeout=timeout_seconds)
        except queue.Empty:
            return None
        if message is None:
            self._said.put(None)
            self._bury()
            raise EOFError
        return message

    def kill(self) -> None:
        """End the whole process group at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._bury()

    def _bury(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _listen(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._said.put(json.loads(line))
        self._said.put(None)


def _in_the_child() -> None:
    # Training would use every core there is; the pages and the platform go first.
    os.nice(10)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

"""The warm runner: imports torch once, keeps datasets in memory, and does one job after another.

Reads a JSON line per order from standard input: {"job": ...} or {"cancel": true}. Writes a JSON line per event to
what was standard output when it started; everything else that prints goes to standard error.
"""

import json
import os
import queue
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

from nas import codec
from nas.evaluation.catalogue import evaluator
from nas.evaluation.protocol import Job
from nas.events import Event


class Orders:
    """Standard input, read by a thread so that a cancel is seen while a job runs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self.cancelled = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def jobs(self) -> Iterator[Job]:
        """Yield jobs until the input is closed."""
        while (job := self._jobs.get()) is not None:
            yield job

    def _read(self) -> None:
        for line in self._stream:
            order = json.loads(line)
            if "job" in order:
                self.cancelled.clear()
                self._jobs.put(codec.load(Job, order["job"]))
            else:
                self.cancelled.set()
        # The worker is gone: nobody wants the rest of the job either.
        self.cancelled.set()
        self._jobs.put(None)


def events(job: Job, cancelled: threading.Event) -> Iterator[Event]:
    """Yield what the evaluator says until it ends or is cancelled."""
    saying = evaluator(job).evaluate(job)
    for event in saying:
        yield event
        if cancelled.is_set():
            saying.close()  # type: ignore[attr-defined]
            return


def main() -> None:
    """Say that it is ready, then work."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    orders = Orders(sys.stdin)
    print(json.dumps({"type": "Ready"}), file=out)
    for job in orders.jobs():
        for event in events(job, orders.cancelled):
            print(json.dumps(codec.dump_tagged(event)), file=out)
        print(json.dumps({"type": "Idle"}), file=out)


if __name__ == "__main__":
    main()

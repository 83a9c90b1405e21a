"""Starts everything that NASWeb needs on this machine and keeps it running."""

import argparse
import os
import signal
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from nasweb.embedded import devices
from nasweb.embedded.lock import Running
from nasweb.embedded.narrator import Narrator
from nasweb.embedded.parts import reachable_host
from nasweb.embedded.preparing import listen
from nasweb.embedded.stack import is_running, locked, supervise
from nasweb.embedded.supervisor import Supervisor
from nasweb.signin import ensure_admin, sign_in_path

TICK = 0.2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    """`manage.py up`."""

    help = "Start the pages, the workers and what they need; Ctrl-C stops all of it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what can be chosen."""
        parser.add_argument("--port", type=int, default=settings.NASWEB_PORT, help="0 takes any free one")
        parser.add_argument("--host", default=settings.NASWEB_HOST)
        parser.add_argument(
            "--workers",
            type=int,
            help="default: one per slot of a GPU, else one per core up to four; fewer than GPUs have several each",
        )
        parser.add_argument("--slots", type=int, default=1, help="workers that share a GPU, for small candidates")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        began = time.monotonic()
        other = is_running()
        if other:
            self._point_to(other)
            return
        host = options["host"]
        # The children read the same settings, so they must listen to the same names.
        os.environ["NASWEB_HOST"] = host
        listener = listen(host, options["port"])
        address = f"http://{reachable_host(listener)}:{listener.getsockname()[1]}"
        with listener, locked(address) as other:
            if other:
                self._point_to(other)
                return
            workers = options["workers"]
            if workers is None:
                workers = devices.usual_workers(len(devices.gpus()), max(1, options["slots"]))
            self._run(supervise(workers, listener, self._say), address, workers, began)

    def _run(self, supervisor: Supervisor, address: str, workers: int, began: float) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            supervisor.stopping = True

        for number in SIGNALS:
            signal.signal(number, stop)
        try:
            self._say(f"Starting the pages, the broker and {workers} worker{'' if workers == 1 else 's'}")
            supervisor.start()
            if not supervisor.stopping:
                self._welcome(address, time.monotonic() - began)
            narrator = Narrator(self._say)
            ticks = 0
            while not supervisor.stopping:
                supervisor.tend()
                if ticks % 5 == 0:
                    narrator.tell()
                ticks += 1
                time.sleep(TICK)
        finally:
            self._say("Stopping")
            # Impatience is allowed: a second Ctrl-C ends us at once, and the children with us.
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            supervisor.stop()
            self._say("Stopped")

    def _welcome(self, address: str, seconds: float) -> None:
        self._say(f"Ready in {seconds:.1f} s. Open {address}{sign_in_path(ensure_admin())}")
        self._say(f"That link signs you in once; afterwards {address} will do. Ctrl-C stops.")

    def _point_to(self, other: Running) -> None:
        if other.address:
            self._say(
                f"NASWeb is running already (process {other.pid}). Open {other.address}{sign_in_path(ensure_admin())}"
            )
        else:
            self._say(f"A search from the command line has this home in use (process {other.pid}).")

    def _say(self, line: str) -> None:
        try:
            self.stdout.write(f"{time.strftime('%H:%M:%S')}  {line}")
            self.stdout.flush()
        except OSError:  # The terminal is gone; the work is not.
            pass

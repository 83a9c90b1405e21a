"""The embedded stack as a whole: locked, prepared, started, and stopped again."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from nasweb.embedded import valkey
from nasweb.embedded.lock import Lock, Running, who_runs
from nasweb.embedded.parts import parts
from nasweb.embedded.preparing import check_disk, prepare_database
from nasweb.embedded.supervisor import Supervisor
from nasweb.home import load_secrets, socket_path

Say = Callable[[str], None]


def is_running() -> Running | None:
    """Return who runs the stack of this home, None where nobody does."""
    return who_runs(settings.NASWEB_HOME)


@contextmanager
def locked(address: str) -> Iterator[Running | None]:
    """Hold the home's lock within the block, yielding None; yields who has it where somebody else does."""
    lock = Lock(settings.NASWEB_HOME)
    other = None
    # Somebody who only asks also holds it for an instant, so try again where it turns out that nobody runs.
    while not lock.take(address):
        other = is_running()
        if other:
            break
        time.sleep(0.05)
    try:
        yield other
    finally:
        if other is None:
            lock.release()


def supervise(workers: int, listener: socket.socket | None, say: Say) -> Supervisor:
    """Return a supervisor of the prepared stack, not yet started; raises Refused where something is not in order."""
    check_disk(settings.NASWEB_HOME)
    say("Preparing the database")
    prepare_database()
    _outlast_the_former()
    return Supervisor(parts(workers, listener), settings.NASWEB_HOME / "logs", say)


@contextmanager
def workers_for_a_while(workers: int, say: Say) -> Iterator[Supervisor | None]:
    """Run the stack without its pages within the block, for a search from the command line.

    Yields the supervisor, to be tended a few times a second from the same thread; None where `up` runs already and
    its workers will do.
    """
    with locked("") as other:
        if other:
            yield None
            return
        supervisor = supervise(workers, None, say)
        try:
            supervisor.start()
            yield supervisor
        finally:
            supervisor.stop()


def _outlast_the_former() -> None:
    """Wait for the broker of a supervisor that was killed a moment ago: it removes the socket as it goes."""
    password = load_secrets(settings.NASWEB_HOME).valkey_password
    limit = time.monotonic() + 5
    while time.monotonic() < limit and valkey.answers(socket_path(settings.NASWEB_HOME), password):
        time.sleep(0.05)

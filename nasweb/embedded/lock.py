"""Who runs the stack of a home folder."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Running:
    """The process that runs the stack, and the address of its pages ("" where it serves none)."""

    pid: int
    address: str


class Lock:
    """Held as long as this object lives, or until the process ends in whatever way."""

    def __init__(self, home: Path) -> None:
        self.file = home / "up.lock"
        self._descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, address: str) -> bool:
        """Take the lock and note who we are; False where somebody else has it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        note = json.dumps(asdict(Running(os.getpid(), address))).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, note, 0)
        return True

    def release(self) -> None:
        """Let go of it."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def who_runs(home: Path) -> Running | None:
    """Return who runs the stack of that home, None where nobody does."""
    try:
        with (home / "up.lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                try:
                    return Running(**json.load(file))
                except (ValueError, TypeError):  # It has just taken the lock and not yet written.
                    return Running(0, "")
    except FileNotFoundError:
        pass
    return None

"""Keeps the parts of the embedded stack running."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nas.sentences import Refused
from nasweb.embedded.process import Child, Part, keep_small

READY_SECONDS = 60.0
GRACE_SECONDS = 10.0
FIRST_DELAY = 0.5
LONGEST_DELAY = 10.0
# A part that lived this long was healthy: its next failure is a first one again.
HEALTHY_SECONDS = 30.0


class Supervisor:
    """Starts parts in the given order, starts again what dies, stops them stage by stage.

    Call everything from one thread that lives as long as the parts: Linux ends a child with the thread that forked it.
    """

    def __init__(self, parts: Sequence[Part], logs: Path, say: Callable[[str], None]) -> None:
        self.parts = parts
        self.children: dict[str, Child] = {}
        self.stopping = False
        self._logs = logs
        self._say = say
        self._delays: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._checked_logs = time.monotonic()

    def start(self) -> None:
        """Start every part, waiting for those that tell when they are ready; raises Refused where one ends at once."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for part in self.parts:
            if self.stopping:
                return
            self.children[part.name] = Child(part, self._logs)
            if part.ready:
                self._wait(part)

    def tend(self) -> None:
        """Start again what has ended and is due; call it a few times a second."""
        now = time.monotonic()
        for name, child in list(self.children.items()):
            if not child.has_ended or self.stopping:
                continue
            if name not in self._due:
                self._plan(child, now)
            elif now >= self._due[name]:
                del self._due[name]
                child.make_sure()
                self.children[name] = Child(child.part, self._logs)
        if now > self._checked_logs + 60:
            self._checked_logs = now
            for child in self.children.values():
                keep_small(child.log)

    def stop(self) -> None:
        """Ask every part to stop, workers first and the broker last; kill what has not stopped after the grace."""
        self.stopping = True
        for stage in sorted({child.part.stage for child in self.children.values()}):
            group = [child for child in self.children.values() if child.part.stage == stage]
            for child in group:
                child.ask_to_stop()
            limit = time.monotonic() + GRACE_SECONDS
            while time.monotonic() < limit and not all(child.has_ended for child in group):
                time.sleep(0.05)
            for child in group:
                child.make_sure()
        self.children.clear()

    def _plan(self, child: Child, now: float) -> None:
        name = child.part.name
        lived = now - child.started
        delay = FIRST_DELAY if lived > HEALTHY_SECONDS else self._delays.get(name, FIRST_DELAY)
        self._delays[name] = min(2 * delay, LONGEST_DELAY)
        self._due[name] = now + delay
        self._say(f"{name} stopped ({child.end}); starting it again in {delay:g} s. Its log: {child.log}")

    def _wait(self, part: Part) -> None:
        assert part.ready
        child = self.children[part.name]
        limit = time.monotonic() + READY_SECONDS
        while not part.ready():
            if self.stopping:
                return
            if child.has_ended:
                raise Refused(
                    "{name} did not start ({end}): {reason} The whole log: {log}",
                    name=part.name,
                    end=child.end,
                    reason=_last_line(child.log),
                    log=str(child.log),
                )
            if time.monotonic() > limit:
                raise Refused(
                    "{name} did not answer within {seconds} s. Its log: {log}",
                    name=part.name,
                    seconds=READY_SECONDS,
                    log=str(child.log),
                )
            time.sleep(0.03)


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."

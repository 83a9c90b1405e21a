"""A worker's turn at a race: lanes one after another for seconds, then whoever else waits."""

import logging
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import OperationalError

from nas import codec
from nas.race.results import Kept, Results
from nas.race.running import SINGLE_THREADED
from nas.sentences import Sentence
from searches import lanes, racing
from searches.models import Race, RaceLane
from workers import presence
from workers.warm import Runner

log = logging.getLogger(__name__)
TURN_SECONDS = 3.0
LOOK_SECONDS = 0.5
RACER_DIED = "The process that ran it ended with code {code}."


def racer() -> Runner:
    """Return a fresh process that runs lanes."""
    return Runner("workers.racer", dict.fromkeys(SINGLE_THREADED, "1"))


class Gone(Exception):
    """The process was killed, or ended by itself, before it answered."""


def take_turn(lane: RaceLane, beside: Runner, seconds: float = TURN_SECONDS) -> None:
    """Run a claimed lane and, while it keeps no other table waiting, what else fits; then count, pass the turn on."""
    race_id, until = lane.race_id, time.monotonic() + seconds
    following: RaceLane | None = lane
    while following is not None:
        _run(following, beside)
        if not beside.is_alive or presence.is_draining():
            break
        goes_on = time.monotonic() < until and not racing.is_in_the_way(lane.race)
        following = lanes.claim_next(race_id, presence.name()) if goes_on else None
    if beside.is_alive and not racing.is_run(race_id):
        _count(race_id, beside)
    elif beside.is_alive and (race := racing.claim_results(race_id, last=True)):
        end(race, beside)
    if not racing.send_next(race_id):
        beside.kill()  # it would only take memory from what trains


def end(race: Race, beside: Runner) -> None:
    """Compute the last results of a race that has run, write its report and close it."""
    try:
        with tempfile.TemporaryDirectory() as place:
            report, problem = _last(race, beside, Path(place) / "report.html")
    except Gone:
        racing.lose_results(race, Sentence(RACER_DIED, {"code": beside.exit_code or 0}))
        return
    finally:
        beside.kill()
    if not racing.close(race, report, problem) and report:
        default_storage.delete(report)  # the race was deleted meanwhile


def _run(lane: RaceLane, beside: Runner) -> None:
    renew_at = time.monotonic() + settings.HEARTBEAT_SECONDS

    def tend() -> None:
        nonlocal renew_at
        if time.monotonic() >= renew_at:
            renew_at = time.monotonic() + settings.HEARTBEAT_SECONDS
            lanes.renew(lane)
        wish = lanes.wish(lane)
        if wish != "go on":
            beside.kill()
        if wish == "release":
            lanes.release(lane)

    try:
        told = _ask(beside, {"lane": codec.dump(lane.plan)}, tend)
    except Gone:
        # Where it was killed on purpose the lane is not mine any more, and this writes nothing.
        lanes.lose(lane, Sentence(RACER_DIED, {"code": beside.exit_code or 0}))
        return
    if told["type"] == "Failed":
        lanes.fail(lane, codec.load(Sentence, told["sentence"]))
    else:
        lanes.finish(lane, codec.load(Kept, told["result"]))


def _count(race_id: int, beside: Runner) -> None:
    """Renew the curves and standings that pages show, where they are due."""
    race = racing.claim_results(race_id, last=False)
    if race is None:
        return
    try:
        problem = _results(race, beside, _done(race))[1]
    except Gone:
        problem = Sentence(RACER_DIED, {"code": beside.exit_code or 0})
    finally:
        racing.release_results(race)
    if problem is not None:
        log.warning("race %s: %s", race_id, problem)


def _last(race: Race, beside: Runner, file: Path) -> tuple[str, Sentence | None]:
    done = _done(race)
    if not done:
        return "", None
    found, problem = _results(race, beside, done)
    if found is None:
        return "", problem
    order = {**_order(race, done), "standings": codec.dump(found.standings), "report": str(file)}
    told = _ask(beside, order, lambda: racing.hold_results(race))
    if told["type"] == "Failed":
        return "", codec.load(Sentence, told["sentence"])
    try:
        with file.open("rb") as stream:
            return default_storage.save(f"races/{race.pk}/report.html", File(stream)), None
    except OSError as error:
        # The numbers are in the database all the same.
        log.warning("the report of race %s could not be stored: %s", race.pk, error)
        return "", None


def _results(race: Race, beside: Runner, done: list[Kept]) -> tuple[Results | None, Sentence | None]:
    began = time.monotonic()
    order = _order(race, done)
    took = time.monotonic() - began
    told = _ask(beside, order, lambda: racing.hold_results(race))
    if told["type"] == "Failed":
        return None, codec.load(Sentence, told["sentence"])
    found = codec.load(Results, told["result"]["results"])
    racing.save_results(race, found, took + told["result"]["seconds"])
    return found, None


def _done(race: Race) -> list[Kept]:
    return [lane.kept for lane in race.lanes.filter(status=RaceLane.Status.DONE)]


def _order(race: Race, done: list[Kept]) -> dict[str, Any]:
    return {"race": codec.dump(race.contest), "lanes": codec.dump(done)}


def _ask(beside: Runner, order: Mapping[str, Any], tend: Callable[[], None]) -> dict[str, Any]:
    """Return the answer to an order; `tend` is called every half second until it comes."""
    beside.order(order)
    try:
        while (told := beside.hear(LOOK_SECONDS)) is None:
            try:
                tend()
            except OperationalError as error:
                log.warning("a race could not be looked after: %s", error)
    except EOFError as ended:
        raise Gone from ended
    return told

"""Every change of status of a lane of a race: who holds it, and what came of it. Each one is fenced by its attempt."""

from datetime import timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from nas import codec
from nas.race.results import Kept
from nas.sentences import Sentence
from searches.broadcast import tell_of_race
from searches.leases import GIVEN_UP, MOST_LOSSES, WORKER_SILENT, lease_end
from searches.models import Race, RaceLane, Worker

Status = RaceLane.Status
Wish = Literal["go on", "release", "let go"]
TRIES = 5


def claim(lane_id: int, attempt: int, worker: str) -> RaceLane | None:
    """Take a queued lane of an open race; None for a stale or doubled message."""
    with transaction.atomic():
        # A filter over a join cannot be updated in place on every database; ids can.
        wanted = RaceLane.objects.filter(pk=lane_id, race__status__in=Race.OPEN).values_list("pk", flat=True)
        taken = RaceLane.objects.filter(pk__in=list(wanted), attempt=attempt, status=Status.QUEUED)
        if not taken.update(status=Status.RUNNING, worker=worker, lease_until=lease_end()):
            return None
        lane = RaceLane.objects.select_related("race").get(pk=lane_id)
        first = Race.objects.filter(pk=lane.race_id, status=Race.Status.QUEUED)
        if first.update(status=Race.Status.RUNNING, started_at=timezone.now()):
            changed(lane.race_id)
    return lane


def claim_next(race_id: int, worker: str) -> RaceLane | None:
    """Take the next queued lane that no message is on its way for; None where there is none."""
    for _ in range(TRIES):
        found = unsent(race_id).values_list("pk", "attempt").first()
        if found is None:
            return None
        if lane := claim(*found, worker):
            return lane
    return None


def unsent(race_id: int) -> QuerySet[RaceLane]:
    """Return the queued lanes that nobody was told of lately, those of the lowest seeds first."""
    long_ago = timezone.now() - timedelta(seconds=settings.REDISPATCH_SECONDS)
    queued = RaceLane.objects.filter(race=race_id, race__status__in=Race.OPEN, status=Status.QUEUED)
    return queued.filter(Q(sent_at=None) | Q(sent_at__lt=long_ago)).order_by("pk")


def renew(lane: RaceLane) -> bool:
    """Hold on for another lease; False where the attempt is no longer mine."""
    return bool(_mine(lane).update(lease_until=lease_end()))


def wish(lane: RaceLane) -> Wish:
    """Read what is wanted of a running lane: its race may have been stopped or deleted, its worker drained."""
    if not _mine(lane).exists():
        return "let go"
    return "release" if Worker.objects.filter(name=lane.worker, draining=True).exists() else "go on"


def finish(lane: RaceLane, result: Kept) -> bool:
    """Write what the lane came to; False, and nothing written, where the attempt is no longer mine."""
    points = [[point.evaluation, point.best, point.report, point.epochs] for point in result.points]
    return _end(lane, status=Status.DONE, points=points, seconds=result.seconds)


def fail(lane: RaceLane, sentence: Sentence) -> bool:
    """End a lane that could not run; its race goes on."""
    return _end(lane, status=Status.FAILED, sentence_json=codec.dump(sentence))


def release(lane: RaceLane) -> bool:
    """Put a lane back for another worker; this is no loss."""
    return _requeue(lane)


def lose(lane: RaceLane, reason: Sentence) -> bool:
    """Put a lane back whose worker died; the third time it fails."""
    if lane.losses + 1 < MOST_LOSSES:
        return _requeue(lane, losses=F("losses") + 1)
    return fail(lane, Sentence(GIVEN_UP, {"losses": lane.losses + 1, "reason": reason}))


def lose_silent() -> None:
    """Put back every lane whose lease ran out."""
    _lose_each(RaceLane.objects.filter(status=Status.RUNNING, lease_until__lt=timezone.now()))


def lose_all_of(worker: str) -> None:
    """Put back what a worker of this name held before it was started anew."""
    _lose_each(RaceLane.objects.filter(status=Status.RUNNING, worker=worker))


def send_again() -> None:
    """Let the sweep send what is queued at its next tick: messages may have been lost."""
    RaceLane.objects.filter(status=Status.QUEUED).update(sent_at=None)


def changed(race_id: int) -> None:
    """Count a change that pages show, inside the caller's transaction, and tell the open ones once it is committed."""
    Race.objects.filter(pk=race_id).update(version=F("version") + 1)
    transaction.on_commit(lambda: tell_of_race(race_id))


def _lose_each(lanes: QuerySet[RaceLane]) -> None:
    for lane in lanes:
        lose(lane, Sentence(WORKER_SILENT, {"worker": lane.worker}))


def _mine(lane: RaceLane) -> QuerySet[RaceLane]:
    return RaceLane.objects.filter(pk=lane.pk, attempt=lane.attempt, status=Status.RUNNING)


def _requeue(lane: RaceLane, **fields: Any) -> bool:
    return _end(lane, status=Status.QUEUED, attempt=F("attempt") + 1, sent_at=None, worker="", **fields)


def _end(lane: RaceLane, **fields: Any) -> bool:
    with transaction.atomic():
        written = _mine(lane).update(lease_until=None, **fields)
        if written:
            changed(lane.race_id)
    return bool(written)

"""Send work to the workers: one small message per piece of it, a nudge that may be lost or doubled."""

import logging
from collections.abc import Iterable

from celery import current_app
from django.utils import timezone
from kombu.exceptions import OperationalError

from searches.models import Evaluation, Race, RaceLane, Upload

log = logging.getLogger(__name__)
EVALUATE = "workers.evaluate"
RACE_LANE = "workers.race_lane"
RACE_RESULTS = "workers.race_results"
CHECK_UPLOAD = "workers.check_upload"


def send(evaluations: Iterable[Evaluation]) -> None:
    """Tell the queue of each evaluation's run that it can be claimed; what does not go out is sent again later."""
    for evaluation in evaluations:
        if not _goes_out(EVALUATE, [evaluation.pk, evaluation.attempt], evaluation.run.queue):
            return
        queued = Evaluation.objects.filter(
            pk=evaluation.pk, attempt=evaluation.attempt, status=Evaluation.Status.QUEUED
        )
        queued.update(sent_at=timezone.now())


def send_lanes(race: Race, lanes: Iterable[RaceLane]) -> None:
    """Tell the race's queue that each of these lanes can be claimed; whoever does goes on with the next ones."""
    for lane in lanes:
        # Before it goes out: the worker that hears of it at once must not find it unsent, and claim another as well.
        queued = RaceLane.objects.filter(pk=lane.pk, attempt=lane.attempt, status=RaceLane.Status.QUEUED)
        queued.update(sent_at=timezone.now())
        if not _goes_out(RACE_LANE, [lane.pk, lane.attempt], race.queue):
            queued.update(sent_at=None)
            return


def send_results(race: Race) -> None:
    """Tell the race's queue that its last results are wanted."""
    if _goes_out(RACE_RESULTS, [race.pk], race.queue):
        Race.objects.filter(pk=race.pk).update(sent_at=timezone.now())


def send_upload(upload: Upload) -> bool:
    """Tell the queue that a file can be checked; False where that did not go out."""
    return _goes_out(CHECK_UPLOAD, [upload.pk, upload.attempt], upload.queue)


def _goes_out(task: str, arguments: list[int], queue: str) -> bool:
    try:
        current_app.send_task(task, args=arguments, queue=queue, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("%s %s was not sent: %s", task, arguments, error)
        return False
    return True

"""Send work to the workers: one small message per evaluation, a nudge that may be lost or doubled."""

import logging
from collections.abc import Iterable

from celery import current_app
from django.utils import timezone
from kombu.exceptions import OperationalError

from searches.models import Evaluation

log = logging.getLogger(__name__)
EVALUATE = "workers.evaluate"


def send(evaluations: Iterable[Evaluation]) -> None:
    """Tell the queue of each evaluation's run that it can be claimed; what does not go out is sent again later."""
    for evaluation in evaluations:
        try:
            current_app.send_task(
                EVALUATE, args=[evaluation.pk, evaluation.attempt], queue=evaluation.run.queue, retry=False
            )
        except (OperationalError, OSError) as error:
            log.warning("evaluation %s was not sent: %s", evaluation.pk, error)
            return
        queued = Evaluation.objects.filter(
            pk=evaluation.pk, attempt=evaluation.attempt, status=Evaluation.Status.QUEUED
        )
        queued.update(sent_at=timezone.now())

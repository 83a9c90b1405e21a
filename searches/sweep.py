"""One tick of the clock that makes lost messages and dead workers harmless; idempotent, so two clocks are too."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from nas.sentences import Sentence
from searches import checking, dispatch, leases, racing, receiving
from searches.advance import advance
from searches.models import Evaluation, Run


def sweep() -> None:
    """Put back what is silent, send again what waits too long, advance every open run, tend races and uploads."""
    for evaluation in leases.silent().select_related("candidate"):
        leases.lose(evaluation, Sentence(leases.WORKER_SILENT, {"worker": evaluation.worker}))
    for run_id in (
        Run.objects.filter(status__in=Run.OPEN).exclude(status=Run.Status.PAUSED).values_list("pk", flat=True)
    ):
        advance(run_id)
    dispatch.send(_waiting())
    racing.tend()
    receiving.tend()
    checking.tend()


def _waiting() -> list[Evaluation]:
    long_ago = timezone.now() - timedelta(seconds=settings.REDISPATCH_SECONDS)
    waiting = Evaluation.objects.filter(status=Evaluation.Status.QUEUED, run__status__in=Run.WORKING)
    return list(waiting.filter(Q(sent_at=None) | Q(sent_at__lt=long_ago)).select_related("run")[:100])

"""Every change of an upload whose file is whole: who checks it, what came of it. Each one is fenced by its attempt."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from nas import codec
from nas.datasets import adding
from nas.sentences import Refused, Sentence
from searches import dispatch
from searches.leases import GIVEN_UP, MOST_LOSSES, WORKER_SILENT, lease_end
from searches.models import Upload, Worker

Status = Upload.Status
Wish = Literal["go on", "release", "let go"]


def claim(upload_id: int, attempt: int, worker: str) -> Upload | None:
    """Take a file that waits; None for a stale or doubled message."""
    waiting = Upload.objects.filter(pk=upload_id, attempt=attempt, status=Status.QUEUED)
    if not waiting.update(status=Status.CHECKING, worker=worker, lease_until=lease_end(), progress_json=None):
        return None
    return Upload.objects.get(pk=upload_id)


def renew(upload: Upload) -> bool:
    """Hold on for another lease; False where the attempt is no longer mine."""
    return bool(_mine(upload).update(lease_until=lease_end()))


def wish(upload: Upload) -> Wish:
    """Read what is wanted of a check: the upload may have been given up, its worker drained."""
    if not _mine(upload).exists():
        return "let go"
    return "release" if Worker.objects.filter(name=upload.worker, draining=True).exists() else "go on"


def tell(upload: Upload, done: int, total: int, what: str) -> bool:
    """Write how far the check is."""
    return bool(_mine(upload).update(progress_json={"done": done, "total": total, "what": what}))


def report(upload: Upload, found: Mapping[str, Any]) -> bool:
    """Write what was found; False where the attempt is no longer mine, and then nothing may be moved into place."""
    return bool(_mine(upload).update(report_json=found))


def finish(upload: Upload) -> bool:
    """Say that the dataset is in its place."""
    return _end(upload, status=Status.READY, finished_at=timezone.now())


def refuse(upload: Upload, sentence: Sentence) -> bool:
    """End the check of a file that is no dataset."""
    told = codec.dump(sentence)
    return _end(upload, status=Status.REFUSED, sentence_json=told, report_json=None, finished_at=timezone.now())


def release(upload: Upload) -> bool:
    """Put a file back for another worker; this is no loss."""
    return _requeue(upload)


def lose(upload: Upload, reason: Sentence) -> bool:
    """Put a file back whose worker died; the third time it is refused."""
    if upload.losses + 1 < MOST_LOSSES:
        return _requeue(upload, losses=F("losses") + 1)
    return refuse(upload, Sentence(GIVEN_UP, {"losses": upload.losses + 1, "reason": reason}))


def lose_all_of(worker: str) -> None:
    """Put back what a worker of this name held before it was started anew."""
    _lose_each(Upload.objects.filter(status=Status.CHECKING, worker=worker))


def send_again() -> None:
    """Let the sweep send what is queued at its next tick: messages may have been lost."""
    Upload.objects.filter(status=Status.QUEUED).update(sent_at=None)


def send(upload: Upload) -> None:
    """Tell the queue of an upload that it can be claimed."""
    if dispatch.send_upload(upload):
        queued = Upload.objects.filter(pk=upload.pk, attempt=upload.attempt, status=Status.QUEUED)
        queued.update(sent_at=timezone.now())


def tend() -> None:
    """Put back every file whose worker fell silent, send what waits too long, go on with deleting."""
    now = timezone.now()
    _lose_each(Upload.objects.filter(status=Status.CHECKING, lease_until__lt=now))
    long_ago = now - timedelta(seconds=settings.REDISPATCH_SECONDS)
    waiting = Upload.objects.filter(status=Status.QUEUED)
    for upload in waiting.filter(Q(sent_at=None) | Q(sent_at__lt=long_ago)):
        send(upload)
    for upload in Upload.objects.filter(status=Status.REMOVING):
        _removed(upload)


def remove(upload: Upload) -> bool:
    """Delete a dataset that is ready, and its row; False where somebody else did."""
    ready = Upload.objects.filter(pk=upload.pk, status=Status.READY)
    if not ready.update(status=Status.REMOVING):
        return False
    _removed(upload)
    return True


def _removed(upload: Upload) -> None:
    with suppress(Refused):  # it is gone already
        adding.remove(upload.name)
    Upload.objects.filter(pk=upload.pk, status=Status.REMOVING).delete()


def _lose_each(uploads: QuerySet[Upload]) -> None:
    for upload in uploads:
        lose(upload, Sentence(WORKER_SILENT, {"worker": upload.worker}))


def _mine(upload: Upload) -> QuerySet[Upload]:
    return Upload.objects.filter(pk=upload.pk, attempt=upload.attempt, status=Status.CHECKING)


def _requeue(upload: Upload, **fields: Any) -> bool:
    return _end(upload, status=Status.QUEUED, attempt=F("attempt") + 1, sent_at=None, worker="", **fields)


def _end(upload: Upload, **fields: Any) -> bool:
    return bool(_mine(upload).update(lease_until=None, **fields))

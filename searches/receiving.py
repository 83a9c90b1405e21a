"""Every change of an upload until its file is whole: begun, piece by piece received, given up."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from nas import codec
from nas.sentences import Refused, Sentence
from searches import checking, incoming, stores
from searches.models import Upload
from searches.models.upload import SecondFile

log = logging.getLogger(__name__)
Status = Upload.Status
# A person may begin so many files at once; what nobody goes on with is dropped after a day.
MOST_OPEN = 5
IDLE = timedelta(days=1)
IDLE_SENTENCE = "Nothing of the file came for a day, so what was there of it was deleted."
TOO_LONG = "{file} has {size} MB; a file may have {most} MB."


def begin(owner: User, asked: Mapping[str, Any], file_name: str, size: int) -> Upload:
    """Return the row of a new upload, with room for its file, or for both, of which `size` is the sum.

    `asked` is name, title, kind and options. Raises Refused for a name that is taken, a file that is too long or empty,
    a disk without room, and more than `MOST_OPEN` files of one person at once.
    """
    test = SecondFile(*asked["options"].get("test", ("", 0)))
    _check_size(file_name, size - test.size)
    if test.name:
        _check_size(*test)
    _check(owner, asked["name"])
    fields = {name: asked[name] for name in ("name", "title", "kind", "options")}
    try:
        with transaction.atomic():
            upload = Upload.objects.create(
                owner=owner, file_name=file_name[-255:], size=size, queue=settings.DEFAULT_QUEUE, **fields
            )
    except IntegrityError:
        raise Refused(stores.TAKEN, name=asked["name"]) from None
    try:
        incoming.make_room(upload.pk, size + test.size)  # which is copied for the check
    except Refused:
        upload.delete()
        raise
    return upload


def take(upload: Upload, offset: int, piece: incoming.Readable) -> Upload:
    """Write a piece of the file that begins at `offset`; with its last one the file waits for a worker.

    Raises Elsewhere where the file goes on at another place, or somebody else writes to it. Where the disk is full
    nothing is kept, and Refused raised.
    """
    path = incoming.file(upload.pk, upload.file_name)
    try:
        with incoming.opened(path) as stream:
            upload.refresh_from_db()
            at = min(upload.received, incoming.length(path))
            if not upload.is_receiving or offset != at:
                raise incoming.Elsewhere(at)
            end = incoming.write(stream, offset, piece, upload.size)
            _receiving(upload).update(received=end, heard_at=timezone.now())
    except OSError as error:
        refused = incoming.full(upload.size) if error.errno in incoming.FULL else _unkept(error)
        refuse(upload, refused.sentence)
        raise refused from error
    upload.refresh_from_db()
    if upload.received == upload.size and complete(upload):
        upload.refresh_from_db()
    return upload


def complete(upload: Upload) -> bool:
    """Let a worker check the file, which is whole; False where it is not, or was given up."""
    with transaction.atomic():
        whole = _receiving(upload).filter(received=upload.size)
        changed = whole.update(status=Status.QUEUED, heard_at=timezone.now())
        if changed:
            transaction.on_commit(lambda: checking.send(upload))
    return bool(changed)


def refuse(upload: Upload, sentence: Sentence) -> bool:
    """End an upload whose file cannot be kept, and delete what there is of it."""
    changed = _receiving(upload).update(
        status=Status.REFUSED, sentence_json=codec.dump(sentence), finished_at=timezone.now()
    )
    incoming.drop(upload.pk)
    return bool(changed)


def give_up(upload: Upload) -> bool:
    """Forget an upload that is no dataset, and delete its file; a worker that checks it lets go of it."""
    gone, _ = Upload.objects.filter(pk=upload.pk).exclude(status__in=(Status.READY, Status.REMOVING)).delete()
    if gone:
        incoming.drop(upload.pk)
    return bool(gone)


def tend() -> None:
    """Refuse what nobody goes on with, and delete files that nothing is awaited of any more."""
    for upload in Upload.objects.filter(status=Status.RECEIVING, heard_at__lt=timezone.now() - IDLE):
        refuse(upload, Sentence(IDLE_SENTENCE))
    # The folders first: a row is made before its folder, so that no folder can seem forgotten that is not.
    there = incoming.forgotten(set())
    if there:
        known = set(Upload.objects.filter(pk__in=there, status__in=Upload.OPEN).values_list("pk", flat=True))
        for upload_id in set(there) - known:
            log.info("what was left of upload %s is deleted", upload_id)
            incoming.drop(upload_id)


def _check_size(file_name: str, size: int) -> None:
    if size <= 0:
        raise Refused("{file} is empty.", file=file_name)
    if size > settings.UPLOAD_BYTES:
        raise Refused(TOO_LONG, file=file_name, size=_megabytes(size), most=_megabytes(settings.UPLOAD_BYTES))


def _check(owner: User, name: str) -> None:
    stores.check_name(name)
    # No dataset is called so, or that would have been refused: somebody deleted it without its row.
    Upload.objects.filter(status=Status.READY, name=name).delete()
    if Upload.objects.filter(~Q(status=Status.REFUSED), name=name).exists():
        raise Refused(stores.TAKEN, name=name)
    others = Upload.objects.filter(owner=owner, status__in=Upload.OPEN).count()
    if others >= MOST_OPEN:
        raise Refused("{count} files of yours are on their way already; wait for them, or give one up.", count=others)


def _unkept(error: OSError) -> Refused:
    return Refused("The file cannot be kept: {error}.", error=error.strerror or str(error))


def _receiving(upload: Upload) -> QuerySet[Upload]:
    return Upload.objects.filter(pk=upload.pk, status=Status.RECEIVING)


def _megabytes(size: int) -> float:
    return round(size / 1_000_000, 1)

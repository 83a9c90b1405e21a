"""A worker's check of a file that somebody sent: a process beside it reads the file, the row says how far it is.

Everything of an attempt lies in one folder, so that nothing is left of one that was killed. What was found is written
to the row first, then the dataset is moved into its place at once, then the row says so: whoever takes over in between
can tell from the row whether what is in that place is what was found.
"""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError

from nas import codec
from nas.datasets import adding
from nas.sentences import Refused, Sentence
from searches import checking, incoming, stores
from searches.models import Upload
from workers.warm import Runner

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
CHECKER_DIED = "The process that checked it ended with code {code}."


def checker() -> Runner:
    """Return a fresh process that checks one file."""
    return Runner("workers.checker")


def check(upload: Upload, start: Callable[[], Runner] = checker) -> None:
    """Check a claimed file to its end: a dataset, a refusal, or put back for another worker."""
    if stores.is_in_place(upload):
        _close(upload)
        return
    staging = incoming.fresh_staging(upload.pk, upload.attempt)
    beside = start()
    try:
        beside.order(
            {
                "source": str(incoming.file(upload.pk, upload.file_name)),
                "home": str(staging),
                "options": {"name": upload.name, "title": upload.title, "kind": upload.kind, **upload.options},
                "length": upload.file_size,
                "test": str(incoming.test_file(upload.pk, upload.test.name)) if upload.test else "",
            }
        )
        told = _follow(upload, beside)
    finally:
        beside.kill()
    if told is None:
        # Put back, or taken away: what is left of this attempt goes with the upload, or with the next attempt.
        if not Upload.objects.filter(pk=upload.pk).exists():
            incoming.drop(upload.pk)
    elif told["type"] == "Refused":
        if checking.refuse(upload, codec.load(Sentence, told["sentence"])):
            incoming.drop(upload.pk)
    elif checking.report(upload, {name: value for name, value in told.items() if name != "type"}):
        _settle(upload, staging)


def _settle(upload: Upload, staging: Path) -> None:
    """Move what was made into its place, unless the name was taken meanwhile or the upload given up."""
    try:
        stores.put_in_place(upload, staging)
    except Refused as refused:
        if checking.refuse(upload, refused.sentence):
            incoming.drop(upload.pk)
        return
    _close(upload)
    if not Upload.objects.filter(pk=upload.pk).exists():
        adding.remove(upload.name)


def _close(upload: Upload) -> None:
    if checking.finish(upload):
        incoming.drop(upload.pk)


def _follow(upload: Upload, beside: Runner) -> Mapping[str, Any] | None:
    """Return the last thing that the process says; None where it is not to be waited for any more."""
    renew_at = time.monotonic() + settings.HEARTBEAT_SECONDS
    look_at = 0.0
    progress: dict[str, Any] | None = None
    while True:
        try:
            told = beside.hear(LOOK_SECONDS)
        except EOFError:
            checking.lose(upload, Sentence(CHECKER_DIED, {"code": beside.exit_code or 0}))
            return None
        if told is not None and told["type"] != "Progress":
            return told
        progress = told or progress
        if (now := time.monotonic()) < look_at:
            continue
        look_at = now + LOOK_SECONDS
        try:
            if now >= renew_at:
                renew_at = now + settings.HEARTBEAT_SECONDS
                checking.renew(upload)
            if progress:
                checking.tell(upload, progress["done"], progress["total"], progress["what"])
                progress = None
            wish = checking.wish(upload)
        except OperationalError as error:
            log.warning("upload %s could not be looked after: %s", upload.pk, error)
            continue
        if wish == "release":
            checking.release(upload)
        if wish != "go on":
            return None

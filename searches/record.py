"""Append what happened in a run to its numbered events, and tell the open pages."""

import logging
from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import F

from searches.models import Event, Run

log = logging.getLogger(__name__)


def group(run_id: int) -> str:
    """Return the name of the channel group that follows a run."""
    return f"run.{run_id}"


def record(run_id: int, kind: str, data: Mapping[str, Any], evaluation_id: int | None = None) -> None:
    """Append an event inside the caller's transaction, which makes the order of numbers the order of commits."""
    Run.objects.filter(pk=run_id).update(last_seq=F("last_seq") + 1)
    seq = Run.objects.values_list("last_seq", flat=True).get(pk=run_id)
    event = Event.objects.create(run_id=run_id, seq=seq, kind=kind, data=dict(data), evaluation_id=evaluation_id)
    transaction.on_commit(lambda: _broadcast(event))


def _broadcast(event: Event) -> None:
    # The row is the truth and readers look again by themselves, so a lost copy costs at most a second.
    try:
        layer = get_channel_layer()
        async_to_sync(layer.group_send)(group(event.run_id), {"type": "run.event", "message": event.message})
    except Exception as error:
        log.debug("event %s of run %s was not broadcast: %s", event.seq, event.run_id, error)


def prune_epochs(evaluation_id: int) -> None:
    """Drop the live points of a learning curve that is stored as a whole by now."""
    Event.objects.filter(evaluation_id=evaluation_id, kind="epoch").delete()

"""Append what happened in a run to its numbered events, and tell the open pages."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from searches.broadcast import broadcast
from searches.models import Event, Run


def record(run_id: int, kind: str, data: Mapping[str, Any], evaluation_id: int | None = None) -> None:
    """Append an event inside the caller's transaction, which makes the order of numbers the order of commits."""
    Run.objects.filter(pk=run_id).update(last_seq=F("last_seq") + 1)
    seq = Run.objects.values_list("last_seq", flat=True).get(pk=run_id)
    event = Event.objects.create(run_id=run_id, seq=seq, kind=kind, data=dict(data), evaluation_id=evaluation_id)
    transaction.on_commit(lambda: broadcast(run_id, event.message))


def prune_epochs(evaluation_id: int) -> None:
    """Drop the live points of a learning curve that is stored as a whole by now."""
    Event.objects.filter(evaluation_id=evaluation_id, kind="epoch").delete()

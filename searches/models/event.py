"""What happened in a run, numbered in the order of commits; pages follow this table."""

from typing import Any

from django.db import models
from django.utils import timezone

from searches.models.run import Run


class Event(models.Model):
    """Only `searches.record` appends. Epochs are pruned once the curve is stored, so numbers may have holes."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    evaluation_id = models.BigIntegerField(null=True, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("run", "seq")
        constraints = [models.UniqueConstraint(fields=("run", "seq"), name="event_seq_once")]
        indexes = [models.Index(fields=("evaluation_id", "kind"))]

    def __str__(self) -> str:
        return f"{self.run} {self.seq} {self.kind}"

    @property
    def message(self) -> dict[str, Any]:
        """What a socket sends for it."""
        return {"seq": self.seq, "kind": self.kind, "at": self.at.isoformat(), "data": self.data}

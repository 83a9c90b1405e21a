"""What a strategy knows between two steps, in a row of its own: it grows with the run, and few read it."""

from django.db import models

from searches.models.run import Run


class StrategyState(models.Model):
    """Written by `searches.advance` alone, in the transaction that raises the run's version."""

    run = models.OneToOneField(Run, primary_key=True, on_delete=models.CASCADE, related_name="strategy_state")
    content = models.JSONField()

    def __str__(self) -> str:
        return f"{self.run} version {self.run.version}"

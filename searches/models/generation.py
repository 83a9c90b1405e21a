"""How far a strategy had come, in the numbers that it wants drawn."""

from django.db import models

from searches.models.run import Run


class Generation(models.Model):
    """After `number` evaluations were told: `trace` maps names to numbers, "generation" and those of the strategy.

    In a search by gradient `number` is the epoch, and `alpha` the probability of every operation, by edge.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="generations")
    number = models.PositiveIntegerField()
    trace = models.JSONField(default=dict)
    alpha = models.JSONField(default=dict)

    class Meta:
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=("run", "number"), name="generation_number_once")]

    def __str__(self) -> str:
        return f"{self.run} after {self.number}"

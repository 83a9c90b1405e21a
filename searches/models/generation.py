"""One step of a strategy, with the numbers that the strategy wants drawn."""

from django.db import models

from searches.models.run import Run


class Generation(models.Model):
    """`trace` maps names to numbers; what they mean is the strategy's."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="generations")
    number = models.PositiveIntegerField()
    trace = models.JSONField(default=dict)

    class Meta:
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=("run", "number"), name="generation_number_once")]

    def __str__(self) -> str:
        return f"{self.run} generation {self.number}"

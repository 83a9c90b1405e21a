"""An architecture inside a run: numbered, with its parents and how it was made."""

from django.db import models
from django.urls import reverse

from nas.architecture import Architecture
from searches.models.run import Run


class Candidate(models.Model):
    """Number 0 is the baseline of the final stage; the search counts from 1."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="candidates")
    number = models.PositiveIntegerField()
    space = models.CharField(max_length=40)
    choices = models.JSONField()
    key = models.CharField(max_length=16)
    generation = models.PositiveIntegerField(default=0)
    origin = models.CharField(max_length=40)
    parents = models.JSONField(default=list)
    fidelity = models.PositiveIntegerField(default=0)
    parameters = models.PositiveBigIntegerField()
    multiply_adds = models.PositiveBigIntegerField()

    class Meta:
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=("run", "number"), name="candidate_number_once")]

    def __str__(self) -> str:
        return f"{self.run} {self.number}"

    def get_absolute_url(self) -> str:
        """The page of this candidate."""
        return reverse("candidate", args=[self.run_id, self.number])

    @property
    def architecture(self) -> Architecture:
        """The value that the engine works with."""
        return Architecture(self.space, tuple(self.choices))

    @property
    def is_baseline(self) -> bool:
        """Whether it is the hand-made network that the winner is compared with."""
        return self.number == 0

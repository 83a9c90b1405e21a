"""One measurement of a candidate: a stage, a number of epochs and a seed, in one or more attempts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from nas import codec
from nas.events import Evidence
from nas.sentences import Sentence
from searches.models.candidate import Candidate
from searches.models.run import Run


class Evaluation(models.Model):
    """`attempt` is the fence: only the worker that claimed this attempt may write. `losses` counts silent leases.

    A search by gradient is one evaluation at the stage "supernet", which is of no candidate: its epochs become
    candidates, each with an evaluation that is measured from the beginning.
    """

    SUPERNET = "supernet"

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        MEASURED = "measured", _("Measured")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Cause(models.TextChoices):
        OOM = "oom", _("Out of memory")
        NAN = "nan", _("Loss is not a number")
        TIMEOUT = "timeout", _("Time limit")
        INVALID = "invalid", _("Invalid architecture")
        LOST = "lost", _("Worker lost")
        REJECTED = "rejected", _("Rejected by the proxy")
        ERROR = "error", _("Error")

    OPEN = (Status.QUEUED, Status.RUNNING)

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="evaluations")
    candidate = models.ForeignKey(
        Candidate, null=True, blank=True, on_delete=models.CASCADE, related_name="evaluations"
    )
    stage = models.CharField(max_length=8, choices=[*Run.Stage.choices, (SUPERNET, _("Supernet"))])
    epochs = models.PositiveIntegerField()
    seed = models.PositiveBigIntegerField()
    export = models.BooleanField(default=False)

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED, db_index=True)
    cause = models.CharField(max_length=8, choices=Cause, default="", blank=True)
    sentence_json = models.JSONField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=1)
    losses = models.PositiveIntegerField(default=0)
    told = models.BooleanField(default=False)
    led = models.BooleanField(default=False)  # was ahead when it was measured

    worker = models.CharField(max_length=120, default="", blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    metrics = models.JSONField(default=dict)
    curve = models.JSONField(default=list)
    artifacts = models.JSONField(default=list)
    evidence_json = models.JSONField(null=True, blank=True)  # of the final stage

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("candidate", "stage", "epochs", "seed"), name="one_evaluation_per_fidelity_and_seed"
            )
        ]
        indexes = [
            models.Index(fields=("run", "status")),
            # Few rows of a run are one or the other, and every step asks for them.
            models.Index(fields=("run",), condition=models.Q(told=False), name="evaluation_untold"),
            models.Index(fields=("run",), condition=models.Q(led=True), name="evaluation_led"),
        ]

    def __str__(self) -> str:
        return f"{self.candidate or self.run} {self.stage} {self.seed}"

    @property
    def of(self) -> Candidate:
        """The candidate that is measured, where it is one."""
        assert self.candidate is not None, "a supernet is no candidate"
        return self.candidate

    @property
    def is_supernet(self) -> bool:
        """Whether it is a whole search by gradient."""
        return self.stage == self.SUPERNET

    @property
    def is_rejected(self) -> bool:
        """Whether a proxy spoke against it before it was trained."""
        return self.cause == self.Cause.REJECTED

    @property
    def stopped_after(self) -> int | None:
        """The epochs after which it was stopped early, None where it was not: a mean where it had several seeds."""
        trained = self.metrics.get("epochs", self.epochs)
        return int(trained) if self.status == self.Status.MEASURED and trained < self.epochs else None

    @property
    def evidence(self) -> Evidence | None:
        """What stands behind the metrics of a final training."""
        return codec.load(Evidence, self.evidence_json) if self.evidence_json else None

    @property
    def sentence(self) -> Sentence | None:
        """Why it failed, where it did."""
        return codec.load(Sentence, self.sentence_json) if self.sentence_json else None

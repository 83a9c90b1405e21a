"""One execution of a strategy on a space, a dataset, objectives and a budget; its plan is frozen once it started."""

from functools import cached_property

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nas import codec
from nas.plan import Plan
from nas.sentences import Sentence


class Run(models.Model):
    """Only `searches.lifecycle` and `searches.advance` change a run after it was made."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        PAUSING = "pausing", _("Pausing")
        PAUSED = "paused", _("Paused")
        STOPPING = "stopping", pgettext_lazy("status of a search", "Stopping")  # a setting is called so, too
        COMPLETED = "completed", _("Completed")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Stage(models.TextChoices):
        SEARCH = "search", _("Search")
        FINAL = "final", _("Final stage")

    OPEN = (Status.QUEUED, Status.RUNNING, Status.PAUSING, Status.PAUSED, Status.STOPPING)
    WORKING = (Status.QUEUED, Status.RUNNING)

    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT, db_index=True)
    stage = models.CharField(max_length=8, choices=Stage, default=Stage.SEARCH)
    plan_json = models.JSONField(default=dict)
    queue = models.CharField(max_length=60, default="default")
    fingerprint = models.CharField(max_length=64, default="", blank=True)
    sentence_json = models.JSONField(null=True, blank=True)
    winner = models.ForeignKey("searches.Candidate", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    closing = models.BooleanField(default=False)  # the search stage is to end now

    version = models.PositiveIntegerField(default=0)
    last_seq = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The live page of this run."""
        return reverse("run", args=[self.pk])

    @cached_property
    def plan(self) -> Plan:
        """What was asked for."""
        return codec.load(Plan, self.plan_json)

    @property
    def sentence(self) -> Sentence | None:
        """Why the run stands where it stands, where there is something to say."""
        return codec.load(Sentence, self.sentence_json) if self.sentence_json else None

    @property
    def is_open(self) -> bool:
        """Whether something may still happen in it."""
        return self.status in self.OPEN

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.status in (self.Status.COMPLETED, self.Status.FAILED, self.Status.CANCELLED)

    @property
    def is_draft(self) -> bool:
        """Whether it was never started."""
        return self.status == self.Status.DRAFT

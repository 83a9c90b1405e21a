"""Strategies side by side on one table: a race, and its lanes, each one strategy with one seed."""

from functools import cached_property

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nas import codec
from nas.plan import Plan
from nas.race import contest
from nas.race.results import Kept, Point, Results
from nas.sentences import Sentence


class Race(models.Model):
    """Only `searches.racing` changes a race after it was made. `closed` says that the last results are written."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        COMPLETED = "completed", _("Completed")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    OPEN = (Status.QUEUED, Status.RUNNING)

    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    plan_json = models.JSONField()
    strategies = models.JSONField(default=list)
    first_seed = models.PositiveBigIntegerField(default=1)
    seeds = models.PositiveIntegerField()
    queue = models.CharField(max_length=60, default="default")

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED, db_index=True)
    sentence_json = models.JSONField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)  # grows with everything that a page shows
    sent_at = models.DateTimeField(null=True, blank=True)
    closed = models.BooleanField(default=False, db_index=True)

    results_json = models.JSONField(null=True, blank=True)
    results_at = models.DateTimeField(null=True, blank=True)
    results_seconds = models.FloatField(default=0)  # what it took to compute them
    results_until = models.DateTimeField(null=True, blank=True)  # the lease of the worker that does it now
    results_losses = models.PositiveIntegerField(default=0)  # how often the process died that computed the last ones
    report = models.CharField(max_length=200, default="", blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The live page of this race."""
        return reverse("race", args=[self.pk])

    @cached_property
    def plan(self) -> Plan:
        """What every lane has in common."""
        return codec.load(Plan, self.plan_json)

    @cached_property
    def contest(self) -> contest.Race:
        """The race as the engine knows it."""
        seeds = range(self.first_seed, self.first_seed + self.seeds)
        return contest.Race(self.plan, tuple(self.strategies), tuple(seeds))

    @property
    def size(self) -> int:
        """How many lanes it has."""
        return len(self.contest.entrants) * self.seeds

    @cached_property
    def results(self) -> Results | None:
        """What the lanes that were over came to when somebody last looked."""
        return codec.load(Results, self.results_json) if self.results_json else None

    @property
    def sentence(self) -> Sentence | None:
        """Why it failed, where it did."""
        return codec.load(Sentence, self.sentence_json) if self.sentence_json else None

    @property
    def is_open(self) -> bool:
        """Whether lanes may still start."""
        return self.status in self.OPEN


class RaceLane(models.Model):
    """`attempt` is the fence: only the worker that claimed this attempt may write. `losses` counts silent leases."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (Status.QUEUED, Status.RUNNING)

    race = models.ForeignKey(Race, on_delete=models.CASCADE, related_name="lanes")
    strategy = models.CharField(max_length=40)
    seed = models.PositiveBigIntegerField()

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    sentence_json = models.JSONField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=1)
    losses = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=120, default="", blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    points = models.JSONField(default=list)  # [evaluation, best, report, epochs] where something changed
    seconds = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=("race", "strategy", "seed"), name="one_lane_per_start")]
        indexes = [models.Index(fields=("race", "status")), models.Index(fields=("status", "lease_until"))]

    def __str__(self) -> str:
        return f"{self.race} {self.strategy} {self.seed}"

    @property
    def plan(self) -> Plan:
        """The search that this lane is."""
        return self.race.contest.lane_plan(self.strategy, self.seed)

    @property
    def kept(self) -> Kept:
        """What it came to."""
        points = tuple(Point(int(at), *values) for at, *values in self.points)
        return Kept(self.strategy, self.seed, points, self.seconds or 0.0)

    @property
    def sentence(self) -> Sentence | None:
        """Why it failed, where it did."""
        return codec.load(Sentence, self.sentence_json) if self.sentence_json else None

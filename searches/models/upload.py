"""A file that a person sends to make a dataset of, and what came of it."""

from typing import Any, NamedTuple

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nas import codec
from nas.sentences import Sentence


class SecondFile(NamedTuple):
    """A second file, for the test part: what it is called, and how many of the bytes that come are its own."""

    name: str
    size: int


class Upload(models.Model):
    """Only `searches.receiving` and `searches.checking` change it after it was made.

    `attempt` is the fence: only the worker that claimed this attempt may write. `losses` counts silent leases. A second
    file, for the test part, comes behind the first as if both were one: `size` and `received` count its bytes, too.
    """

    class Status(models.TextChoices):
        RECEIVING = "receiving", _("Receiving")
        QUEUED = "queued", _("Queued")
        CHECKING = "checking", _("Checking")
        READY = "ready", _("Ready")
        REFUSED = "refused", _("Refused")
        REMOVING = "removing", _("Removing")

    class Kind(models.TextChoices):
        IMAGES = "images", _("Images in folders")
        TABLE = "table", _("Table")
        TEXT = "text", _("Sentences")

    OPEN = (Status.RECEIVING, Status.QUEUED, Status.CHECKING)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=60)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    options = models.JSONField(default=dict)  # what `nas.datasets.adding.add` takes besides; `test` is a `SecondFile`
    queue = models.CharField(max_length=60, default="default")

    file_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()  # bytes
    received = models.PositiveBigIntegerField(default=0)
    heard_at = models.DateTimeField(default=timezone.now)  # when the last piece came

    status = models.CharField(max_length=10, choices=Status, default=Status.RECEIVING, db_index=True)
    sentence_json = models.JSONField(null=True, blank=True)
    report_json = models.JSONField(null=True, blank=True)
    progress_json = models.JSONField(null=True, blank=True)  # done, total, what

    attempt = models.PositiveIntegerField(default=1)
    losses = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=120, default="", blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=("name",),
                condition=~models.Q(status="refused"),
                name="one_upload_per_name",
            )
        ]
        indexes = [models.Index(fields=("status", "lease_until"))]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The page that follows it; once it is ready, that of the dataset."""
        return reverse("dataset", args=[self.name]) if self.is_ready else reverse("upload", args=[self.pk])

    @property
    def test(self) -> SecondFile | None:
        """The second file, where there is one."""
        return SecondFile(*self.options["test"]) if "test" in self.options else None

    @property
    def file_size(self) -> int:
        """How many of the bytes are those of the first file."""
        return self.size - (self.test.size if self.test else 0)

    @property
    def sentence(self) -> Sentence | None:
        """Why it was refused, where it was."""
        return codec.load(Sentence, self.sentence_json) if self.sentence_json else None

    @property
    def progress(self) -> dict[str, Any]:
        """How far it is: `done` of `total`, in bytes while it is received, else in what the check counts; `percent`."""
        told = self.progress_json or {"done": 0, "total": 0, "what": ""}
        if self.status == self.Status.RECEIVING:
            told = {"done": self.received, "total": self.size, "what": ""}
        done, total = told["done"], told["total"]
        return {**told, "percent": round(100 * min(1.0, done / total)) if total else 0}

    @property
    def is_receiving(self) -> bool:
        """Whether pieces of the file are still awaited."""
        return self.status == self.Status.RECEIVING

    @property
    def is_open(self) -> bool:
        """Whether it may still become a dataset."""
        return self.status in self.OPEN

    @property
    def is_ready(self) -> bool:
        """Whether it became one."""
        return self.status == self.Status.READY

"""A process on a device that takes evaluations, as its last heartbeat described it."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone


class Worker(models.Model):
    """The row outlives the process: a worker is alive while its heartbeat is younger than the lease."""

    name = models.CharField(max_length=120, unique=True)
    host = models.CharField(max_length=120)
    device = models.CharField(max_length=120)
    queue = models.CharField(max_length=60)
    pid = models.PositiveIntegerField()
    tells_energy = models.BooleanField(default=False)  # its device counts the joules
    draining = models.BooleanField(default=False)  # takes no more work and lets go of what it has
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def tell_energy(cls, queue: str) -> bool:
        """Whether a search in this queue may ask for energy: any of its workers can, or none is there to say."""
        alive = [worker for worker in cls.objects.filter(queue=queue) if worker.is_alive]
        return not alive or any(worker.tells_energy for worker in alive)

    @property
    def is_alive(self) -> bool:
        """Whether it was heard of within a lease."""
        return self.seen_at > timezone.now() - timedelta(seconds=settings.LEASE_SECONDS)

"""The worker's own row: written when it comes up and with every heartbeat, read by pages and by `advance`."""

import os
import socket
import threading
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from nas.evaluation import energy
from searches import checking, lanes, leases
from searches.models import Worker

DEVICE_LENGTH = 120  # several GPUs by their long names are cut off


def name() -> str:
    """Return the name that the supervisor gave this worker, at this host."""
    return f"{os.environ.get('NASWEB_WORKER_NAME', 'worker')}@{socket.gethostname()}"


def arrive() -> None:
    """Write the row anew, and put back at once what an earlier process of this name left behind."""
    now = timezone.now()
    Worker.objects.update_or_create(
        name=name(),
        defaults={
            "host": socket.gethostname(),
            "device": (os.environ.get("CUDA_VISIBLE_DEVICES") or "cpu")[:DEVICE_LENGTH],
            "queue": os.environ.get("NASWEB_QUEUE", settings.DEFAULT_QUEUE),
            "pid": os.getpid(),
            "tells_energy": energy.meter() is not None,
            "draining": False,
            "started_at": now,
            "seen_at": now,
        },
    )
    for held in (leases, lanes, checking):
        held.lose_all_of(name())
        held.send_again()


def drain() -> None:
    """Ask this worker to let go of what it holds and take nothing more."""
    Worker.objects.filter(name=name()).update(draining=True)


def is_draining() -> bool:
    """Whether somebody asked that."""
    return Worker.objects.filter(name=name(), draining=True).exists()


def depart() -> None:
    """Say that it is gone, rather than let its heartbeat grow old."""
    Worker.objects.filter(name=name()).update(seen_at=timezone.now() - timedelta(days=1))


def keep_beating() -> None:
    """Renew the row from a thread for as long as the process lives."""
    threading.Thread(target=_beat, daemon=True).start()


def _beat() -> None:
    pause = threading.Event()
    while not pause.wait(settings.HEARTBEAT_SECONDS):
        try:
            Worker.objects.filter(name=name()).update(seen_at=timezone.now())
        except DatabaseError:
            connection.close()

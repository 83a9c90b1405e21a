"""`manage.py sweep`: the clock of the installation, a tick each second."""

import logging
import signal
import threading
from types import FrameType

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from searches.sweep import sweep

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Requeue what dead workers held, send lost messages again and advance open searches, once a second."

    def handle(self, *args: object, **options: object) -> None:
        over = threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            over.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        while not over.wait(settings.SWEEP_SECONDS):
            close_old_connections()
            try:
                sweep()
            except DatabaseError as error:
                log.warning("sweep: %s", error)

"""The Celery application."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nasweb.settings")

app = Celery("nasweb")
app.config_from_object("django.conf:settings", namespace="CELERY")


@setup_logging.connect
def keep_the_logging_of_django(**_: Any) -> None:
    """Stop Celery from replacing the log format of the settings; a receiver is all it takes."""

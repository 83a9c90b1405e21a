"""What a load balancer or a person asks to see whether the server works."""

import logging
import sys

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from nasweb.celery import app

log = logging.getLogger(__name__)


@login_not_required
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 where the database and the broker answer, else 503 with what does not."""
    parts = {"database": _database(), "broker": _broker()}
    well = all(parts.values())
    return JsonResponse({"ok": well, **parts, "torch": "torch" in sys.modules}, status=200 if well else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        log.exception("the database does not answer")
        return False
    return True


def _broker() -> bool:
    try:
        with app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
    except Exception as error:  # Each transport has its own errors.
        log.warning("the broker does not answer: %s", error)
        return False
    return True

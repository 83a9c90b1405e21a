"""Who may change a search: its owner and the staff."""

from typing import cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from searches.models import Run


def person(request: HttpRequest) -> User:
    """Return the signed-in person; the middleware lets nobody else in."""
    return cast(User, request.user)


def may_change(user: User, run: Run) -> bool:
    """Tell whether this person may change or delete the search."""
    return user.is_staff or run.owner_id is None or run.owner_id == user.pk


def changeable_run(request: HttpRequest, run_id: int) -> Run:
    """Return the search to change; raises Http404 or PermissionDenied."""
    run = get_object_or_404(Run.objects.select_related("owner"), pk=run_id)
    if not may_change(person(request), run):
        raise PermissionDenied
    return run

"""Who may change a search, a race or an upload: its owner and the staff."""

from typing import cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from searches.models import Race, Run, Upload


def person(request: HttpRequest) -> User:
    """Return the signed-in person; the middleware lets nobody else in."""
    return cast(User, request.user)


def may_change(user: User, run: Run | Race | Upload) -> bool:
    """Tell whether this person may change or delete the search, race or upload."""
    return user.is_staff or run.owner_id is None or run.owner_id == user.pk


def changeable_run(request: HttpRequest, run_id: int) -> Run:
    """Return the search to change; raises Http404 or PermissionDenied."""
    run = get_object_or_404(Run.objects.select_related("owner"), pk=run_id)
    if not may_change(person(request), run):
        raise PermissionDenied
    return run


def changeable_race(request: HttpRequest, race_id: int) -> Race:
    """Return the race to change; raises Http404 or PermissionDenied."""
    race = get_object_or_404(Race.objects.select_related("owner"), pk=race_id)
    if not may_change(person(request), race):
        raise PermissionDenied
    return race


def changeable_upload(request: HttpRequest, upload_id: int) -> Upload:
    """Return the upload to change; raises Http404 or PermissionDenied."""
    upload = get_object_or_404(Upload.objects.select_related("owner"), pk=upload_id)
    if not may_change(person(request), upload):
        raise PermissionDenied
    return upload

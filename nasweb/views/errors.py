"""Pages for what went wrong."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from nas.sentences import Refused
from searches.say import say

PLAIN = "<!doctype html><title>Error</title><h1>Something went wrong</h1><p>The server's log has the details.</p>"


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without touching the database, which may be what broke: no session, no user, no messages."""
    return _page(request, "", 500)


def database_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """Say what is wrong with the database, and that nothing was saved."""
    told = " ".join(str(error).split())
    if "disk is full" in told or "No space left" in told:
        reason = _("The disk of %(home)s is full, and nothing was saved. Make room there and try again.")
        return _page(request, reason % {"home": settings.NASWEB_HOME}, 507)
    reason = _("The database could not be used (%(reason)s), and nothing was saved. Try again in a moment.")
    return _page(request, reason % {"reason": told}, 503)


def refusal(request: HttpRequest, error: Refused) -> HttpResponse:
    """Say what the engine cannot do with what it finds."""
    return _page(request, say(error.sentence), 409)


def _page(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    context = {"request": request, "csp_nonce": getattr(request, "csp_nonce", ""), "reason": reason}
    try:
        page: str = render_to_string("500.html", context)
    except Exception:  # A page about an error must not raise another.
        page = PLAIN
    return HttpResponse(page, status=status)

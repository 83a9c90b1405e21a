"""Pages for what went wrong."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

PLAIN = "<!doctype html><title>Error</title><h1>Something went wrong</h1><p>The server's log has the details.</p>"


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without touching the database, which may be what broke: no session, no user, no messages."""
    try:
        page: str = render_to_string("500.html", {"request": request, "csp_nonce": getattr(request, "csp_nonce", "")})
    except Exception:  # A page about an error must not raise another.
        page = PLAIN
    return HttpResponse(page, status=500)

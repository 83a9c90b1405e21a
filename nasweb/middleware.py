"""Headers that every page carries, and the answers where the database fails or the engine refuses."""

import logging
import secrets
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from nas.sentences import Refused
from nasweb.views.errors import database_error, refusal

log = logging.getLogger(__name__)


class ContentSecurityPolicy:
    """Sends a Content-Security-Policy with a fresh nonce, which templates find as `request.csp_nonce`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = self.get_response(request)
        # Plotly writes style attributes, hence unsafe-inline for styles only.
        response.headers.setdefault(
            "Content-Security-Policy",
            f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
            "connect-src 'self' ws: wss:; img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; "
            "form-action 'self'; frame-ancestors 'none'",
        )
        return response


class Sentences:
    """Answers with a sentence where the database is full, locked or away, or the engine refuses outside of any form.

    Whatever was begun in the database was rolled back by then.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page, or nothing for any other exception."""
        if not isinstance(error, (Refused, OperationalError, InterfaceError)):
            return None
        log.error("%s %s: %s", request.method, request.path, error)
        return refusal(request, error) if isinstance(error, Refused) else database_error(request, error)

"""A bound on what a request may send: Django writes a body to the temporary folder before any page sees it."""

import shutil
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]
# What a form has beside its file.
FORM_BYTES = 1_000_000
RESERVE_BYTES = 200_000_000
TOO_LONG, NO_ROOM = "The file is too long.", "The disk of the server is full."


class Bounded:
    """Refuses a body that is longer than the longest file, or that the temporary folder has no room for."""

    def __init__(self, pages: Application) -> None:
        self.pages = pages

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let a request through whose body is in bounds; one that does not say its length is cut off at the bound."""
        most = settings.UPLOAD_BYTES + FORM_BYTES
        told = dict(scope["headers"]).get(b"content-length", b"")
        length = int(told) if told.isdigit() else 0
        if length > most:
            await _refuse(send, 413, TOO_LONG)
            return
        # Once as the body, once more as the file of a form.
        if length > FORM_BYTES and shutil.disk_usage(tempfile.gettempdir()).free < 2 * length + RESERVE_BYTES:
            await _refuse(send, 507, NO_ROOM)
            return
        came = 0

        async def bounded() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            return message if came <= most else {"type": "http.disconnect"}

        await self.pages(scope, bounded, send)


async def _refuse(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})

"""Bodies that are too long, or that the disk has no room for, are refused before they are written anywhere."""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from nasweb.bodies import FORM_BYTES, Bounded


async def _pages(scope, receive, send):
    """Read a body as Django does, and tell how long it was."""
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


def ask(pieces, length=None):
    """Return the statuses and bodies that come back."""
    told = []
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return waiting.pop(0)

    async def send(message):
        told.append(message.get("status") or message["body"].decode())

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    # In a thread of its own: Playwright keeps an event loop in this one once a browser test has run.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(
            lambda: asyncio.run(Bounded(_pages)({"type": "http", "headers": headers}, receive, send))
        ).result()
    return told


@pytest.fixture(autouse=True)
def _of_a_thousand_bytes(settings):
    settings.UPLOAD_BYTES = 1000


def test_what_is_in_bounds_gets_through():
    assert ask([b"x" * 600, b"y" * 400], 1000) == [200, "1000"]
    assert ask([b"x" * 600]) == [200, "600"]


def test_what_says_that_it_is_longer_is_refused_unread():
    assert ask([], FORM_BYTES + 1001) == [413, "The file is too long."]


def test_what_is_longer_without_saying_so_is_cut_off():
    assert ask([b"x" * 600_000, b"x" * 600_000]) == []


def test_what_the_disk_has_no_room_for_is_refused_unread(settings, monkeypatch):
    settings.UPLOAD_BYTES = 10**9
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=300_000_000))
    assert ask([], 100_000_000) == [507, "The disk of the server is full."]
    assert ask([b"x"], 1) == [200, "1"]

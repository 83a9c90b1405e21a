"""Copies of events for the open pages, sent from one event loop per process.

The loop lives in a thread of its own, so that its connection to the channel layer outlives a single message and nobody
waits for it. A copy may be lost or come out of order: the row is the truth, and its readers look again by themselves.
"""

import asyncio
import logging
import os
import threading
from typing import Any

from channels.layers import get_channel_layer

log = logging.getLogger(__name__)
_loops: dict[int, asyncio.AbstractEventLoop] = {}
_making = threading.Lock()


def group(run_id: int) -> str:
    """Return the name of the channel group that follows a run."""
    return f"run.{run_id}"


def broadcast(run_id: int, message: dict[str, Any]) -> None:
    """Send a message to the pages that follow a run, some time soon."""
    asyncio.run_coroutine_threadsafe(_send(group(run_id), {"type": "run.event", "message": message}), _loop())


def group_of_race(race_id: int) -> str:
    """Return the name of the channel group that follows a race."""
    return f"race.{race_id}"


def tell_of_race(race_id: int) -> None:
    """Tell the pages that follow a race that something in it changed; what it is they read themselves."""
    asyncio.run_coroutine_threadsafe(_send(group_of_race(race_id), {"type": "race.changed"}), _loop())


async def _send(to: str, message: dict[str, Any]) -> None:
    try:
        await get_channel_layer().group_send(to, message)
    except Exception as error:
        log.debug("%s was not broadcast to %s: %s", message["type"], to, error)


def _loop() -> asyncio.AbstractEventLoop:
    # A forked process has the dictionary of its parent, but not the thread.
    with _making:
        if os.getpid() not in _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="broadcast", daemon=True).start()
            _loops[os.getpid()] = loop
        return _loops[os.getpid()]

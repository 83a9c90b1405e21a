"""The socket of a run page: what happened since the page was made, then what happens."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from searches.broadcast import group
from searches.models import Event, Run

LOOK_AGAIN_SECONDS = 1.0
MOST_AT_ONCE = 500


class RunConsumer(AsyncJsonWebsocketConsumer):
    """Sends the rows after `?after=seq`, then each copy that comes through the channel layer.

    A copy that is not the next in order makes it read the table, which it also does once a second: a lost or
    reordered copy loses nothing.
    """

    NO_ACCESS = 4403

    async def connect(self) -> None:
        self.run_id = int(self.scope["url_route"]["kwargs"]["run_id"])
        self.reading = asyncio.Lock()
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not await self._exists():
            await self.close(self.NO_ACCESS)
            return
        query = parse_qs(self.scope["query_string"].decode())
        after = query.get("after", ["0"])[0]
        self.seen = int(after) if after.isdigit() else 0
        await self.channel_layer.group_add(group(self.run_id), self.channel_name)
        self.follow = asyncio.create_task(self._look_again())

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "follow"):
            self.follow.cancel()
            await self.channel_layer.group_discard(group(self.run_id), self.channel_name)

    async def run_event(self, event: dict[str, Any]) -> None:
        """Pass on the next event; anything else is a reason to read the table."""
        async with self.reading:
            message = event["message"]
            if message["seq"] == self.seen + 1:
                self.seen = message["seq"]
                await self.send_json(message)
                return
        if message["seq"] > self.seen:
            await self._catch_up()

    async def _look_again(self) -> None:
        while True:
            await self._catch_up()
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _catch_up(self) -> None:
        async with self.reading:
            for message in await self._after(self.seen):
                self.seen = message["seq"]
                await self.send_json(message)

    @database_sync_to_async
    def _after(self, seq: int) -> list[dict[str, Any]]:
        return [event.message for event in Event.objects.filter(run_id=self.run_id, seq__gt=seq)[:MOST_AT_ONCE]]

    @database_sync_to_async
    def _exists(self) -> bool:
        return Run.objects.filter(pk=self.run_id).exists()

"""The sockets of run and race pages: what happened since the page was made, then what happens."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from searches.broadcast import group, group_of_race
from searches.models import Event, Race, Run

LOOK_AGAIN_SECONDS = 1.0
BETWEEN_NUDGES = 0.5
NO_ACCESS = 4403
MOST_AT_ONCE = 500


class RunConsumer(AsyncJsonWebsocketConsumer):
    """Sends the rows after `?after=seq`, then each copy that comes through the channel layer.

    A copy that is not the next in order makes it read the table, which it also does once a second: a lost or
    reordered copy loses nothing.
    """

    async def connect(self) -> None:
        self.run_id = int(self.scope["url_route"]["kwargs"]["run_id"])
        self.reading = asyncio.Lock()
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not await self._exists():
            await self.close(NO_ACCESS)
            return
        self.seen = _after(self.scope)
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


class RaceConsumer(AsyncJsonWebsocketConsumer):
    """Says that the race changed since version `?after=`, at most twice a second however many lanes end."""

    async def connect(self) -> None:
        self.race_id = int(self.scope["url_route"]["kwargs"]["race_id"])
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or await self._version() is None:
            await self.close(NO_ACCESS)
            return
        self.seen, self.news = _after(self.scope), asyncio.Event()
        await self.channel_layer.group_add(group_of_race(self.race_id), self.channel_name)
        self.follow = asyncio.create_task(self._follow())

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "follow"):
            self.follow.cancel()
            await self.channel_layer.group_discard(group_of_race(self.race_id), self.channel_name)

    async def race_changed(self, event: dict[str, Any]) -> None:
        """Look, now or when the last message is old enough."""
        self.news.set()

    async def _follow(self) -> None:
        while True:
            self.news.clear()
            version = await self._version()
            if version is not None and version > self.seen:
                self.seen = version
                await self.send_json({"seq": version})
                await asyncio.sleep(BETWEEN_NUDGES)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), LOOK_AGAIN_SECONDS)

    @database_sync_to_async
    def _version(self) -> int | None:
        return Race.objects.filter(pk=self.race_id).values_list("version", flat=True).first()


def _after(scope: dict[str, Any]) -> int:
    after = parse_qs(scope["query_string"].decode()).get("after", ["0"])[0]
    return int(after) if after.isdigit() else 0

"""The socket of a run: replay, follow, repair; strangers are turned away."""

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from searches.broadcast import group
from searches.consumers import NO_ACCESS, RunConsumer
from searches.models import Event, Run
from searches.record import record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


@sync_to_async
def say(run_id, kind):
    with transaction.atomic():
        record(run_id, kind, {})


def socket(run_id, user, after=0):
    talk = WebsocketCommunicator(RunConsumer.as_asgi(), f"/ws/searches/{run_id}/?after={after}")
    talk.scope["url_route"] = {"kwargs": {"run_id": run_id}}
    talk.scope["user"] = user
    return talk


async def test_it_replays_what_came_after_and_then_follows(make_run, alice):
    run = await sync_to_async(make_run)()
    for kind in ("one", "two", "three"):
        await say(run.pk, kind)
    talk = socket(run.pk, alice, after=1)
    assert (await talk.connect())[0]
    assert [(await talk.receive_json_from())["kind"] for _ in range(2)] == ["two", "three"]
    await say(run.pk, "four")
    message = await talk.receive_json_from(timeout=3)
    assert (message["kind"], message["seq"]) == ("four", 4)
    await talk.disconnect()


async def test_a_copy_that_was_lost_is_read_from_the_table(make_run, alice):
    run = await sync_to_async(make_run)()
    talk = socket(run.pk, alice)
    await talk.connect()
    await sync_to_async(Run.objects.filter(pk=run.pk).update)(last_seq=1)
    await sync_to_async(Event.objects.create)(run_id=run.pk, seq=1, kind="silent")
    await say(run.pk, "heard")
    assert [(await talk.receive_json_from(timeout=3))["kind"] for _ in range(2)] == ["silent", "heard"]
    await talk.disconnect()


async def test_a_copy_that_comes_twice_or_late_is_sent_once(make_run, alice):
    run = await sync_to_async(make_run)()
    await say(run.pk, "one")
    talk = socket(run.pk, alice)
    await talk.connect()
    assert (await talk.receive_json_from())["seq"] == 1
    again = {"type": "run.event", "message": {"seq": 1, "kind": "one", "at": "", "data": {}}}
    await get_channel_layer().group_send(group(run.pk), again)
    assert await talk.receive_nothing(timeout=0.2)
    await talk.disconnect()


async def test_strangers_and_unknown_runs_are_turned_away(make_run, alice):
    run = await sync_to_async(make_run)()
    for user, run_id in ((AnonymousUser(), run.pk), (alice, run.pk + 1)):
        talk = socket(run_id, user)
        await talk.connect()
        assert (await talk.receive_output())["code"] == NO_ACCESS

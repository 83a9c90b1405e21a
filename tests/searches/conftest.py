"""Rows of a small search, a broker in memory, and people."""

from dataclasses import replace

import pytest
from celery import current_app
from django.contrib.auth import get_user_model
from django.utils import timezone

from nas import codec
from nas.evaluation.protocol import Split
from nas.plan import Plan, default_limits
from nas.spaces.catalogue import SpaceSpec
from searches import leases
from searches.advance import advance
from searches.models import Evaluation, Event, Run, Worker

PLAN = Plan(
    Split("digits"),
    SpaceSpec("chain", {}),
    "genetic",
    {"population": 4, "elitism": 1},
    budget=8,
    epochs=2,
    final_epochs=3,
    final_seeds=2,
)


@pytest.fixture(autouse=True)
def _in_memory(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a second less per person
    before = current_app.conf.broker_url
    current_app.conf.broker_url = "memory://"
    yield
    current_app.conf.broker_url = before


@pytest.fixture
def alice(db):
    return get_user_model().objects.create_user("alice", password="a wonderland password")


@pytest.fixture
def make_run(db):
    """Return a maker of draft runs; keywords change the plan."""

    def make(**changes):
        plan = replace(PLAN, **changes)
        plan = plan if "limits" in changes else replace(plan, limits=default_limits(plan.task))
        return Run.objects.create(name="a search", plan_json=codec.dump(plan))

    return make


@pytest.fixture
def worker(db):
    """Return one living worker's row."""
    now = timezone.now()
    return Worker.objects.create(name="w@here", host="here", device="cpu", queue="default", pid=1, seen_at=now)


@pytest.fixture
def work():
    """Return a function that does what a worker would: claim what is queued and measure it by `judge`."""

    def do(run, judge=lambda candidate: {"accuracy": 50 + candidate.number, "parameters": candidate.parameters}):
        for evaluation in list(run.evaluations.filter(status=Evaluation.Status.QUEUED).order_by("pk")):
            mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
            if mine is None:
                continue
            leases.measure(mine, judge(mine.candidate), [])
            advance(run.pk)

    return do


@pytest.fixture
def kinds():
    """Return a function that lists the kinds of a run's events, checking that their numbers have no holes."""

    def of(run):
        events = list(Event.objects.filter(run=run).order_by("seq"))
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        return [event.kind for event in events]

    return of

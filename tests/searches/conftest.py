"""Rows of a small search, a broker in memory, and people."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from celery import current_app
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from nas import codec
from nas.datasets import storing
from nas.datasets.added import Added
from nas.datasets.report import Problem, Report
from nas.evaluation.protocol import Split
from nas.plan import Plan, default_limits
from nas.sentences import Sentence
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.graph import Task
from nas.tables import writing
from searches import leases, lifecycle
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
CELLS = SpaceSpec("nasbench201", {"cells": 1, "channels": 4})
VALID, TEST, LATENCY = "cifar10.valid_accuracy.12ep", "cifar10.test_accuracy.12ep", "latency.pixel3"
ROWS = [
    (a, b, c, 60 + 3 * a + 2 * b + c, 61 + 3 * a + 2 * b - c, 1 + a + b * c) for a, b, c in product(range(4), repeat=3)
]


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
def search(make_run, worker):
    """A search by gradient that has started, and the evaluation that a worker holds."""
    run = make_run(strategy="gdas", strategy_settings={}, space=CELLS, limits=(), budget=4)
    lifecycle.start(run)
    advance(run.pk)
    advance(run.pk)  # once is enough
    return run, leases.claim(run.evaluations.get().pk, 1, worker.name)


@pytest.fixture
def kinds():
    """Return a function that lists the kinds of a run's events, checking that their numbers have no holes."""

    def of(run):
        events = list(Event.objects.filter(run=run).order_by("seq"))
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        return [event.kind for event in events]

    return of


@pytest.fixture
def person(client, alice):
    """Return a browser in which alice, who may add tables, is signed in."""
    alice.is_staff = True
    alice.save()
    client.force_login(alice)
    return client


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table of 64 networks, the only one beside those that come with the product."""
    monkeypatch.setenv("NAS_TABLE_DIR", str(tmp_path / "tables"))
    monkeypatch.delenv("NAS_DATA_DIR", raising=False)
    file = tmp_path / "toy.csv"
    head = f"width,depth,kernel,{VALID}:max,{TEST}:max,{LATENCY}:min,cifar10.parameters:min\n"
    file.write_text(head + "".join(f"{','.join(map(str, row))},{100 * row[5]}\n" for row in ROWS))
    return writing.add(file, "toy", "Toy networks")


TASKS = {
    "images": Task((3, 8, 8), 2),
    "table": Task((4,), 1, goal="number"),
    "text": Task((6,), 2, vocabulary=5),
}


@pytest.fixture
def dataset_home(tmp_path, monkeypatch):
    """The folder of added datasets."""
    monkeypatch.setenv("NAS_DATASET_DIR", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


@pytest.fixture
def make_dataset(dataset_home):
    """Return a function that adds a dataset of ten rows to train and four to test."""

    def write(kind="images", name="pets", **words):
        task = TASKS[kind]
        dice = np.random.default_rng(1)
        kinds = {"images": np.uint8, "table": np.float32, "text": np.int32}
        arrays = {}
        for part, count in (("train", 10), ("test", 4)):
            arrays[f"{part}_inputs"] = dice.integers(0, 5, (count, *task.input_shape)).astype(kinds[kind])
            labels = np.arange(count) % 2
            arrays[f"{part}_labels"] = labels.astype(float) * 100 if task.goal == "number" else labels
        of_classes = task.goal == "classes"
        counts = {"cat": 5, "dog & wolf": 5} if of_classes else {"": 10}
        report = Report(
            {"train": counts, "test": {"cat": 2, "dog & wolf": 2} if of_classes else {"": 4}},
            ("cat", "dog & wolf") if of_classes else (),
            (Problem("cat/<b>9</b>.png", Sentence("{file} is empty.", {"file": "9.png"})),),
            **{"skipped": 3, "duplicates": 2, "size": 0, "fingerprint": "", **words},
        )
        about = Added(name, f"My {name}", kind, task, 10, 4, report, target="" if of_classes else "price")
        with storing.workplace(dataset_home) as place:
            return storing.finish(place, about, arrays, {"vocabulary.json": '["", "?", "a", "b", "c"]'})

    return write


def follow(person, run, step, **changes):
    """Send a step's form as the page shows it, with changes; return the next page."""
    page = person.get(reverse("wizard", args=[run.pk, step]))
    form = page.context["form"]
    sent = {name: form[name].value() for name in form.fields}
    kept = {name: value for name, value in sent.items() if value is not None and value is not False and value != []}
    return person.post(reverse("wizard", args=[run.pk, step]), {**kept, **changes, "go": "next"}, follow=True)

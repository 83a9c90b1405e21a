"""The search that one click starts: small enough for two cores and three minutes, and every part of it real."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from nas import codec
from nas.datasets import dataset
from nas.evaluation.protocol import Split
from nas.plan import Plan, default_limits, explicit
from nas.spaces.catalogue import SpaceSpec
from searches import lifecycle
from searches.models import Run

DEMO = Plan(
    split=Split("digits"),
    space=SpaceSpec("chain", {}),
    strategy="genetic",
    strategy_settings={"population": 8},
    limits=default_limits(dataset("digits").task),
    budget=32,
    epochs=20,
    final_epochs=30,
    final_seeds=3,
    candidate_seconds=300,
)


def start_demo(owner: User) -> Run:
    """Make and start a demo search; raises Refused where it cannot start."""
    with transaction.atomic():
        run = Run.objects.create(name=gettext("Demo search"), owner=owner, plan_json=codec.dump(explicit(DEMO)))
        lifecycle.start(run)
    return run

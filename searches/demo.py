"""The search that one click starts: small enough for two cores and three minutes, and every part of it real."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from nas import codec
from nas.datasets.catalogue import dataset
from nas.evaluation.protocol import Split
from nas.plan import Plan, default_limits, explicit
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.table import Tabulated
from nas.tables import places
from searches import lifecycle
from searches.drafts import first_plan, with_table
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


# The table of the field comes first; the one that comes with the product is on every machine.
TABLES = ("nasbench201", Tabulated.table)


def start_demo(owner: User) -> Run:
    """Make and start a demo search; raises Refused where it cannot start."""
    return _start(gettext("Demo search"), owner, explicit(DEMO))


def demo_table() -> str:
    """Return the title of the table that a rehearsal of one click runs on, "" where none is found."""
    for name in TABLES:
        try:
            return places.table(name).title
        except Refused:
            continue
    return ""


def start_rehearsal(owner: User) -> Run:
    """Make and start a rehearsal that ends in seconds; raises Refused where there is no table."""
    name = next((name for name in TABLES if name in places.files()), TABLES[-1])
    return _start(gettext("Rehearsal"), owner, with_table(first_plan(), name))


def _start(name: str, owner: User, plan: Plan) -> Run:
    with transaction.atomic():
        run = Run.objects.create(name=name, owner=owner, plan_json=codec.dump(plan))
        lifecycle.start(run)
    return run

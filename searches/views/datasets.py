"""The datasets that this installation knows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from nas.datasets.known import DATASETS
from searches.models import Run
from searches.views.choices import dataset_card

SHOWN = 30


@require_GET
def datasets(request: HttpRequest) -> HttpResponse:
    """Show every dataset: whether its files are there, and what is in it."""
    rows = []
    for known in DATASETS.values():
        trained = Run.objects.filter(plan_json__split__dataset=known.name).exclude(status=Run.Status.DRAFT)
        uses = sum(not run.plan.is_rehearsal for run in trained.only("plan_json"))
        rows.append((dataset_card(known, count=SHOWN), [gettext(name) for name in known.classes], uses))
    return render(request, "searches/datasets.html", {"rows": rows})

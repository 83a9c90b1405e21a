"""The first page: what runs now, what ran lately, or how to begin."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from nas.sentences import Refused
from searches.demo import demo_table, start_demo, start_rehearsal
from searches.estimate import alive_workers
from searches.models import Run
from searches.overview import lines, with_counts
from searches.queries import measurements, summary
from searches.say import say
from searches.views.access import person

RECENT = 8
CARDS = 12


@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the open searches as cards and the latest others as a table."""
    user = person(request)
    open_runs = with_counts(Run.objects.filter(status__in=Run.OPEN))
    over = with_counts(Run.objects.exclude(status__in=Run.OPEN)).exclude(status=Run.Status.DRAFT)
    drafts = Run.objects.filter(status=Run.Status.DRAFT, owner=user)
    cards = [(line, summary(line.run, measurements(line.run))) for line in lines(open_runs[:CARDS])]
    count = Run.objects.filter
    context = {
        "cards": cards,
        "recent": lines(over.order_by("-finished_at", "-pk")[:RECENT]),
        "drafts": drafts[:3],
        "running": count(status__in=(Run.Status.RUNNING, Run.Status.PAUSING, Run.Status.STOPPING)).count(),
        "waiting": count(status__in=(Run.Status.QUEUED, Run.Status.PAUSED)).count(),
        "finished": count(status=Run.Status.COMPLETED).count(),
        "workers": alive_workers(),
        "table": demo_table(),
    }
    return render(request, "searches/dashboard.html", context)


@require_POST
def demo(request: HttpRequest) -> HttpResponse:
    """Start the demo search, or with `on=table` a rehearsal, and show it."""
    start = start_rehearsal if request.POST.get("on") == "table" else start_demo
    try:
        run = start(person(request))
    except Refused as refused:
        messages.error(request, say(refused.sentence))
        return redirect("dashboard")
    return redirect(run)

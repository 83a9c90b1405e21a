"""All searches as a table, and what can be done with one from there."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, F, Q, QuerySet, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nas.datasets.known import DATASETS
from nas.tables import places
from searches import drafts
from searches.forms.data import TABLE
from searches.models import Run
from searches.overview import lines, with_counts
from searches.views.access import changeable_run, may_change, person

PER_PAGE = 25
COLUMNS = {
    "name": (gettext_lazy("Name"), "name"),
    "state": (gettext_lazy("State"), "status"),
    "dataset": (gettext_lazy("Dataset"), "data"),
    "strategy": (gettext_lazy("Strategy"), "plan_json__strategy"),
    "best": (gettext_lazy("Best value"), ""),
    "evaluated": (gettext_lazy("Evaluated"), "evaluated"),
    "owner": (gettext_lazy("Owner"), "owner__username"),
    "started": (gettext_lazy("Started"), "started_at"),
}


@dataclass(frozen=True)
class Header:
    """A column's title, the query that sorts by it, and how it is sorted now, as `aria-sort` says it."""

    title: str
    query: str
    sorted: str


@require_GET
def searches(request: HttpRequest) -> HttpResponse:
    """Show the searches that fit the query: `q`, `state`, `dataset`, `sort`, `page`."""
    query = request.GET
    runs = _filtered(request)
    sort = query.get("sort", "-started")
    page = Paginator(_sorted(runs, sort), PER_PAGE).get_page(query.get("page"))
    user = person(request)
    context = {
        "page": page,
        "lines": [(line, may_change(user, line.run)) for line in lines(page.object_list)],
        "headers": [_header(request, name, sort) for name in COLUMNS],
        "query": query,
        "states": Run.Status.choices,
        "datasets": [(name, _(known.title)) for name, known in DATASETS.items()],
        "tables": [(f"{TABLE}{known.name}", known.title) for known in places.tables()],
        "previous": _with(request, page=str(page.number - 1)),
        "next": _with(request, page=str(page.number + 1)),
        "open": any(run.is_open for run in page.object_list),
        "filtered": any(query.get(name) for name in ("q", "state", "dataset")),
    }
    return render(request, "searches/list.html", context)


@require_POST
def copy(request: HttpRequest, run_id: int) -> HttpResponse:
    """Begin a new draft with the plan of this search."""
    run = drafts.copy(get_object_or_404(Run, pk=run_id), person(request))
    return redirect("wizard", run.pk, "review")


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, run_id: int) -> HttpResponse:
    """Ask for the name of a search, a draft's excepted, then delete it for good."""
    run = changeable_run(request, run_id)
    problem = ""
    if request.method == "POST":
        name = run.name
        if not run.is_draft and request.POST.get("name", "").strip() != name.strip():
            problem = _("This is not the name of the search.")
        elif drafts.delete(run):
            messages.success(request, _("{name} was deleted.").format(name=name))
            return redirect("searches")
        else:
            problem = _("The search is still open. Stop it first.")
    context = {"run": run, "problem": problem, "typed": request.POST.get("name", "")}
    return render(request, "searches/list_delete.html", context)


def _filtered(request: HttpRequest) -> QuerySet[Run]:
    query, user = request.GET, person(request)
    runs = with_counts(Run.objects.all())
    if not user.is_staff:
        runs = runs.exclude(Q(status=Run.Status.DRAFT) & ~Q(owner=user))
    if query.get("q"):
        runs = runs.filter(Q(name__icontains=query["q"]) | Q(owner__username__icontains=query["q"]))
    if query.get("state") in Run.Status.values:
        runs = runs.filter(status=query["state"])
    on_table = Q(plan_json__evaluator="table")
    runs = runs.annotate(
        data=Case(
            When(
                on_table, then=KeyTextTransform("table", KeyTransform("settings", KeyTransform("space", "plan_json")))
            ),
            default=KeyTextTransform("dataset", KeyTransform("split", "plan_json")),
        )
    )
    wanted = query.get("dataset", "")
    if wanted.startswith(TABLE):
        return runs.filter(on_table, data=wanted.removeprefix(TABLE))
    return runs.exclude(pk__in=runs.filter(on_table)).filter(data=wanted) if wanted in DATASETS else runs


def _sorted(runs: QuerySet[Run], sort: str) -> QuerySet[Run]:
    _title, column = COLUMNS.get(sort.removeprefix("-"), ("", ""))
    column = column or "started_at"
    # A draft was not started: it is the newest thing there is, not the oldest.
    down = F(column).desc(nulls_first=True)
    return runs.order_by(down if sort.startswith("-") else F(column).asc(nulls_last=True), "-pk")


def _header(request: HttpRequest, name: str, sort: str) -> Header:
    title, column = COLUMNS[name]
    if not column:
        return Header(str(title), "", "")
    falling = sort == f"-{name}"
    now = "descending" if falling else "ascending" if sort == name else ""
    return Header(str(title), _with(request, sort=name if falling else f"-{name}", page=""), now)


def _with(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        if value:
            query[name] = value
        else:
            query.pop(name, None)
    return query.urlencode()

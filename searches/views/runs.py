"""The live page of a run, its fragments, what its buttons do, its files and its candidates."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from nas.plan import Plan
from nas.sentences import Refused
from searches import lifecycle
from searches.alpha import alarm_of, epoch_of, latest_epoch
from searches.candidates import STATES, CandidateTable, csv_lines
from searches.columns import figure_of
from searches.comparison import compare
from searches.drawing.svg import draw
from searches.evidence import evidence
from searches.files import CARDS, card_of, model_files, speeds_of
from searches.inherited import inherited
from searches.models import Candidate, Evaluation, Run
from searches.plane import plane
from searches.queries import best_candidate, decisions_of, graph_of, measurements, summary, text_of
from searches.say import say
from searches.snapshot import curve_of, snapshot_of
from searches.standing import standings
from searches.story import story
from searches.traces import trace_table
from searches.trust import rejected, trust
from searches.warming import savings
from searches.words import chart_words

TRAINED = ("accuracy", "training_seconds")
TOLD = ("rmse", "r2", "training_seconds")  # of networks that tell a number


@require_GET
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """The page, or for htmx only its parts that change."""
    found = _run(run_id)
    if found.is_draft:
        return redirect("wizard", found.pk, "review")
    context = _live(request, found)
    if request.headers.get("HX-Request"):
        return render(request, "searches/_run_live.html", context)
    context |= {
        "snapshot": snapshot_of(found, context["measured"]),
        "words": chart_words(found),
        "table": CandidateTable(found, request.GET),
        "states": STATES,
        "epoch": latest_epoch(found),
        "may_take": _may_take(request, found),
        **_diagram(found),
    }
    return render(request, "searches/run.html", context)


@require_GET
def snapshot(request: HttpRequest, run_id: int) -> HttpResponse:
    """What the charts start from."""
    return JsonResponse(snapshot_of(_run(run_id)))


@require_GET
def diagram(request: HttpRequest, run_id: int) -> HttpResponse:
    """The best architecture as a picture and a table."""
    return render(request, "searches/_run_diagram.html", _diagram(_run(run_id)))


@require_GET
def candidates(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """One page of the table, or with `?as=csv` all of it."""
    found = _run(run_id)
    if request.GET.get("as") == "csv":
        headers = {"Content-Disposition": f'attachment; filename="search-{found.pk}.csv"'}
        return StreamingHttpResponse(csv_lines(found), content_type="text/csv; charset=utf-8", headers=headers)
    table = CandidateTable(found, request.GET)
    context = {"run": found, "table": table, "states": STATES}
    if not request.headers.get("HX-Request"):
        return redirect(f"{found.get_absolute_url()}?{table.query()}#candidates")
    return render(request, "searches/_run_candidates.html", context)


@require_POST
def pause(request: HttpRequest, run_id: int) -> HttpResponse:
    """Take no new work."""
    return _change(request, run_id, lifecycle.pause)


@require_POST
def resume(request: HttpRequest, run_id: int) -> HttpResponse:
    """Go on."""
    return _change(request, run_id, lifecycle.resume)


@require_POST
def stop(request: HttpRequest, run_id: int) -> HttpResponse:
    """End now and keep what was measured."""
    return _change(request, run_id, lifecycle.stop)


@require_POST
def finish(request: HttpRequest, run_id: int) -> HttpResponse:
    """Stop searching and train the best so far."""
    return _change(request, run_id, lifecycle.finish)


@require_GET
def epoch(request: HttpRequest, run_id: int, number: int) -> HttpResponse:
    """Show what one epoch of a search by gradient weighed and derived."""
    found = _run(run_id)
    generation = get_object_or_404(found.generations, number=number)
    if not found.plan.is_gradient:
        raise Http404
    context = {"run": found, "epoch": epoch_of(found, generation), "may_take": _may_take(request, found)}
    return render(request, "searches/_run_epoch.html", context)


@require_POST
def take(request: HttpRequest, run_id: int, number: int) -> HttpResponse:
    """Stop a search by gradient and train the architecture of an epoch."""
    return _change(request, run_id, lambda found: lifecycle.take(found, number))


@require_GET
def file(request: HttpRequest, run_id: int, name: str) -> HttpResponseBase:
    """Download one of the winner's files."""
    run = _run(run_id)
    path = next((one.path for one in model_files(run) if one.name == name), "")
    if not path or not default_storage.exists(path):
        raise Http404
    if name in CARDS:
        kind = "text/html" if name.endswith(".html") else "text/markdown"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(card_of(run, path, name), content_type=f"{kind}; charset=utf-8", headers=headers)
    return FileResponse(default_storage.open(path), as_attachment=True, filename=name)


@require_GET
def candidate(request: HttpRequest, run_id: int, number: int) -> HttpResponse:
    """Everything about one candidate."""
    found = _run(run_id)
    one = get_object_or_404(found.candidates, number=number)
    evaluations = list(one.evaluations.order_by("-stage", "seed"))
    searched = next((each for each in evaluations if each.stage == Run.Stage.SEARCH), None)
    columns = [figure_of(found.plan, name) for name in _columns(found.plan)]
    near = found.candidates.filter(number__in=(number - 1, number + 1), number__gt=0)
    context = {
        "run": found,
        "candidate": one,
        **_drawn(found, one, "candidate"),
        "columns": columns,
        "evaluations": [
            (each, [(figure, each.metrics.get(figure.name)) for figure in columns]) for each in evaluations
        ],
        "searched": searched,
        "measured": [(figure_of(found.plan, name), value) for name, value in searched.metrics.items()]
        if searched
        else [],
        "failures": [(each, _reason(each)) for each in evaluations if each.status == Evaluation.Status.FAILED],
        "children": [child for child in found.candidates.all() if number in child.parents],
        "near": {"before": near.filter(number__lt=number).first(), "after": near.filter(number__gt=number).first()},
        "curves": [curve_of(each, each.curve) for each in evaluations if each.curve],
        "words": chart_words(found),
    }
    return render(request, "searches/candidate.html", context)


def _columns(plan: Plan) -> list[str]:
    """What the evaluations of a candidate are compared by: what the search measures, and what the final stage does."""
    aims = [] if plan.measures_accuracy else [objective.metric for objective in plan.objectives]
    rungs = () if plan.fidelity.rungs == "epochs" else (plan.fidelity.rungs,)
    return list(dict.fromkeys((*rungs, *aims, *(() if plan.is_rehearsal else TOLD if plan.tells_number else TRAINED))))


def _run(run_id: int) -> Run:
    return get_object_or_404(Run.objects.select_related("owner", "winner"), pk=run_id)


def _live(request: HttpRequest, found: Run) -> dict[str, Any]:
    measured, files = measurements(found), model_files(found)
    return {
        "run": found,
        "measured": measured,
        "summary": summary(found, measured),
        "reason": say(found.sentence) if found.sentence else "",
        "comparison": compare(found),
        "evidence": evidence(found),
        "inherited": inherited(found, measured),
        "standings": standings(found),
        "savings": savings(found, measured),
        "plane": plane(found),
        "trust": trust(found, measured),
        "rejected": rejected(found),
        "trace": trace_table(found),
        "files": files,
        "speeds": speeds_of(files),
        "story": story(found),
        "may_change": _may_change(request.user, found),
        "may_finish": found.stage == Run.Stage.SEARCH and not found.closing and any(not one.failed for one in measured),
        "alarm": alarm_of(found),
        "partial": bool(request.headers.get("HX-Request")),
    }


def _diagram(found: Run) -> dict[str, Any]:
    best = best_candidate(found)
    if best is None:
        return {"run": found, "best": None}
    return {"run": found, "best": best, **_drawn(found, best, "best")}


def _drawn(found: Run, one: Candidate, name: str) -> dict[str, Any]:
    """The network as picture, table and choices, or why there is none: the table of a rehearsal may be gone."""
    try:
        graph = graph_of(found, one)
        svg = draw(graph, name=name, title=_candidate_title(one))
        return {"graph": graph, "svg": svg, "decisions": decisions_of(found, one), "text": text_of(found, one)}
    except Refused as refused:
        return {"problem": say(refused.sentence)}


def _candidate_title(one: Candidate) -> str:
    return _("Baseline") if one.is_baseline else _("Candidate %(number)d") % {"number": one.number}


def _reason(evaluation: Evaluation) -> str:
    return say(evaluation.sentence) if evaluation.sentence else ""


def _change(request: HttpRequest, run_id: int, act: Callable[[Run], bool]) -> HttpResponse:
    found = _run(run_id)
    if not _may_change(request.user, found):
        raise PermissionDenied
    if not act(found):
        # Somebody else was first, or the run ended in between: say where it stands instead of nothing.
        text = _("The search is %(state)s now, so this was not done.")
        messages.warning(request, text % {"state": _run(run_id).get_status_display().lower()})
    if not request.headers.get("HX-Request"):
        return redirect(found)
    return render(request, "searches/_run_live.html", _live(request, _run(run_id)))


def _may_take(request: HttpRequest, found: Run) -> bool:
    searching = found.is_open and found.stage == Run.Stage.SEARCH and not found.closing
    return searching and found.status != Run.Status.STOPPING and _may_change(request.user, found)


def _may_change(user: AbstractBaseUser | AnonymousUser, found: Run) -> bool:
    """A run belongs to its owner; staff may step in."""
    return found.owner_id is None or user.pk == found.owner_id or bool(getattr(user, "is_staff", False))

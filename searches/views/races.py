"""Races of strategies: all of them, a new one, one as it runs, and what can be taken home."""

from typing import Any

from django.contrib import messages
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nas.race.contest import BASELINE
from nas.sentences import Refused
from nas.strategies.catalogue import ABOUT, STRATEGIES
from searches import racing
from searches.forms.race import RaceForm, obstacle
from searches.models import Race
from searches.races import chart_data, csv_lines, lines, race_page, with_counts
from searches.say import label, say
from searches.views.access import changeable_race, may_change, person
from searches.views.choices import GROUPS, Card
from searches.words import race_words

PER_PAGE = 25


@require_GET
def races(request: HttpRequest) -> HttpResponse:
    """Show every race, the latest first."""
    page = Paginator(with_counts(Race.objects.all()), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": lines(page.object_list),
        "open": any(not race.closed for race in page.object_list),
    }
    return render(request, "searches/races.html", context)


@require_http_methods(["GET", "POST"])
def new_race(request: HttpRequest) -> HttpResponse:
    """Ask what shall race, and start it."""
    form = RaceForm(request.POST) if request.method == "POST" else RaceForm(answers=_answers(request))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            race = racing.start(
                said["name"], person(request), form.plan, tuple(said["strategies"]), said["seeds"], said["queue"]
            )
        except Refused as refused:
            form.add_error(None, say(refused.sentence))
        else:
            return redirect(race)
    cards = _cards(form)
    problems = ",".join(f"#problem-{card.value}" for card in cards)
    return render(request, "searches/race_new.html", {"form": form, "cards": cards, "problems": problems})


@require_GET
def race(request: HttpRequest, race_id: int) -> HttpResponse:
    """The page, or for htmx only its parts that change."""
    found = _race(race_id)
    context = _live(request, found)
    if request.headers.get("HX-Request"):
        return render(request, "searches/_race_live.html", {**context, "partial": True})
    context |= {"curves": chart_data(found), "words": race_words(), "seq": found.version}
    return render(request, "searches/race.html", context)


@require_GET
def curves(request: HttpRequest, race_id: int) -> HttpResponse:
    """What the charts draw."""
    return JsonResponse(chart_data(_race(race_id)))


@require_POST
def stop(request: HttpRequest, race_id: int) -> HttpResponse:
    """End now and keep the lanes that are done."""
    found = changeable_race(request, race_id)
    if not racing.stop(found):
        messages.warning(request, _("The race was over already."))
    return redirect(found)


@require_POST
def delete(request: HttpRequest, race_id: int) -> HttpResponse:
    """Delete a race that is over."""
    found = changeable_race(request, race_id)
    if not racing.delete(found):
        messages.warning(request, _("The race is still open. Stop it first."))
        return redirect(found)
    messages.success(request, _("{name} was deleted.").format(name=found.name))
    return redirect("races")


@require_GET
def report(request: HttpRequest, race_id: int) -> FileResponse:
    """Download the report, one HTML file that needs no network."""
    path = _race(race_id).report
    if not path or not default_storage.exists(path):
        raise Http404
    return FileResponse(default_storage.open(path), as_attachment=True, filename=f"race-{race_id}.html")


@require_GET
def lanes(request: HttpRequest, race_id: int) -> StreamingHttpResponse:
    """Download every lane that is done as CSV."""
    found = _race(race_id)
    headers = {"Content-Disposition": f'attachment; filename="race-{race_id}.csv"'}
    return StreamingHttpResponse(csv_lines(found), content_type="text/csv; charset=utf-8", headers=headers)


def _race(race_id: int) -> Race:
    return get_object_or_404(Race.objects.select_related("owner"), pk=race_id)


def _live(request: HttpRequest, found: Race) -> dict[str, Any]:
    return {"race": found, "page": race_page(found), "may_change": may_change(person(request), found)}


def _answers(request: HttpRequest) -> dict[str, Any]:
    """Return what the form was filled in with so far, as it is asked again when the table changes."""
    answers: dict[str, Any] = request.GET.dict()
    if "seeds" in answers:
        answers["strategies"] = request.GET.getlist("strategies")
    return answers


def _cards(form: RaceForm) -> list[Card]:
    """Return the strategies, kin beside kin; each says why it could not race."""
    placed = [name for _title, names in GROUPS for name in names]
    others = [name for name in STRATEGIES if name not in placed]
    return [
        Card(name, label(name), _(ABOUT[name]), name in form.chosen, problem=obstacle(form.plan, name))
        for name in (*placed, *others)
        if name in STRATEGIES and name != BASELINE
    ]

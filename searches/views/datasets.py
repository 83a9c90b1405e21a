"""The datasets that this installation knows, those that people added, and what is in one of them."""

from dataclasses import dataclass
from typing import Any, get_args

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from nas.datasets import added, adding
from nas.datasets.added import Added, Part, described
from nas.datasets.known import DATASETS
from nas.sentences import Refused
from searches import checking, drafts, glimpses
from searches.content import content
from searches.models import Upload
from searches.say import say
from searches.stores import uses_of
from searches.views.access import may_change, person
from searches.views.choices import dataset_card

SHOWN = 30
PICTURES, LINES = 48, 12
SPLITS = {"train": gettext_lazy("Train"), "test": gettext_lazy("Test")}
A_YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Entry:
    """A dataset that was added here, as the list shows it."""

    one: Added
    seen: glimpses.Glimpse
    uses: int

    @property
    def counts(self) -> str:
        """How many rows of which form."""
        return content(described(self.one))


@require_GET
def datasets(request: HttpRequest) -> HttpResponse:
    """Show every dataset: what is on its way, what was added, and whether the files of the known ones are there."""
    cards = [dataset_card(one, count=SHOWN) for one in DATASETS.values()]
    context = {
        "rows": [
            (card, [_(name) for name in card.known.classes], len(uses_of(card.known.name)))
            for card in cards
            if not card.problem
        ],
        "missing": [card for card in cards if card.problem],
        "entries": [
            Entry(one, glimpses.glimpse(described(one), SHOWN), len(uses_of(one.name))) for one in added.added()
        ],
        "broken": [say(refused.sentence) for refused in added.broken()],
        "uploads": Upload.objects.exclude(status=Upload.Status.READY).select_related("owner"),
    }
    return render(request, "searches/datasets.html", context)


@require_GET
def dataset(request: HttpRequest, name: str) -> HttpResponse:
    """Show what was found in a dataset that was added here, and some of it."""
    one = _find(name)
    row = _row(name)
    context: dict[str, Any] = {
        "one": one,
        "row": row,
        "counts": content(described(one)),
        "seen": glimpses.glimpse(described(one), PICTURES, LINES),
        "splits": [(SPLITS[split], sum(found.values())) for split, found in one.report.counts.items()],
        "lines": [
            (label, [found.get(label, 0) for found in one.report.counts.values()]) for label in one.report.classes
        ],
        "uses": uses_of(name),
        "may_delete": _may_delete(person(request), row),
    }
    try:
        context |= {"histogram": glimpses.histogram(one)}
    except Refused as refused:
        context |= {"problem": say(refused.sentence)}
    return render(request, "searches/dataset.html", context)


@require_GET
def image(request: HttpRequest, name: str, part: str, index: int) -> HttpResponse:
    """Return one image as a PNG, to be kept by the browser: its address names the content."""
    one = _find(name)
    if part not in get_args(Part) or one.kind != "images":
        raise Http404
    try:
        body = glimpses.png(one, part, index)  # type: ignore[arg-type]
    except (Refused, IndexError):
        raise Http404 from None
    return HttpResponse(
        body, content_type="image/png", headers={"Cache-Control": f"private, max-age={A_YEAR}, immutable"}
    )


@require_POST
def search_on(request: HttpRequest, name: str) -> HttpResponse:
    """Begin a draft on a dataset."""
    try:
        draft = drafts.new_on(person(request), name)
    except Refused as refused:
        messages.error(request, say(refused.sentence))
        return redirect("datasets")
    return redirect("wizard", draft.pk, "dataset")


@require_POST
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Delete a dataset that was added here and that no search uses."""
    one, row = _find(name), _row(name)
    if not _may_delete(person(request), row):
        raise PermissionDenied
    users = uses_of(name)
    if users:
        text = _("{name} is used by “{user}”, {count} in all, so it stays.")
        messages.error(request, text.format(name=one.title, user=users[0].name, count=len(users)))
        return redirect("dataset", name)
    if row is not None:
        checking.remove(row)
    else:
        adding.remove(name)
    messages.success(request, _("{name} was deleted.").format(name=one.title))
    return redirect("datasets")


def _find(name: str) -> Added:
    try:
        found = added.find(name)
    except Refused:
        found = None
    if found is None:
        raise Http404
    return found


def _row(name: str) -> Upload | None:
    """Return the upload that a dataset came from; none of one that the command line added."""
    return Upload.objects.filter(name=name, status=Upload.Status.READY).select_related("owner").first()


def _may_delete(user: User, row: Upload | None) -> bool:
    return user.is_staff or (row is not None and may_change(user, row))

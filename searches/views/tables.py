"""The tables to rehearse on: what they hold, and how another one is added or deleted."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from nas.sentences import Refused
from nas.tables import places, writing
from nas.tables.table import Table
from searches.columns import figure
from searches.drafts import uses_of
from searches.figures import Figure
from searches.forms.columns import grouped
from searches.forms.named import Named
from searches.say import say
from searches.views.access import person


@dataclass(frozen=True)
class Entry:
    """A table as the page shows it, or why a file cannot be read; `added` ones can be deleted while unused."""

    name: str
    path: str
    added: bool
    uses: int
    table: Table | None = None
    problem: str = ""
    columns: tuple[tuple[str, tuple[Figure, ...]], ...] = ()


class UploadForm(Named):
    """A file, and what the table is to be called."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("A .npz in the format of tables, or a .csv of choices and metrics; 64 MB at most."),
        widget=forms.FileInput(attrs={"accept": ".npz,.csv,.tsv"}),
    )
    field_order = ("file", "name", "title")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["title"].help_text = _("What people call it; only of a .csv, as a .npz has its own.")


@require_http_methods(["GET", "POST"])
def tables(request: HttpRequest) -> HttpResponse:
    """Show every table, and take in another one."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            found = _add(form)
        except Refused as refused:
            form.add_error("file", say(refused.sentence))
        else:
            text = _("{title} was added: {networks} networks.").format(title=found.title, networks=len(found))
            messages.success(request, text)
            return redirect("tables")
    kept = places.added()
    entries = [_entry(path, found, kept) for path, found in places.survey()]
    context = {"entries": entries, "form": form, "may_delete": person(request).is_staff}
    return render(request, "searches/tables.html", context)


@require_POST
def delete_table(request: HttpRequest, name: str) -> HttpResponse:
    """Delete an added table that no search uses."""
    if not person(request).is_staff:
        raise PermissionDenied
    users = uses_of(name)
    if users:
        text = _("{name} is used by “{user}”, {count} in all, so it stays.")
        messages.error(request, text.format(name=name, user=users[0].name, count=len(users)))
    elif not writing.remove(name):
        raise Http404
    else:
        messages.success(request, _("{name} was deleted.").format(name=name))
    return redirect("tables")


def _add(form: UploadForm) -> Table:
    sent = cast("UploadedFile[Any]", form.cleaned_data["file"])
    file_name = Path(sent.name or "").name
    name = form.cleaned_data["name"] or writing.name_of(file_name)
    if (sent.size or 0) > writing.MOST_FILE_BYTES:
        raise Refused(
            "{file} has {size} bytes; a table may have {most}.",
            file=file_name,
            size=sent.size or 0,
            most=writing.MOST_FILE_BYTES,
        )
    with tempfile.TemporaryDirectory() as place:
        # No path is made of words that were sent: only letters and digits of the file's name, and one of two endings.
        ending = ".npz" if file_name.lower().endswith(".npz") else ".csv"
        path = Path(place) / f"{writing.name_of(file_name) or 'table'}{ending}"
        with path.open("wb") as stream:
            for chunk in sent.chunks():
                stream.write(chunk)
        return writing.add(path, name, form.cleaned_data["title"])


def _entry(path: Path, found: Table | Refused, kept: Path) -> Entry:
    added, uses = path.parent == kept, len(uses_of(path.stem))
    if isinstance(found, Refused):
        return Entry(path.stem, str(path), added, uses, problem=say(found.sentence))
    columns = tuple(
        (title, tuple(figure(name, found.columns[name]) for name in names)) for title, names in grouped(found).items()
    )
    return Entry(path.stem, str(path), added, uses, found, columns=columns)

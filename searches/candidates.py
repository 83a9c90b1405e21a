"""The table of candidates: filter, order and pages, all from the address."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext_lazy as _

from searches.columns import figure_of
from searches.figures import Words
from searches.models import Evaluation, Run

PAGE = 12
STATES: dict[str, Words] = {
    "": _("All states"),
    "measured": _("Measured"),
    "failed": _("Failed"),
    "running": _("Running"),
    "queued": _("Queued"),
    "cancelled": _("Cancelled"),
}
COLUMNS = {
    "number": "candidate__number",
    "parameters": "candidate__parameters",
    "multiply_adds": "candidate__multiply_adds",
    "generation": "candidate__generation",
    "origin": "candidate__origin",
}
ORIGINS: dict[str, Words] = {
    "sampled": _("sampled"),
    "mutated": _("mutated from"),
    "crossed": _("crossed from"),
    "kept": _("kept from"),
    "promoted": _("promoted from"),
    "expanded": _("expanded from"),
    "predicted": _("picked by the model"),
    "derived": _("derived"),
    "warm start": _("warm start"),
    "baseline": _("made by hand"),
}
CSV_METRICS = ("accuracy", "loss", "latency_ms", "training_seconds")  # of a training; a table has columns of its own


class CandidateTable:
    """One page of a run's candidates as the query asks for it; unknown values fall back to the defaults."""

    def __init__(self, run: Run, query: Mapping[str, str]) -> None:
        self.run = run
        self.metric = run.plan.objectives[0].metric
        self.figure = figure_of(run.plan, self.metric)
        best_first = "-" if run.plan.objectives[0].goal == "max" else ""
        self.state = query.get("state", "") if query.get("state", "") in STATES else ""
        self.words = query.get("q", "").strip()
        self.sort = query.get("sort", "") or f"{best_first}{self.metric}"
        if self.sort.lstrip("-") not in (*COLUMNS, self.metric):
            self.sort = f"{best_first}{self.metric}"
        self.page_number = query.get("page", "1")

    @property
    def rows(self) -> QuerySet[Evaluation]:
        """Every evaluation of the search stage that passes the filter, in order."""
        found = self.run.evaluations.filter(stage=Run.Stage.SEARCH).select_related("candidate")
        if self.state:
            found = found.filter(status=self.state)
        if self.words.isdigit():
            found = found.filter(candidate__number=int(self.words))
        elif self.words:
            shown = [name for name, words in ORIGINS.items() if self.words.lower() in str(words).lower()]
            found = found.filter(Q(candidate__origin__icontains=self.words) | Q(candidate__origin__in=shown))
        column = self.sort.lstrip("-")
        field = F(COLUMNS[column]) if column in COLUMNS else F("value")
        ordered = field.desc(nulls_last=True) if self.sort.startswith("-") else field.asc(nulls_last=True)
        # The JSON value itself, not its text: 9 comes before 10.
        return found.annotate(value=KeyTransform(self.metric, "metrics")).order_by(ordered, "candidate__number")

    @property
    def page(self) -> Page[Evaluation]:
        """The page asked for, or the nearest one there is."""
        return Paginator(self.rows, PAGE).get_page(self.page_number)

    @property
    def headings(self) -> list[dict[str, Any]]:
        """The columns that can be sorted: title, how they are sorted now, and the address that sorts them anew."""
        titles: list[tuple[str, Words, bool]] = [
            ("number", "#", False),
            (self.metric, self.figure.brief or self.figure.title, True),
            ("parameters", _("Parameters"), True),
            ("multiply_adds", _("Multiply-adds"), True),
            ("generation", _("Generation"), True),
            ("origin", _("Made by"), False),
        ]
        # An objective may be one of the sizes that have a column anyway; the first title of a name stays.
        once = {name: (name, words, number) for name, words, number in reversed(titles)}
        return [self._heading(*once[name]) for name in dict.fromkeys(name for name, _, _ in titles)]

    def _heading(self, name: str, words: Words, number: bool) -> dict[str, Any]:
        now = {name: "ascending", f"-{name}": "descending"}.get(self.sort, "")
        turned = f"-{name}" if self.sort != f"-{name}" and (number or now) else name
        return {"title": words, "now": now, "number": number, "query": self.query(sort=turned)}

    def query(self, **changed: str) -> str:
        """Return the query string of this table with some values changed; a change goes back to page 1."""
        values = {"q": self.words, "state": self.state, "sort": self.sort, **changed}
        return urlencode({name: value for name, value in values.items() if value})


def csv_lines(run: Run) -> Iterator[str]:
    """Yield every evaluation of the search stage as comma-separated values."""
    names = ("candidate", "generation", "origin", "parents", "parameters", "multiply_adds", "epochs", "state", "cause")
    metrics = _csv_metrics(run)
    yield _csv([*names, *metrics])
    rows = run.evaluations.filter(stage=Run.Stage.SEARCH).select_related("candidate").order_by("candidate__number")
    for one in rows.iterator(chunk_size=500):
        candidate = one.of
        parents = " ".join(map(str, candidate.parents))
        facts = (candidate.number, candidate.generation, candidate.origin, parents, candidate.parameters)
        epochs = one.epochs if one.stopped_after is None else one.stopped_after
        rest = (candidate.multiply_adds, epochs, one.status, one.cause)
        yield _csv([*facts, *rest, *(one.metrics.get(name, "") for name in metrics)])


def _csv_metrics(run: Run) -> tuple[str, ...]:
    plan = run.plan
    aims = (*(one.metric for one in plan.objectives), *(one.metric for one in plan.limits))
    found = (*CSV_METRICS, *plan.policy.watch) if plan.measures_accuracy else aims
    rungs = () if plan.fidelity.rungs == "epochs" else (plan.fidelity.rungs,)
    proxy = (plan.policy.proxy,) if plan.rejects_built else ()
    return tuple(dict.fromkeys((*found, *rungs, *proxy)))


def _csv(values: Iterable[object]) -> str:
    line = StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()

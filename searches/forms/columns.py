"""Objectives, limits and report of a rehearsal: the columns of its table take the place of metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nas import plan as plans
from nas.objectives import METRICS, Limit, Metric, objective
from nas.plan import Plan
from nas.rehearsal import among_epochs
from nas.sentences import Refused
from nas.tables.table import Column, Table
from searches.columns import figure_of

Choices = list[tuple[Any, Any]]
LIMITS = 3
REPORTS = 2


def directions(plan: Plan, *, optional: bool) -> Choices:
    """Return every column with its usual goal, grouped by what it is about; validation comes first."""
    chosen = {f"{one.goal}:{one.metric}" for one in plan.objectives}
    usual = {f"{about.goal}:{name}" for name, about in plans.table(plan).columns.items()}
    turned = [(value, _direction(plan, *value.split(":", 1))) for value in sorted(chosen - usual)]
    grouped = _grouped(plan, lambda name, about: (f"{about.goal}:{name}", _direction(plan, about.goal, name)))
    return [*_nothing(optional), *grouped, *turned]


def fields(plan: Plan) -> dict[str, forms.Field]:
    """Return the fields of the report and of a few limits."""
    named = _grouped(plan, lambda name, _about: (name, figure_of(plan, name).title))
    others = [(one.metric, figure_of(plan, one.metric).title) for one in plan.limits if one.metric in METRICS]
    found: dict[str, forms.Field] = {}
    for at in range(1, max(REPORTS, len(plan.report)) + 1):
        found[f"report_{at}"] = forms.ChoiceField(
            label=format_lazy(gettext_lazy("Read of the winner, {number}"), number=at),
            required=False,
            choices=[*_nothing(True), *named],
        )
    for at in range(1, max(LIMITS, len(plan.limits)) + 1):
        limited = [*_nothing(True), *named, *others]
        found[f"limit_{at}"] = forms.ChoiceField(
            label=format_lazy(gettext_lazy("Limit {number} on"), number=at), required=False, choices=limited
        )
        bound = forms.NumberInput(attrs={"step": "any"})
        found[f"limit_{at}_bound"] = forms.FloatField(
            label=format_lazy(gettext_lazy("Limit {number}: not worse than"), number=at), required=False, widget=bound
        )
    return found


def initial(plan: Plan) -> dict[str, Any]:
    """Return report and limits as they are."""
    found: dict[str, Any] = {f"report_{at}": column for at, column in enumerate(plan.report, start=1)}
    for at, limit in enumerate(plan.limits, start=1):
        found |= {f"limit_{at}": limit.metric, f"limit_{at}_bound": limit.bound}
    return found


def apply(plan: Plan, texts: Sequence[str], data: Mapping[str, Any]) -> Plan:
    """Return the plan with these objectives, report and limits, and the epochs that those columns stand for."""
    table, among = plans.table(plan), plans.metrics(plan)
    report = tuple(dict.fromkeys(value for name, value in data.items() if name.startswith("report_") and value))
    aims = tuple(objective(text, among) for text in texts)
    chosen = [name for name in data if name.startswith("limit_") and not name.endswith("_bound") and data[name]]
    limits = [_limit(data[name], data[f"{name}_bound"], among) for name in chosen]
    epochs = among_epochs(table, aims[0].metric)
    return replace(
        plan,
        objectives=aims,
        report=report,
        limits=tuple(limits),
        epochs=epochs,
        final_epochs=max((among_epochs(table, column) for column in report), default=epochs),
    )


def _limit(metric: str, bound: float | None, among: Mapping[str, Metric]) -> Limit:
    if bound is None:
        raise Refused("The limit on {metric} needs a number.", metric=metric)
    return Limit(metric, bound, "" if metric in METRICS else among[metric].goal)


def _grouped(plan: Plan, entry: Any) -> Choices:
    table = plans.table(plan)
    return [(title, [entry(name, table.columns[name]) for name in names]) for title, names in grouped(table).items()]


def grouped(table: Table) -> dict[str, list[str]]:
    """Return the names of the columns by the title of their group, validation first."""
    groups: dict[str, list[str]] = {str(title): [] for title in _GROUPS}
    for name, about in table.columns.items():
        groups[str(_group(about))].append(name)
    return {title: names for title, names in groups.items() if names}


VALID = gettext_lazy("Accuracy on validation images")
TEST = gettext_lazy("Accuracy on test images")
COSTS = gettext_lazy("Size and operations")
DEVICES = gettext_lazy("Measured on a device")
PROXIES = gettext_lazy("Scores without training")
OTHERS = gettext_lazy("Others")
_GROUPS = (VALID, TEST, COSTS, DEVICES, PROXIES, OTHERS)


def _group(about: Column) -> Any:
    if about.kind == "proxy":
        return PROXIES
    if about.device:
        return DEVICES
    if about.split in ("valid", "test"):
        return VALID if about.split == "valid" else TEST
    return COSTS if about.goal == "min" and about.unit in ("count", "MFLOP", "FLOP", "GFLOP", "MB", "byte") else OTHERS


def _direction(plan: Plan, goal: str, name: str) -> str:
    template = _("{metric}, as high as possible") if goal == "max" else _("{metric}, as low as possible")
    return template.format(metric=figure_of(plan, name).title)


def _nothing(optional: bool) -> Choices:
    return [("", gettext_lazy("none"))] if optional else []

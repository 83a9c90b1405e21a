"""The step that says what is better: objectives, each a metric with a direction, and limits on metrics."""

from dataclasses import replace
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from nas.gradient import LEARNED
from nas.objectives import METRICS, Limit, Metric, objective
from nas.plan import metrics
from searches.drafts import Draft
from searches.forms import columns
from searches.forms.wizard import Data
from searches.models import Worker

TITLES = (_("Main objective"), _("Second objective"), _("Third objective"))
OBJECTIVES = len(TITLES)
USUAL_LIMITS = ("parameters", "multiply_adds", "depth", "latency_ms", "training_seconds")
GRADIENT_AIMS = tuple(f"{METRICS[name].goal}:{name}" for name in LEARNED)


def objectives_fields(draft: Draft) -> dict[str, forms.Field]:
    """Return the choice of the main objective and of optional further ones, as "max:accuracy", and a bound per metric.

    For a table the columns take the place of the metrics.
    """
    of_table = draft.plan.is_rehearsal
    if draft.plan.is_gradient:
        learned = [(value, words) for value, words in _directions(draft, optional=False) if value in GRADIENT_AIMS]
        return {"objective_1": forms.ChoiceField(label=TITLES[0], choices=learned)}
    wanted: dict[str, forms.Field] = {
        f"objective_{at}": forms.ChoiceField(
            label=title,
            required=at == 1,
            choices=columns.directions(draft.plan, optional=at > 1)
            if of_table
            else _directions(draft, optional=at > 1),
        )
        for at, title in enumerate(TITLES, start=1)
    }
    return wanted | (columns.fields(draft.plan) if of_table else _limit_fields(draft))


def objectives_initial(draft: Draft) -> dict[str, Any]:
    """Return what is wanted now."""
    plan = draft.plan
    wanted = {f"objective_{at}": f"{item.goal}:{item.metric}" for at, item in enumerate(plan.objectives, start=1)}
    if plan.is_rehearsal:
        return wanted | columns.initial(plan)
    return wanted | {f"limit_{limit.metric}": plain(limit.bound) for limit in plan.limits}


def apply_objectives(draft: Draft, data: Data) -> Draft:
    """Return the draft with these objectives and limits."""
    plan = draft.plan
    texts = [data[name] for at in range(1, OBJECTIVES + 1) if data.get(name := f"objective_{at}")]
    if plan.is_gradient:
        return replace(draft, plan=replace(plan, objectives=tuple(map(objective, texts))))
    if plan.is_rehearsal:
        return replace(draft, plan=columns.apply(plan, texts, data))
    among = offered(draft)
    bounds = {metric: data[f"limit_{metric}"] for metric in among}
    limits = tuple(
        Limit(metric, bound, "" if metric in METRICS else among[metric].goal)
        for metric, bound in bounds.items()
        if bound is not None
    )
    return replace(draft, plan=replace(plan, objectives=tuple(objective(text, among) for text in texts), limits=limits))


def split_limits(fields: list[forms.BoundField]) -> tuple[list[forms.BoundField], list[forms.BoundField]]:
    """Return the fields of limits that people often set, or of a table all of them, and the others."""
    names = {f"limit_{name}" for name in USUAL_LIMITS}
    further = [field for field in fields if names.isdisjoint({field.name})] if names & {f.name for f in fields} else []
    return [field for field in fields if field not in further], further


def offered(draft: Draft) -> dict[str, Metric]:
    """Return the metrics of the draft's task; energy only where the workers of its queue can tell it."""
    known = dict(metrics(draft.plan))
    if not Worker.tell_energy(draft.queue):
        known.pop("energy_joules", None)
    return known


def plain(bound: float) -> float:
    """Return a whole number without its decimal point."""
    return int(bound) if bound == int(bound) else bound


def _limit_fields(draft: Draft) -> dict[str, forms.Field]:
    among = sorted(offered(draft).items(), key=lambda one: one[0] not in METRICS)  # sizes before proxies
    return {
        f"limit_{name}": forms.FloatField(
            label=_limit_label(metric), required=False, widget=forms.NumberInput(attrs={"step": "any"})
        )
        for name, metric in among
    }


def _limit_label(metric: Metric) -> Any:
    template = _("{metric} at least") if metric.goal == "max" else _("{metric} at most")
    return format_lazy(template, metric=_with_unit(metric))


def _with_unit(metric: Metric) -> Any:
    title = gettext_lazy(metric.title)
    return format_lazy("{} ({})", title, metric.unit) if metric.unit else title


def _directions(draft: Draft, *, optional: bool) -> list[tuple[Any, Any]]:
    reverse = {"min": "max", "max": "min"}
    first: list[tuple[str, Any]] = []
    costs: list[tuple[str, Any]] = []
    unusual: list[tuple[str, Any]] = []
    for name, metric in offered(draft).items():
        usual = (f"{metric.goal}:{name}", _direction(metric, metric.goal))
        (costs if name in METRICS and not metric.is_quality else first).append(usual)
        unusual.append((f"{reverse[metric.goal]}:{name}", _direction(metric, reverse[metric.goal])))
    nothing = [("", _("none"))] if optional else []
    return [*nothing, *first, (_("Costs"), costs), (_("The other way round"), unusual)]


def _direction(metric: Metric, goal: str) -> Any:
    template = _("{metric}, as high as possible") if goal == "max" else _("{metric}, as low as possible")
    return format_lazy(template, metric=gettext_lazy(metric.title))

"""Fields for objectives, each a metric with a direction, and for limits on metrics."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from nas.objectives import METRICS, Metric

TITLES = (_("Main objective"), _("Second objective"), _("Third objective"))


def objective_fields(count: int) -> dict[str, forms.Field]:
    """Return the choice of the main objective and of optional further ones, with values as "max:accuracy"."""
    return {
        f"objective_{at}": forms.ChoiceField(
            label=TITLES[at - 1], required=at == 1, choices=_directions(optional=at > 1)
        )
        for at in range(1, count + 1)
    }


def limit_fields() -> dict[str, forms.Field]:
    """Return an optional bound per metric."""
    return {
        f"limit_{name}": forms.FloatField(
            label=_limit_label(metric), required=False, min_value=0, widget=forms.NumberInput(attrs={"step": "any"})
        )
        for name, metric in METRICS.items()
    }


def _limit_label(metric: Metric) -> Any:
    template = _("{metric} at least") if metric.goal == "max" else _("{metric} at most")
    return format_lazy(template, metric=_with_unit(metric))


def _with_unit(metric: Metric) -> Any:
    title = gettext_lazy(metric.title)
    return format_lazy("{} ({})", title, metric.unit) if metric.unit else title


def _directions(*, optional: bool) -> list[tuple[Any, Any]]:
    usual = [(f"{metric.goal}:{name}", _direction(metric, metric.goal)) for name, metric in METRICS.items()]
    reverse = {"min": "max", "max": "min"}
    unusual = [
        (f"{reverse[metric.goal]}:{name}", _direction(metric, reverse[metric.goal])) for name, metric in METRICS.items()
    ]
    nothing = [("", _("none"))] if optional else []
    return [*nothing, *usual, (_("The other way round"), unusual)]


def _direction(metric: Metric, goal: str) -> Any:
    template = _("{metric}, as high as possible") if goal == "max" else _("{metric}, as low as possible")
    return format_lazy(template, metric=gettext_lazy(metric.title))

"""How measured numbers are called, which way is better, and how one is written."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nas.objectives import Goal
from searches.drawing.text import short

Words = str | Promise


@dataclass(frozen=True)
class Figure:
    """A metric as a page shows it."""

    title: Words
    goal: Goal
    write: Callable[[float], str]


def decimals(value: float, places: int) -> str:
    """Write a number rounded to so many places; Django's own formatting would cut the rest off."""
    return str(number_format(round(value, places), places))


def percent(value: float) -> str:
    """Write a value that is in percent."""
    return f"{decimals(value, 2)} %"


def duration(seconds: float) -> str:
    """Write a time in at most two units."""
    if seconds < 10:
        return _("%(seconds)s s") % {"seconds": decimals(seconds, 1)}
    whole = round(seconds)
    if whole < 60:
        return _("%(seconds)d s") % {"seconds": whole}
    if whole < 3600:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": whole // 60, "seconds": whole % 60}
    if whole < 48 * 3600:
        return _("%(hours)d h %(minutes)d min") % {"hours": whole // 3600, "minutes": whole % 3600 // 60}
    return _("%(days)d d %(hours)d h") % {"days": whole // 86400, "hours": whole % 86400 // 3600}


def _milliseconds(value: float) -> str:
    return f"{decimals(value, 2 if value < 100 else 0)} ms"


FIGURES: dict[str, Figure] = {
    "accuracy": Figure(gettext_lazy("Accuracy"), "max", percent),
    "precision": Figure(gettext_lazy("Precision"), "max", percent),
    "recall": Figure(gettext_lazy("Recall"), "max", percent),
    "f1": Figure(gettext_lazy("F1"), "max", percent),
    "roc_auc": Figure(gettext_lazy("ROC AUC"), "max", percent),
    "loss": Figure(gettext_lazy("Loss"), "min", lambda value: decimals(value, 4)),
    "parameters": Figure(gettext_lazy("Parameters"), "min", short),
    "multiply_adds": Figure(gettext_lazy("Multiply-adds"), "min", short),
    "latency_ms": Figure(gettext_lazy("Latency"), "min", _milliseconds),
    "latency_p95_ms": Figure(gettext_lazy("Latency, 95th percentile"), "min", _milliseconds),
    "training_seconds": Figure(gettext_lazy("Training time"), "min", duration),
    "images_per_second": Figure(gettext_lazy("Images per second"), "max", short),
}


def title(metric: str) -> Words:
    """Return what a metric is called."""
    return FIGURES[metric].title if metric in FIGURES else metric


def write(metric: str, value: float | None) -> str:
    """Write a value of a metric, a dash where there is none."""
    if value is None:
        return "–"
    return FIGURES[metric].write(value) if metric in FIGURES else decimals(value, 4)

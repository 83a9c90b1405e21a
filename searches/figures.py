"""How measured numbers are called, which way is better, and how one is written."""

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, log10

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nas.objectives import Goal
from nas.proxies import METRICS as PROXIES
from searches.drawing.text import short

Words = str | Promise


@dataclass(frozen=True)
class Figure:
    """A metric as a page shows it; `unit` stands at an axis, `write` puts it behind the number itself.

    `brief` is the title without what is told elsewhere on the page; empty where the title is short.
    """

    name: str
    title: Words
    goal: Goal
    write: Callable[[float], str]
    unit: str = ""
    brief: Words = ""

    @property
    def axis(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else str(self.title)

    @property
    def brief_axis(self) -> str:
        """The same for a small chart."""
        title = self.brief or self.title
        return f"{title} ({self.unit})" if self.unit else str(title)


def decimals(value: float, places: int) -> str:
    """Write a number rounded to so many places; Django's own formatting would cut the rest off."""
    return str(number_format(round(value, places), places))


def percent(value: float) -> str:
    """Write a value that is in percent."""
    return f"{decimals(value, 2)} %"


def _whole_percent(value: float) -> str:
    return f"{decimals(value, 0)} %"


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


def _of_any_size(value: float) -> str:
    """Write a score, which may be tiny or huge, with four figures."""
    return decimals(value, max(0, 3 - floor(log10(abs(value))))) if 1e-6 < abs(value) < 1e6 else f"{value:.3e}"


def _kilobytes(value: float) -> str:
    return f"{decimals(value, 1)} kB" if value < 1000 else f"{decimals(value / 1000, 2)} MB"


def _joules(value: float) -> str:
    return f"{decimals(value / 1000, 2)} kJ" if value >= 1000 else f"{decimals(value, 1)} J"


FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        Figure("accuracy", gettext_lazy("Accuracy"), "max", percent, "%"),
        Figure("precision", gettext_lazy("Precision"), "max", percent, "%"),
        Figure("recall", gettext_lazy("Recall"), "max", percent, "%"),
        Figure("f1", gettext_lazy("F1"), "max", percent, "%"),
        Figure("roc_auc", gettext_lazy("ROC AUC"), "max", percent, "%"),
        Figure("top5_accuracy", gettext_lazy("Among the five likeliest"), "max", percent, "%"),
        Figure("calibration_error", gettext_lazy("Calibration error"), "min", percent, "%"),
        Figure("generalisation_gap", gettext_lazy("Generalisation gap"), "min", percent, "%"),
        Figure("rmse", gettext_lazy("Root mean squared error"), "min", lambda value: decimals(value, 4)),
        Figure("mae", gettext_lazy("Mean absolute error"), "min", lambda value: decimals(value, 4)),
        Figure("r2", gettext_lazy("R²"), "max", lambda value: decimals(value, 4)),
        Figure("loss", gettext_lazy("Loss"), "min", lambda value: decimals(value, 4)),
        Figure("epochs", gettext_lazy("Epochs"), "max", lambda value: decimals(value, 0)),
        Figure("share", gettext_lazy("Share of the data"), "max", _whole_percent, "%"),
        Figure("side", gettext_lazy("Share of the side"), "max", _whole_percent, "%"),
        Figure("width", gettext_lazy("Share of the width"), "max", _whole_percent, "%"),
        Figure("parameters", gettext_lazy("Parameters"), "min", short),
        Figure("depth", gettext_lazy("Depth"), "min", lambda value: decimals(value, 0)),
        Figure("multiply_adds", gettext_lazy("Multiply-adds"), "min", short),
        Figure("latency_ms", gettext_lazy("Latency"), "min", _milliseconds, "ms"),
        Figure("latency_p95_ms", gettext_lazy("Latency, 95th percentile"), "min", _milliseconds, "ms"),
        Figure("training_seconds", gettext_lazy("Training time"), "min", duration, "s"),
        Figure("file_kb", gettext_lazy("File size"), "min", _kilobytes, "kB"),
        Figure("peak_memory_mb", gettext_lazy("Peak memory"), "min", lambda value: f"{decimals(value, 1)} MB", "MB"),
        Figure("energy_joules", gettext_lazy("Energy"), "min", _joules, "J"),
        *(Figure(name, gettext_lazy(about.title), about.goal, _of_any_size) for name, about in PROXIES.items()),
        Figure("images_per_second", gettext_lazy("Examples per second"), "max", short),
    )
}


def title(metric: str | Figure) -> Words:
    """Return what a metric is called."""
    if isinstance(metric, Figure):
        return metric.title
    return FIGURES[metric].title if metric in FIGURES else metric


def write(metric: str | Figure, value: float | None) -> str:
    """Write a value of a metric, a dash where there is none."""
    if value is None:
        return "–"
    figure = metric if isinstance(metric, Figure) else FIGURES.get(metric)
    return figure.write(value) if figure else decimals(value, 4)

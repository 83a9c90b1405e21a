"""How the columns of a table are called and written: made from what the table says of them."""

from collections.abc import Callable, Mapping
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nas import plan as plans
from nas.datasets.known import DATASETS
from nas.objectives import METRICS
from nas.plan import Plan
from nas.sentences import Refused
from nas.tables.table import Column, stem
from searches.drawing.text import short
from searches.figures import FIGURES, Figure, Words, decimals, duration, percent
from searches.say import label

# Common names of the field, which would read badly letter by letter.
NAMED: dict[str, Words] = {
    "valid_accuracy": gettext_lazy("Validation accuracy"),
    "test_accuracy": gettext_lazy("Test accuracy"),
    "train_accuracy": gettext_lazy("Training accuracy"),
    "mega_flops": gettext_lazy("Operations"),
}


def figure_of(plan: Plan, metric: str) -> Figure:
    """Return how a metric of a run is shown; one that is not known, as of a table that is gone, by its bare name."""
    about = _columns(plan).get(metric)
    if about is not None:
        return figure(metric, about)
    goal = next((one.goal for one in plan.objectives if one.metric == metric), METRICS["loss"].goal)
    return FIGURES.get(metric) or Figure(metric, metric, goal, partial(decimals, places=4))


def _columns(plan: Plan) -> Mapping[str, Column]:
    if not plan.is_rehearsal:
        return {}
    try:
        return plans.table(plan).columns
    except Refused:
        return {}


def figure(name: str, about: Column) -> Figure:
    """Return how a column is shown: what it measures, on which data and device, after how many epochs."""
    words = _words(name, about)
    brief = words[0] if len(words) > 1 else ""
    return Figure(name, _(", ").join(words), about.goal, _writer(about.unit), _unit(about.unit), brief)


def _words(name: str, about: Column) -> list[str]:
    bare = stem(name).removeprefix(f"{about.dataset}.") if about.dataset else stem(name)
    kind, *rest = bare.split(".")
    if about.device and rest == [about.device]:
        rest = [about.device.replace("_", " ")]
    words = [str(NAMED[kind]) if kind in NAMED else label(kind), *(part.replace("_", " ") for part in rest)]
    if about.dataset:
        words.append(_(DATASETS[about.dataset].title) if about.dataset in DATASETS else about.dataset)
    if about.epochs:
        words.append(_("{count} epochs").format(count=about.epochs))
    return words


def _unit(unit: str) -> str:
    return "" if unit in ("count", "score") else unit


def _writer(unit: str) -> Callable[[float], str]:
    if unit == "%":
        return percent
    if unit == "s":
        return duration
    if unit == "count":
        return short
    return partial(_with_unit, unit=_unit(unit))


def _with_unit(value: float, unit: str) -> str:
    # Four figures, whatever the size: tables have latencies below a microsecond and scores of millions.
    places = max(0, 4 - len(str(int(abs(value))))) if abs(value) >= 0.1 or not value else 6
    return f"{decimals(value, places)} {unit}".rstrip()

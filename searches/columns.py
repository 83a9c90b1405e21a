"""How the columns of a table are called and written: made from what the table says of them."""

from collections.abc import Callable
from functools import partial

from django.utils.translation import gettext as _

from nas import plan as plans
from nas.datasets import DATASETS
from nas.plan import Plan
from nas.sentences import Refused
from nas.tables.table import Column, stem
from searches.drawing.text import short
from searches.figures import FIGURES, Figure, decimals, duration, percent
from searches.say import label

# Common names of the field, which would read badly letter by letter.
NAMED = {
    "valid_accuracy": "Validation accuracy",
    "test_accuracy": "Test accuracy",
    "train_accuracy": "Training accuracy",
    "mega_flops": "Operations",
}


def figures_of(plan: Plan) -> dict[str, Figure]:
    """Return everything that may be measured in a run, by name; of a table that is gone only the common metrics."""
    if not plan.is_rehearsal:
        return FIGURES
    try:
        columns = plans.table(plan).columns
    except Refused:
        return FIGURES
    return FIGURES | {name: figure(name, about) for name, about in columns.items()}


def figure_of(plan: Plan, metric: str) -> Figure:
    """Return how one metric of a run is shown; an unknown one by its bare name."""
    goal = next((one.goal for one in plan.objectives if one.metric == metric), "max")
    return figures_of(plan).get(metric) or Figure(metric, metric, goal, partial(decimals, places=4))


def figure(name: str, about: Column) -> Figure:
    """Return how a column is shown: what it measures, on which data and device, after how many epochs."""
    return Figure(name, title(name, about), about.goal, _writer(about.unit), _unit(about.unit))


def title(name: str, about: Column) -> str:
    """Return a column's name in words."""
    bare = stem(name).removeprefix(f"{about.dataset}.") if about.dataset else stem(name)
    kind, *rest = bare.split(".")
    if about.device and rest == [about.device]:
        rest = [about.device.replace("_", " ")]
    words = [_(NAMED[kind]) if kind in NAMED else label(kind), *(part.replace("_", " ") for part in rest)]
    if about.dataset:
        words.append(_(DATASETS[about.dataset].title) if about.dataset in DATASETS else about.dataset)
    if about.epochs:
        words.append(_("{count} epochs").format(count=about.epochs))
    return _(", ").join(words)


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

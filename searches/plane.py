"""The plane of a run's second chart: main objective against the second one, or against size where there is only one."""

from dataclasses import dataclass
from typing import Any

from nas.objectives import METRICS
from searches.columns import figure_of
from searches.figures import Figure
from searches.models import Run
from searches.standing import Axis, known_front, knows_size

SIZE = "parameters"


@dataclass(frozen=True)
class Plane:
    """Which metric stands at which axis; `axes` are all those in which a front is ahead, with their goals."""

    x: Figure
    y: Figure
    axes: tuple[Axis, ...]

    @property
    def has_size(self) -> bool:
        """Whether the size stands at the horizontal axis."""
        return self.x.name == SIZE


def plane(run: Run) -> Plane | None:
    """Return the plane of a run, None where there is one objective only and no size is known."""
    objectives = run.plan.objectives
    if len(objectives) > 1:
        x, y = figure_of(run.plan, objectives[1].metric), figure_of(run.plan, objectives[0].metric)
        return Plane(x, y, tuple((one.metric, one.goal) for one in objectives))
    aim = objectives[0]
    if run.plan.is_rehearsal and not knows_size(run.plan):
        return None
    costs = METRICS[aim.metric].costs_nothing if aim.metric in METRICS else False
    if run.plan.is_scored and aim.metric == SIZE:
        return None
    against: Axis = ("accuracy", "max") if costs and run.plan.measures_accuracy else (aim.metric, aim.goal)
    return Plane(figure_of(run.plan, SIZE), figure_of(run.plan, against[0]), (against, (SIZE, "min")))


def plane_data(run: Run) -> dict[str, Any] | None:
    """Return what the chart of the plane starts from; `front` is the table's own, of a rehearsal."""
    found = plane(run)
    if found is None:
        return None
    return {
        "x": found.x.name,
        "y": found.y.name,
        "axes": [{"metric": name, "goal": goal} for name, goal in found.axes],
        "front": known_front(run.plan, found.axes),
    }

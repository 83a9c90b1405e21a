"""Reads for the dashboard and the list: many runs at once, each in a line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, Q, QuerySet
from django.utils.safestring import SafeString

from nas import plan, selection
from nas.sentences import Refused
from searches.columns import figure_of
from searches.drafts import table_name
from searches.drawing.sparkline import sparkline
from searches.drawing.thumbnail import thumbnail
from searches.figures import Figure
from searches.models import Candidate, Evaluation, Run
from searches.queries import graph_of, leader, measurements

EVALUATED = Q(
    ~Q(evaluations__cause=Evaluation.Cause.REJECTED),
    evaluations__stage=Run.Stage.SEARCH,
    evaluations__status__in=(Evaluation.Status.MEASURED, Evaluation.Status.FAILED),
)
SPARK_POINTS = 60
KEEP_SECONDS = 3600


@dataclass(frozen=True)
class Progress:
    """How far a search has come: its best value so far, and pictures of the way there."""

    metric: str
    best: float | None = None
    spark: str = ""
    picture: str = ""


@dataclass(frozen=True)
class Line:
    """A search as a list shows it."""

    run: Run
    evaluated: int
    progress: Progress

    @property
    def percent(self) -> int:
        """Evaluated candidates of the budget."""
        return round(100 * min(1.0, self.evaluated / self.run.plan.budget))

    @property
    def dataset(self) -> str:
        """The title of its dataset or table."""
        try:
            return plan.data_title(self.run.plan)
        except Refused:
            return table_name(self.run.plan)

    @property
    def figure(self) -> Figure:
        """How its best value is written."""
        return figure_of(self.run.plan, self.progress.metric)


def with_counts(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Count the evaluated candidates of the search stage as `evaluated`."""
    return runs.select_related("owner").annotate(evaluated=Count("evaluations", filter=EVALUATED))


def lines(runs: Iterable[Run]) -> list[Line]:
    """Return the lines of runs that `with_counts` has read."""
    return [Line(run, run.evaluated, progress(run)) for run in runs]  # type: ignore[attr-defined]


def progress(run: Run) -> Progress:
    """Return best value and pictures, kept until something happens in the run."""
    metric = run.plan.objectives[0].metric
    if not run.last_seq:
        return Progress(metric)
    key = f"progress-{run.pk}-{run.last_seq}"
    kept: Progress | None = cache.get(key)
    if kept is None:
        kept = _progress(run)
        cache.set(key, kept, KEEP_SECONDS)
    return kept


def _progress(run: Run) -> Progress:
    measured = measurements(run)
    best = leader(run, measured)
    metric = run.plan.objectives[0].metric
    if best is None:
        return Progress(metric)
    candidate = Candidate.objects.get(run=run, number=best.candidate)
    spark = sparkline(_best_so_far(run, [one.metrics for one in measured if one.metrics]))
    try:
        picture = thumbnail(graph_of(run, candidate))
    except Refused:  # the table of a rehearsal is gone
        picture = SafeString()
    return Progress(metric, best.metrics[metric], spark, picture)


def _best_so_far(run: Run, metrics: Sequence[Mapping[str, float]]) -> list[float]:
    objective = run.plan.objectives[0]
    better = max if objective.goal == "max" else min
    values: list[float] = []
    # Numbers after less training do not compare with those after more.
    trained = [() if run.plan.is_gradient else selection.trained(run.plan, one) for one in metrics]
    for one in (one for one, much in zip(metrics, trained, strict=True) if much >= max(trained)):
        if selection.best(run.plan, [(0, one)]) is not None:
            value = one[objective.metric]
            values.append(better(values[-1], value) if values else value)
    step = max(1, len(values) // SPARK_POINTS)
    return [*values[:-1:step], *values[-1:]]

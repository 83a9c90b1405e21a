"""Reads for the pages of one run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.utils import timezone

from nas import plan, selection
from nas.jobs import final_trainings
from nas.spaces import catalogue
from nas.spaces.graph import Graph
from searches.columns import figure_of
from searches.figures import Figure
from searches.models import Candidate, Evaluation, Run, Worker

Status = Evaluation.Status
OVER = (Status.MEASURED, Status.FAILED)
READ = (
    *("status", "metrics", "started_at", "finished_at"),
    *(f"candidate__{name}" for name in ("number", "generation", "parameters", "multiply_adds")),
)


@dataclass(frozen=True)
class Measurement:
    """One evaluation of the search stage that is over; `metrics` is empty for a failed one."""

    evaluation: int
    candidate: int
    generation: int
    parameters: int
    multiply_adds: int
    metrics: Mapping[str, float]
    seconds: float
    at: datetime | None = None

    @property
    def failed(self) -> bool:
        """Whether nothing was measured."""
        return not self.metrics


@dataclass(frozen=True)
class Summary:
    """What the tiles of a run page say; `figure` is that of the first objective."""

    figure: Figure
    best: Measurement | None
    evaluated: int
    failed: int
    budget: int
    generation: int
    proposed: int
    workers: int
    spent_since: datetime | None
    seconds: float | None
    seconds_left: float | None

    @property
    def value(self) -> float | None:
        """The best value of the first objective."""
        return self.best.metrics.get(self.figure.name) if self.best else None

    @property
    def percent(self) -> int:
        """Evaluated candidates of the budget, in percent."""
        return round(100 * min(1.0, self.evaluated / self.budget)) if self.budget else 0


def measurements(run: Run) -> list[Measurement]:
    """List the evaluations of the search stage that are over, in the order of their ends; those rejected are none."""
    over = run.evaluations.filter(stage=Run.Stage.SEARCH, status__in=OVER).exclude(cause=Evaluation.Cause.REJECTED)
    rows = over.order_by("finished_at", "pk")
    found = []
    for one in rows.select_related("candidate").only(*READ):
        seconds = (one.finished_at - one.started_at).total_seconds() if one.finished_at and one.started_at else 0.0
        candidate = one.of
        found.append(
            Measurement(
                evaluation=one.pk,
                candidate=candidate.number,
                generation=candidate.generation,
                parameters=candidate.parameters,
                multiply_adds=candidate.multiply_adds,
                metrics=one.metrics if one.status == Status.MEASURED else {},
                seconds=seconds,
                at=one.finished_at,
            )
        )
    return found


def leader(run: Run, measured: Sequence[Measurement]) -> Measurement | None:
    """Return who is ahead, None before anything was measured."""
    by_evaluation = {one.evaluation: one for one in measured}
    best = selection.best(run.plan, ((one.evaluation, one.metrics) for one in measured if not one.failed))
    return by_evaluation[best] if best is not None else None


def summary(run: Run, measured: Sequence[Measurement]) -> Summary:
    """Return the numbers at the top of a run page."""
    workers = sum(worker.is_alive for worker in Worker.objects.filter(queue=run.queue))
    latest = run.candidates.order_by("-number").values_list("number", "generation").first()
    until = run.finished_at or timezone.now()
    return Summary(
        figure=figure_of(run.plan, run.plan.objectives[0].metric),
        best=leader(run, measured),
        evaluated=len(measured),
        failed=sum(one.failed for one in measured),
        budget=run.plan.budget,
        generation=latest[1] if latest else 0,
        proposed=latest[0] if latest else 0,
        workers=workers,
        spent_since=run.started_at if run.finished_at is None else None,
        seconds=(until - run.started_at).total_seconds() if run.started_at else None,
        seconds_left=_seconds_left(run, measured, workers),
    )


def _seconds_left(run: Run, measured: Sequence[Measurement], workers: int) -> float | None:
    """Extrapolate from the median candidate; the final stage costs as many epochs more. None before the first one."""
    times = [one.seconds for one in measured if not one.failed]
    if not times or not run.is_open:
        return None
    candidate = median(times)
    # An epoch of a supernet is the nearest thing to one of the final stage that is known so far.
    final = candidate * run.plan.final_epochs / (1 if run.plan.is_gradient else run.plan.epochs)
    if run.plan.is_scored or run.plan.is_shared:  # neither tells how long a training is: the search alone counts
        final = 0.0
    if run.stage == Run.Stage.FINAL:
        work = final * run.evaluations.filter(stage=Run.Stage.FINAL, status__in=Evaluation.OPEN).count()
    else:
        missing = 0 if run.closing else max(run.plan.budget - len(measured), 0)
        work = candidate * missing + (0.0 if run.plan.is_rehearsal else final * final_trainings(run.plan))
    return work / (1 if run.plan.is_gradient and run.stage == Run.Stage.SEARCH else max(workers, 1))


def graph_of(run: Run, candidate: Candidate) -> Graph:
    """Return the network of a candidate of a run."""
    if candidate.is_baseline:
        return run.plan.baseline.graph(run.plan.task)
    return plan.search_space(run.plan).graph(candidate.architecture)


def decisions_of(run: Run, candidate: Candidate) -> list[tuple[str, str]]:
    """List the questions of the space with the option that a candidate picked."""
    if candidate.is_baseline:
        return []
    asked = plan.search_space(run.plan).decisions
    return [(one.name, one.options[choice]) for one, choice in zip(asked, candidate.choices, strict=True)]


def text_of(run: Run, candidate: Candidate) -> str | None:
    """Return a candidate's text form, such as a genotype, None where its space has none."""
    if candidate.is_baseline:
        return None
    return catalogue.text_of(plan.search_space(run.plan), candidate.architecture)


def best_candidate(run: Run) -> Candidate | None:
    """Return the candidate that is ahead or, once it is chosen, the winner."""
    if run.winner_id is not None:
        return run.winner
    best = leader(run, measurements(run))
    return run.candidates.get(number=best.candidate) if best else None

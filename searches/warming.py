"""What a new search can learn from the team's earlier ones, and what it was spared by that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from nas import plan as plans
from nas import priors
from nas.plan import Plan, search_space
from nas.priors import Prior, Source, WarmStart, is_similar, warm_start
from nas.report import reached
from nas.sentences import Refused
from nas.spaces.protocol import SearchSpace
from nas.tables.table import stem
from searches.models import Evaluation, Run
from searches.queries import OVER, Measurement, Status

MOST_READ, MOST_OFFERED = 100, 12


@dataclass(frozen=True)
class Saving:
    """An earlier search as a page shows it: `reached` counts the evaluations until this one was as good."""

    source: Source
    run: Run | None
    reached: int | None


def similar(plan: Plan) -> list[Run]:
    """Return completed searches of a similar space that were after the same, those on the same data first.

    Of a table they may have been after any column of the same kind, such as the accuracy on another dataset. What the
    plan was told to learn from is among them, however many came since.
    """
    nearest = _sorted(_completed(plan)[:MOST_READ], plan)[:MOST_OFFERED]
    return [*nearest, *(run for run in _chosen(plan) if run not in nearest)]


def bests(runs: Sequence[Run]) -> dict[int, float]:
    """Return the first objective of each run's winner, as it was measured in the search, by run."""
    winners = Evaluation.objects.filter(candidate__in=[run.winner_id for run in runs], stage=Run.Stage.SEARCH)
    metric = {run.pk: run.plan.objectives[0].metric for run in runs}
    rows = winners.filter(status=Status.MEASURED).order_by("epochs").values_list("run_id", "metrics")
    return {pk: metrics[metric[pk]] for pk, metrics in rows}


def learning(plan: Plan, runs: Sequence[Run]) -> Plan:
    """Return the plan of a draft that is to learn from these; what they know is read when it starts."""
    return replace(plan, warm=WarmStart((), tuple(Source(run.name, run=run.pk) for run in runs)))


def warmed(plan: Plan) -> Plan:
    """Return the plan with its starts written out, so that it stays as it is whatever becomes of the earlier searches.

    One that is gone, or no longer similar to what the plan became, is left out.
    """
    space = search_space(plan)
    if not any(source.run for source in plan.warm.sources):  # out of files, if any
        return plan if _fit(plan.warm, space) else replace(plan, warm=WarmStart())
    known = [_prior(run, plan) for run in _chosen(plan)]
    return replace(plan, warm=warm_start([one for one in known if one], space, plan.policy.warm_start))


def savings(run: Run, measured: Sequence[Measurement]) -> list[Saving]:
    """Return what each earlier search spared this one; `measured` are its evaluations in the order of their ends."""
    sources = run.plan.warm.sources
    runs = Run.objects.defer("plan_json").in_bulk([source.run for source in sources])
    counted = [(at, one.metrics) for at, one in enumerate(measured, start=1) if not one.failed]
    return [Saving(source, runs.get(source.run), reached(run.plan, source, counted)) for source in sources]


def _completed(plan: Plan) -> QuerySet[Run]:
    runs = Run.objects.filter(status=Run.Status.COMPLETED, winner__isnull=False)
    return runs.filter(plan_json__space__kind=plan.space.kind)


def _chosen(plan: Plan) -> list[Run]:
    chosen = [source.run for source in plan.warm.sources if source.run]
    return _sorted(_completed(plan).filter(pk__in=chosen), plan) if chosen else []


def _sorted(runs: Iterable[Run], plan: Plan) -> list[Run]:
    """Those that the plan can learn from, the nearest first."""
    space = search_space(plan)
    found = [run for run in runs if _teaches(run.plan, plan, space)]
    return sorted(found, key=lambda run: _data(run.plan) != _data(plan))


def _teaches(earlier: Plan, plan: Plan, space: SearchSpace) -> bool:
    try:
        decisions = search_space(earlier).decisions
    except Refused:  # its table is gone
        return False
    # What networks reach under shared weights does not compare.
    if earlier.is_gradient:
        return False
    return _meaning(earlier) == _meaning(plan) and is_similar(decisions, space)


def _meaning(plan: Plan) -> tuple[str, str]:
    """What the first objective is after, whatever the dataset, the number of epochs and the device."""
    aim, data = plan.objectives[0], _data(plan)
    bare = stem(aim.metric).removeprefix(f"{data[0]}.") if plan.is_rehearsal else aim.metric
    return bare.partition(".")[0], aim.goal


def _data(plan: Plan) -> tuple[str, str]:
    """The dataset that the first objective is measured on, and which part of it, or which table."""
    if not plan.is_rehearsal:
        return plan.split.dataset, f"{plan.split.seed} {plan.split.valid_share}"
    table, metric = plans.table(plan), plan.objectives[0].metric
    return table.columns[metric].dataset if metric in table.columns else "", table.fingerprint


def _comparable(earlier: Plan, plan: Plan) -> bool:
    measured, wanted = ((one.objectives[0], one.evaluator, one.epochs, _data(one)) for one in (earlier, plan))
    return measured == wanted


def _prior(run: Run, plan: Plan) -> Prior | None:
    rows = run.evaluations.filter(stage=Run.Stage.SEARCH, status__in=OVER).order_by("finished_at", "pk")
    evaluations = [
        priors.Evaluation(number, tuple(choices), metrics)
        for number, (choices, metrics, status) in enumerate(
            rows.values_list("candidate__choices", "metrics", "status"), start=1
        )
        if status == Status.MEASURED
    ]
    return priors.prior(
        Source(run.name, run=run.pk, comparable=_comparable(run.plan, plan)),
        search_space(run.plan).decisions,
        evaluations,
        run.plan.objectives[0],
        (*run.plan.limits, *plan.limits),
    )


def _fit(warm: WarmStart, space: SearchSpace) -> bool:
    sizes = [len(decision.options) for decision in space.decisions]
    return all(
        len(choices) == len(sizes) and all(choice < size for choice, size in zip(choices, sizes, strict=True))
        for choices in warm.starts
    )

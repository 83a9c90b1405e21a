"""Searches that are not started yet: made, changed step by step, copied, deleted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from nas import codec
from nas.datasets.catalogue import dataset
from nas.evaluation.protocol import Split
from nas.gradient import LEARNED
from nas.plan import Plan, default_limits, explicit, metrics, usual_objective, usual_training
from nas.policy import Policy
from nas.rehearsal import on_table
from nas.sentences import Refused
from nas.spaces import catalogue as spaces
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.table import Tabulated
from nas.spaces.transformer import Transformer
from nas.strategies.catalogue import STRATEGIES
from nas.strategies.protocol import Climbing
from searches.models import Race, Run

# Others report what their methods find within 150 trainings.
REHEARSAL_BUDGET = 150
# DARTS, SNAS and their like search for 50 epochs and more.
SUPERNET_EPOCHS = 50


@dataclass(frozen=True)
class Draft:
    """What the wizard edits: the plan, what the search is called, and the queue it will stand in."""

    name: str
    queue: str
    plan: Plan


def first_plan() -> Plan:
    """Return the plan of a new search: good as it is, so that a person may just go on."""
    limits = default_limits(dataset("digits").task)
    spec = SpaceSpec("chain", {})
    return explicit(Plan(Split("digits"), spec, "genetic", limits=limits, policy=Policy(watch=_watched(spec))))


def _watched(spec: SpaceSpec) -> tuple[str, ...]:
    # They cost little, and the page shows what they are worth; neither ranks networks with attention.
    return () if spec.kind == Transformer.name else ("synflow", "jacob_cov")


def with_dataset(plan: Plan, split: Split) -> Plan:
    """Return the plan on other data; limits that were the usual ones become those of the new data.

    What was made for a table is made anew: space, objectives and numbers of epochs.
    """
    plan = _between(plan, first_plan()) if plan.is_rehearsal else plan
    return _with_what_is_usual(plan, _fitting(replace(plan, split=split)))


def _fitting(plan: Plan) -> Plan:
    """Return the plan with a space that serves its data, and objectives and limits that can be measured on them."""
    if not spaces.serves(plan.space.kind, plan.task):
        plan = explicit(replace(plan, space=SpaceSpec(spaces.suited(plan.task)[0], {})))
    among = metrics(plan)
    objectives = tuple(objective for objective in plan.objectives if objective.metric in among)
    limits = tuple(limit for limit in plan.limits if limit.metric in among)
    return replace(plan, objectives=objectives or (usual_objective(plan),), limits=limits)


def with_space(plan: Plan, spec: SpaceSpec) -> Plan:
    """Return the plan on another space; limits that were the usual ones become those of that space."""
    changed = replace(plan, space=spec)
    return changed if plan.is_rehearsal else _with_what_is_usual(plan, changed)


def _with_what_is_usual(before: Plan, after: Plan) -> Plan:
    if before.training == usual_training(before.space):
        after = replace(after, training=usual_training(after.space))
    if before.policy.watch == _watched(before.space):
        after = replace(after, policy=replace(after.policy, watch=_watched(after.space)))
    new = default_limits(after.task, after.space)
    try:
        old = default_limits(before.task, before.space)
    except Refused:  # the data are gone, and nobody can tell what was usual on them
        old = tuple(limit for limit in before.limits if limit.metric == new[0].metric)
    usual = dict(zip(old, new, strict=False))
    return replace(after, limits=tuple(usual.get(limit, limit) for limit in after.limits))


def with_strategy(plan: Plan, name: str, settings: Mapping[str, Any]) -> Plan:
    """Return the plan with another strategy.

    By gradient it has one objective, a budget of epochs, nothing that spares evaluations, and no limits: those that
    were the usual ones go, and come back with a strategy that knows limits. Without rungs none are of anything.
    """
    changed = replace(plan, strategy=name, strategy_settings=settings)
    if not issubclass(STRATEGIES.get(name, object), Climbing):
        changed = replace(changed, fidelity=replace(plan.fidelity, rungs="epochs"))
    if plan.is_rehearsal or changed.is_gradient == plan.is_gradient:
        return changed
    usual, first = default_limits(plan.task, plan.space), first_plan()
    if not changed.is_gradient:
        budget = first.budget if plan.budget == SUPERNET_EPOCHS else plan.budget
        policy = replace(plan.policy, watch=_watched(plan.space))
        return replace(changed, budget=budget, limits=plan.limits or usual, policy=policy)
    aims = plan.objectives if plan.objectives[0].metric in LEARNED else first.objectives
    return replace(
        changed,
        objectives=aims[:1],
        limits=tuple(limit for limit in plan.limits if limit not in usual),
        budget=SUPERNET_EPOCHS if plan.budget == first.budget else plan.budget,
        policy=replace(plan.policy, proxy="", replicates=1, stopping="none", watch=()),
    )


def with_table(plan: Plan, name: str) -> Plan:
    """Return the plan as a rehearsal on a table; on another than before, its objectives are those that fit first."""
    if plan.is_rehearsal and table_name(plan) == name:
        return plan
    base = plan if plan.is_rehearsal else _between(plan, replace(first_plan(), budget=REHEARSAL_BUDGET))
    return explicit(on_table(replace(base, space=SpaceSpec(Tabulated.name, {})), name))


def table_name(plan: Plan) -> str:
    """Return the name under which a rehearsal's table is found."""
    return str(plan.space.settings.get("table", Tabulated.table))


def uses_of(table: str) -> list[Run | Race]:
    """Return the searches that rehearse on a table, drafts among them, and the races that still need it."""
    runs = Run.objects.filter(plan_json__evaluator="table").only("name", "plan_json")
    races = Race.objects.filter(closed=False).only("name", "plan_json")
    users: list[Run | Race] = [*runs, *races]
    return [one for one in users if table_name(one.plan) == table]


def _between(plan: Plan, fresh: Plan) -> Plan:
    """Return a fresh plan with what training and rehearsing have in common, and a budget that somebody chose."""
    untouched = plan.budget in (first_plan().budget, REHEARSAL_BUDGET)
    return replace(
        fresh,
        split=plan.split,
        strategy=plan.strategy,
        strategy_settings=plan.strategy_settings,
        budget=fresh.budget if untouched else plan.budget,
        seed=plan.seed,
        candidate_seconds=plan.candidate_seconds,
    )


def new_draft(owner: User) -> Run:
    """Return this person's latest draft if nothing was changed in it yet, else a new one."""
    plan = codec.dump(first_plan())
    latest = Run.objects.filter(owner=owner, status=Run.Status.DRAFT).first()
    if latest and latest.plan_json == plan and latest.name == _name(latest):
        return latest
    return _make(owner, settings.DEFAULT_QUEUE, plan)


def new_rehearsal(owner: User, table: str) -> Run:
    """Return a new draft on a table; raises Refused where there is none of that name."""
    return _make(owner, settings.DEFAULT_QUEUE, codec.dump(with_table(first_plan(), table)))


def new_on(owner: User, dataset: str) -> Run:
    """Return a new draft on a dataset; raises Refused where there is none of that name."""
    return _make(owner, settings.DEFAULT_QUEUE, codec.dump(with_dataset(first_plan(), Split(dataset))))


def copy(run: Run, owner: User) -> Run:
    """Return a new draft with the plan of another search."""
    return _make(owner, run.queue, run.plan_json)


def read(run: Run) -> Draft:
    """Return what the wizard edits of a row."""
    return Draft(run.name, run.queue, run.plan)


def save(run: Run, draft: Draft) -> bool:
    """Write the draft back; False where the search was started or deleted meanwhile."""
    drafts = Run.objects.filter(pk=run.pk, status=Run.Status.DRAFT)
    return bool(drafts.update(name=draft.name, queue=draft.queue, plan_json=codec.dump(draft.plan)))


def delete(run: Run) -> bool:
    """Delete a search and all that was measured in it; False while something may still happen in it."""
    with transaction.atomic():
        found = Run.objects.select_for_update().filter(pk=run.pk).exclude(status__in=Run.OPEN).first()
        if found is not None:
            found.delete()
    return found is not None


def _make(owner: User, queue: str, plan: object) -> Run:
    with transaction.atomic():
        run = Run.objects.create(owner=owner, queue=queue, plan_json=plan)
        run.name = _name(run)
        run.save(update_fields=["name"])
    return run


def _name(run: Run) -> str:
    return gettext("Search {number}").format(number=run.pk)

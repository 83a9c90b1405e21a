"""How the candidates of a search are measured: what there is to choose from, and a plan that is measured otherwise."""

from dataclasses import replace

from nas.objectives import Objective, objective
from nas.plan import Plan, metrics, usual_objective
from nas.proxies import METRICS as PROXIES

FIRST = {"train": "", "supernet": "", "score": "synflow"}  # the first objective by evaluator, "" for that of the task


def measured_by(plan: Plan, evaluator: str) -> Plan:
    """Return the plan with another evaluator; objectives, limits and a proxy that it cannot measure are left out.

    Where no objective is left, the evaluator's first one takes their place. A rehearsal stays one.
    """
    if plan.is_rehearsal or evaluator == plan.evaluator:
        return plan
    plan = replace(plan, evaluator=evaluator)
    if plan.policy.proxy in PROXIES and not plan.builds_networks:
        plan = replace(plan, policy=replace(plan.policy, proxy=""))
    among = metrics(plan)
    kept = tuple(one for one in plan.objectives if one.metric in among)
    if kept[:1] != plan.objectives[:1]:  # what was the main objective is none any more
        kept = (first(plan), *kept)
    return replace(plan, objectives=kept, limits=tuple(one for one in plan.limits if one.metric in among))


def first(plan: Plan) -> Objective:
    """Return the objective of a plan that asks for none."""
    name = FIRST[plan.evaluator]
    return objective(name, metrics(plan)) if name else usual_objective(plan)

"""The steps of the wizard, in order."""

from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from nas import plan as plans
from nas.checks import MOST_EPOCHS, by_gradient, check
from nas.gradient import GRADIENT
from nas.measuring import FIRST, measured_by
from nas.plan import Plan
from nas.settings import settings_of
from nas.spaces import catalogue as spaces
from nas.spaces import moves
from nas.spaces.catalogue import SpaceSpec
from nas.strategies import catalogue as strategies
from nas.strategies.protocol import dice
from searches.drafts import Draft, with_space, with_strategy
from searches.forms.budget import apply_budget, budget_fields, budget_initial
from searches.forms.data import apply_dataset, check_dataset, dataset_fields, dataset_initial
from searches.forms.earlier import earlier_fields, earlier_initial, with_earlier
from searches.forms.fields import setting_fields, setting_initial, setting_values
from searches.forms.objectives import apply_objectives, objectives_fields, objectives_initial
from searches.forms.rules import rule_fields, rule_initial, with_rules
from searches.forms.wizard import Data, Step

# Space


def _space_fields(draft: Draft) -> dict[str, forms.Field]:
    if draft.plan.is_rehearsal:
        return rule_fields([draft.plan.space.kind])
    fields: dict[str, forms.Field] = {"kind": forms.ChoiceField(choices=[(name, name) for name in spaces.SEARCHABLE])}
    for name in spaces.SEARCHABLE:
        fields |= setting_fields(spaces.SPACES[name], name, draft.plan.task)
    return fields | rule_fields(spaces.SEARCHABLE)


def _space_initial(draft: Draft) -> dict[str, Any]:
    spec = draft.plan.space
    initial: dict[str, Any] = {"kind": spec.kind}
    for name in spaces.SEARCHABLE:
        initial |= setting_initial(spaces.SPACES[name], name, spec.settings if name == spec.kind else {})
    return initial | rule_initial(draft.plan)


def _apply_space(draft: Draft, data: Data) -> Draft:
    plan, spec = draft.plan, draft.plan.space
    if not plan.is_rehearsal:
        kind = data["kind"]
        unasked = {item.name: item.default for item in settings_of(spaces.SPACES[kind])}
        spec = SpaceSpec(kind, unasked | setting_values(spaces.SPACES[kind], kind, data))
    return replace(draft, plan=with_space(plan, with_rules(plan, spec, data)))


def _check_space(plan: Plan) -> None:
    # The limits belong to a later step, so a space is not blamed for them here.
    moves.sample(spaces.build(plan.space, plan.task), dice(0, 0))


# Strategy

KNOWN: dict[str, type] = {**strategies.STRATEGIES, **GRADIENT}


def _strategy_fields(draft: Draft) -> dict[str, forms.Field]:
    choices = [(name, name) for name in KNOWN]
    fields: dict[str, forms.Field] = {"strategy": forms.ChoiceField(choices=choices)}
    if not draft.plan.is_rehearsal:
        fields["evaluator"] = forms.ChoiceField(choices=[(name, name) for name in FIRST])
    for name, kind in KNOWN.items():
        fields |= setting_fields(kind, name)
    return fields | earlier_fields(draft)


def _strategy_initial(draft: Draft) -> dict[str, Any]:
    plan = draft.plan
    initial: dict[str, Any] = {"strategy": plan.strategy, "evaluator": plan.evaluator}
    for name, kind in KNOWN.items():
        initial |= setting_initial(kind, name, plan.strategy_settings if name == plan.strategy else {})
    return initial | earlier_initial(draft)


def _apply_strategy(draft: Draft, data: Data) -> Draft:
    name = data["strategy"]
    values = setting_values(KNOWN[name], name, data)
    plan = measured_by(with_earlier(draft.plan, data), data.get("evaluator", draft.plan.evaluator))
    return replace(draft, plan=with_strategy(plan, name, values))


def _check_later(plan: Plan) -> None:
    # Which devices will train is known when the search is started, not here.
    check(plan, tells_energy=True)


def _check_strategy(plan: Plan) -> None:
    if plan.is_gradient:
        by_gradient(plan)
        return
    # How long candidates train, and what rungs are of, is asked in a later step, which looks at the strategy again.
    terms = plans.terms(replace(plan, epochs=MOST_EPOCHS))
    plans.strategy(plan).refuse(spaces.build(plan.space, plan.task), terms)


STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step(
            "dataset",
            _("Dataset"),
            _("What the networks learn to tell apart."),
            dataset_fields,
            dataset_initial,
            apply_dataset,
            check_dataset,
        ),
        Step(
            "space",
            _("Search space"),
            _("Which networks are possible."),
            _space_fields,
            _space_initial,
            _apply_space,
            _check_space,
            kind="kind",
        ),
        Step(
            "strategy",
            _("Strategy"),
            _("How the next network is chosen, and how it is measured."),
            _strategy_fields,
            _strategy_initial,
            _apply_strategy,
            _check_strategy,
            kind="strategy",
        ),
        Step(
            "objectives",
            _("Objectives"),
            _("What makes one network better than another."),
            objectives_fields,
            objectives_initial,
            apply_objectives,
            _check_later,
        ),
        Step(
            "budget",
            _("Budget and queue"),
            _("How much is trained, and where."),
            budget_fields,
            budget_initial,
            apply_budget,
            _check_later,
        ),
    )
}

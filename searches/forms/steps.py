"""The steps of the wizard, in order."""

from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from nas import codec
from nas import plan as plans
from nas.checks import check
from nas.datasets import DATASETS, dataset, folder
from nas.evaluation.protocol import Split, Training
from nas.objectives import METRICS, Limit, objective
from nas.plan import Plan
from nas.settings import configure
from nas.spaces import catalogue as spaces
from nas.spaces import moves
from nas.spaces.catalogue import SpaceSpec
from nas.strategies import catalogue as strategies
from nas.strategies.protocol import dice
from searches.drafts import Draft, with_dataset
from searches.forms.fields import setting_fields, setting_initial, setting_values
from searches.forms.objectives import limit_fields, objective_fields
from searches.forms.wizard import Data, Step
from searches.models import Worker

OBJECTIVES = 3


# Dataset


def _dataset_fields() -> dict[str, forms.Field]:
    return {
        "dataset": forms.ChoiceField(choices=[(name, item.title) for name, item in DATASETS.items()]),
        "valid_share": forms.FloatField(
            label=_("Share of images for validation"),
            help_text=_("Candidates are compared on these images; the test images are used once, at the very end."),
            min_value=0.05,
            max_value=0.5,
        ),
        "split_seed": forms.IntegerField(
            label=_("Seed of the split"),
            help_text=_("The same seed cuts the same images off for validation."),
            min_value=0,
            max_value=2**31,
        ),
    }


def _dataset_initial(draft: Draft) -> dict[str, Any]:
    split = draft.plan.split
    return {"dataset": split.dataset, "valid_share": split.valid_share, "split_seed": split.seed}


def _apply_dataset(draft: Draft, data: Data) -> Draft:
    split = Split(data["dataset"], data["split_seed"], data["valid_share"])
    return replace(draft, plan=with_dataset(draft.plan, split))


def _check_dataset(plan: Plan) -> None:
    folder(dataset(plan.split.dataset), settings.NAS_DATA_DIRS)


# Space


def _space_fields() -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {"kind": forms.ChoiceField(choices=[(name, name) for name in spaces.SEARCHABLE])}
    for name in spaces.SEARCHABLE:
        fields |= setting_fields(spaces.SPACES[name], name)
    return fields


def _space_initial(draft: Draft) -> dict[str, Any]:
    spec = draft.plan.space
    initial: dict[str, Any] = {"kind": spec.kind}
    for name in spaces.SEARCHABLE:
        initial |= setting_initial(spaces.SPACES[name], name, spec.settings if name == spec.kind else {})
    return initial


def _apply_space(draft: Draft, data: Data) -> Draft:
    kind = data["kind"]
    spec = SpaceSpec(kind, setting_values(spaces.SPACES[kind], kind, data))
    return replace(draft, plan=replace(draft.plan, space=spec))


def _check_space(plan: Plan) -> None:
    # The limits belong to a later step, so a space is not blamed for them here.
    moves.sample(spaces.build(plan.space, plan.task), dice(0, 0))


# Strategy


def _strategy_fields() -> dict[str, forms.Field]:
    choices = [(name, name) for name in strategies.STRATEGIES]
    fields: dict[str, forms.Field] = {"strategy": forms.ChoiceField(choices=choices)}
    for name, kind in strategies.STRATEGIES.items():
        fields |= setting_fields(kind, name)
    return fields


def _strategy_initial(draft: Draft) -> dict[str, Any]:
    plan = draft.plan
    initial: dict[str, Any] = {"strategy": plan.strategy}
    for name, kind in strategies.STRATEGIES.items():
        initial |= setting_initial(kind, name, plan.strategy_settings if name == plan.strategy else {})
    return initial


def _apply_strategy(draft: Draft, data: Data) -> Draft:
    name = data["strategy"]
    values = setting_values(strategies.STRATEGIES[name], name, data)
    return replace(draft, plan=replace(draft.plan, strategy=name, strategy_settings=values))


def _check_strategy(plan: Plan) -> None:
    plans.strategy(plan).refuse(spaces.build(plan.space, plan.task), plans.terms(plan))


# Objectives


def _objectives_fields() -> dict[str, forms.Field]:
    return {**objective_fields(OBJECTIVES), **limit_fields()}


def _objectives_initial(draft: Draft) -> dict[str, Any]:
    plan = draft.plan
    wanted = {f"objective_{at}": f"{item.goal}:{item.metric}" for at, item in enumerate(plan.objectives, start=1)}
    return wanted | {f"limit_{limit.metric}": _plain(limit.bound) for limit in plan.limits}


def _plain(bound: float) -> float:
    return int(bound) if bound == int(bound) else bound


def _apply_objectives(draft: Draft, data: Data) -> Draft:
    wanted = tuple(objective(data[f"objective_{at}"]) for at in range(1, OBJECTIVES + 1) if data[f"objective_{at}"])
    bounds = {metric: data[f"limit_{metric}"] for metric in METRICS}
    limits = tuple(Limit(metric, bound) for metric, bound in bounds.items() if bound is not None)
    return replace(draft, plan=replace(draft.plan, objectives=wanted, limits=limits))


# Budget


def _budget_fields() -> dict[str, forms.Field]:
    def number(label: Any, help_text: Any, low: int = 1) -> forms.Field:
        return forms.IntegerField(label=label, help_text=help_text, min_value=low, max_value=2**31)

    return {
        "name": forms.CharField(label=_("Name of the search"), max_length=120),
        "budget": number(_("Candidates"), _("How many networks the search trains and compares.")),
        "epochs": number(_("Epochs each"), _("How long a candidate trains in the search.")),
        "final_epochs": number(_("Epochs at the end"), _("How long the winner and the baseline train at the end.")),
        "final_seeds": number(_("Seeds at the end"), _("How often both train, to show the spread between seeds.")),
        "queue": forms.ChoiceField(label=_("Queue"), choices=_queues()),
        "candidate_seconds": number(
            _("Time limit per candidate, in seconds"), _("A candidate that trains longer has failed.")
        ),
        "seed": number(_("Seed of the search"), _("The same seed and answers give the same proposals."), low=0),
        **setting_fields(Training, "training"),
    }


def _queues() -> list[tuple[str, str]]:
    known = {settings.DEFAULT_QUEUE, *Worker.objects.values_list("queue", flat=True)}
    return [(queue, queue) for queue in sorted(known)]


def _budget_initial(draft: Draft) -> dict[str, Any]:
    plan = draft.plan
    numbers = {name: getattr(plan, name) for name in PLAN_NUMBERS}
    training = setting_initial(Training, "training", codec.dump(plan.training))
    return {"name": draft.name, "queue": draft.queue, **numbers, **training}


def _apply_budget(draft: Draft, data: Data) -> Draft:
    training = configure(Training, setting_values(Training, "training", data))
    numbers = {name: data[name] for name in PLAN_NUMBERS}
    plan = replace(draft.plan, training=training, **numbers)
    return Draft(name=data["name"], queue=data["queue"], plan=plan)


PLAN_NUMBERS = ("budget", "epochs", "final_epochs", "final_seeds", "candidate_seconds", "seed")

STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step(
            "dataset",
            _("Dataset"),
            _("What the networks learn to tell apart."),
            _dataset_fields,
            _dataset_initial,
            _apply_dataset,
            _check_dataset,
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
            _("How the next network is chosen."),
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
            _objectives_fields,
            _objectives_initial,
            _apply_objectives,
            check,
        ),
        Step(
            "budget",
            _("Budget and queue"),
            _("How much is trained, and where."),
            _budget_fields,
            _budget_initial,
            _apply_budget,
            check,
        ),
    )
}

"""The last step before the review: how much is measured, how, and by whom."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from nas import codec
from nas.checks import proxies
from nas.evaluation.protocol import Fidelity, Measuring, Rehearsal, Scoring, Supernet, Training
from nas.plan import Plan
from nas.policy import Policy
from nas.proxies import METRICS as PROXIES
from nas.settings import configure
from nas.strategies.catalogue import STRATEGIES
from nas.strategies.protocol import Climbing
from searches.drafts import Draft
from searches.figures import title
from searches.forms.contest import baseline_of, contest_fields, contest_initial
from searches.forms.fields import setting_fields, setting_initial, setting_values
from searches.forms.wizard import Data
from searches.models import Worker

OF_BOTH = ("budget", "candidate_seconds", "seed")
OF_FINAL = ("final_epochs", "final_seeds", "final_top")
OF_TRAINING = ("epochs", *OF_FINAL)
POLICY_OF_TABLES = ("policy-proxy", "policy-proxy_share", "policy-proxy_trust")
POLICY_OF_SCORES = ("policy-replicates", *POLICY_OF_TABLES)
POLICY_OF_SHARED = (*POLICY_OF_TABLES, "policy-watch")
POLICY_OF_TRAINING = ("policy-replicates", "policy-stopping", "policy-grace", *POLICY_OF_TABLES, "policy-watch")


def budget_fields(draft: Draft) -> dict[str, forms.Field]:
    """Return the numbers of the plan; a table was trained before, so it asks for no epochs."""
    fields = {
        "name": forms.CharField(label=_("Name of the search"), max_length=120),
        "budget": _number(_("Candidates"), _("How many networks the search trains and compares.")),
        "queue": forms.ChoiceField(label=_("Queue"), choices=queues()),
        "candidate_seconds": _number(
            _("Time limit per candidate, in seconds"), _("A candidate that trains longer has failed.")
        ),
        "seed": _number(_("Seed of the search"), _("The same seed and answers give the same proposals."), low=0),
    }
    if draft.plan.is_rehearsal:
        fields["budget"].help_text = _("How many networks the search looks up and compares.")
        return fields | setting_fields(Rehearsal, "rehearsal") | _policy_fields(draft.plan, POLICY_OF_TABLES)
    if draft.plan.is_scored:
        fields["budget"].help_text = _("How many networks the search scores and compares.")
        return (
            fields
            | _final_fields(draft.plan)
            | setting_fields(Scoring, "scoring")
            | _policy_fields(draft.plan, POLICY_OF_SCORES)
        )
    if draft.plan.is_shared:
        fields["budget"].help_text = _("How many networks the search measures by the shared weights and compares.")
        shared = setting_fields(Supernet, "supernet")
        return fields | shared | _final_fields(draft.plan) | _policy_fields(draft.plan, POLICY_OF_SHARED)
    if draft.plan.is_gradient:
        fields["budget"] = _number(
            _("Epochs of the search"), _("How long the supernet trains; an architecture is derived after each epoch.")
        )
        fields["candidate_seconds"] = _number(
            _("Time limit per epoch, in seconds"), _("A search whose epoch takes longer has failed.")
        )
        return fields | _final_fields(draft.plan)
    epochs = _number(_("Epochs each"), _("How long a candidate trains in the search."))
    return {
        **fields,
        "epochs": epochs,
        **_fidelity_fields(draft.plan),
        **_final_fields(draft.plan),
        **_policy_fields(draft.plan, POLICY_OF_TRAINING),
    }


def _fidelity_fields(plan: Plan) -> dict[str, forms.Field]:
    """Return what candidates may train with; only some strategies have rungs that could be of it."""
    fields = setting_fields(Fidelity, "fidelity", plan.task)
    if not issubclass(STRATEGIES[plan.strategy], Climbing):
        del fields["fidelity-rungs"]
    return fields


def _final_fields(plan: Plan) -> dict[str, forms.Field]:
    return {
        "final_epochs": _number(_("Epochs at the end"), _("How long the winner and the baseline train at the end.")),
        "final_seeds": _number(_("Seeds at the end"), _("How often both train, to show the spread between seeds.")),
        **contest_fields(plan),
        **setting_fields(Training, "training", plan.task),
        **setting_fields(Measuring, "measuring"),
    }


def _policy_fields(plan: Plan, names: Sequence[str]) -> dict[str, forms.Field]:
    known = setting_fields(Policy, "policy")
    fields = {name: known[name] for name in names}
    fields["policy-proxy"].widget = forms.Select(
        choices=[("", _("none")), *((name, title(name)) for name in proxies(plan))]
    )
    if "policy-watch" in fields:
        fields["policy-watch"].widget = forms.CheckboxSelectMultiple(choices=[(name, title(name)) for name in PROXIES])
    return fields


def _number(label: Any, help_text: Any, low: int = 1) -> forms.Field:
    return forms.IntegerField(label=label, help_text=help_text, min_value=low, max_value=2**31)


def queues() -> list[tuple[str, str]]:
    """Return the queues that there are workers for, and the usual one."""
    known = {settings.DEFAULT_QUEUE, *Worker.objects.values_list("queue", flat=True)}
    return [(queue, queue) for queue in sorted(known)]


def budget_initial(draft: Draft) -> dict[str, Any]:
    """Return the numbers as they are."""
    plan = draft.plan
    numbers = {name: getattr(plan, name) for name in (*OF_BOTH, *OF_TRAINING)}
    training = setting_initial(Training, "training", codec.dump(plan.training))
    rehearsal = setting_initial(Rehearsal, "rehearsal", codec.dump(plan.rehearsal))
    scoring = setting_initial(Scoring, "scoring", codec.dump(plan.scoring))
    policy = setting_initial(Policy, "policy", codec.dump(plan.policy))
    measuring = setting_initial(Measuring, "measuring", codec.dump(plan.measuring))
    supernet = setting_initial(Supernet, "supernet", codec.dump(plan.supernet))
    less = setting_initial(Fidelity, "fidelity", codec.dump(plan.fidelity))
    groups = {**less, **training, **measuring, **rehearsal, **scoring, **supernet, **policy}
    return {"name": draft.name, "queue": draft.queue, **numbers, **groups, **contest_initial(plan)}


def apply_budget(draft: Draft, data: Data) -> Draft:
    """Return the draft with these numbers."""
    plan = replace(draft.plan, **{name: data[name] for name in OF_BOTH})
    if plan.is_rehearsal:
        plan = replace(plan, rehearsal=configure(Rehearsal, setting_values(Rehearsal, "rehearsal", data)))
    else:
        asked = setting_values(Training, "training", data)
        training = configure(Training, {**codec.dump(plan.training), **asked})
        measuring = configure(Measuring, setting_values(Measuring, "measuring", data))
        numbers = {name: data[name] for name in OF_TRAINING if name in data}
        plan = replace(plan, training=training, measuring=measuring, baseline=baseline_of(plan, data), **numbers)
    # What is not asked for here was asked for another kind of search.
    less = setting_values(Fidelity, "fidelity", data) if "epochs" in data else {}
    plan = replace(plan, fidelity=configure(Fidelity, less))
    if plan.is_scored:
        plan = replace(plan, scoring=configure(Scoring, setting_values(Scoring, "scoring", data)))
    if plan.is_shared:
        plan = replace(plan, supernet=configure(Supernet, setting_values(Supernet, "supernet", data)))
    policy = {name.removeprefix("policy-"): data[name] for name in POLICY_OF_TRAINING if name in data}
    plan = replace(plan, policy=replace(plan.policy, **policy))
    return Draft(name=data["name"], queue=data["queue"], plan=plan)

"""The last step before the review: how much is measured, how, and by whom."""

from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from nas import codec
from nas.evaluation.protocol import Rehearsal, Training
from nas.settings import configure
from searches.drafts import Draft
from searches.forms.fields import setting_fields, setting_initial, setting_values
from searches.forms.wizard import Data
from searches.models import Worker

OF_BOTH = ("budget", "candidate_seconds", "seed")
OF_TRAINING = ("epochs", "final_epochs", "final_seeds")


def budget_fields(draft: Draft) -> dict[str, forms.Field]:
    """Return the numbers of the plan; a table was trained before, so it asks for no epochs."""
    fields = {
        "name": forms.CharField(label=_("Name of the search"), max_length=120),
        "budget": _number(_("Candidates"), _("How many networks the search trains and compares.")),
        "queue": forms.ChoiceField(label=_("Queue"), choices=_queues()),
        "candidate_seconds": _number(
            _("Time limit per candidate, in seconds"), _("A candidate that trains longer has failed.")
        ),
        "seed": _number(_("Seed of the search"), _("The same seed and answers give the same proposals."), low=0),
    }
    if draft.plan.is_rehearsal:
        fields["budget"].help_text = _("How many networks the search looks up and compares.")
        return fields | setting_fields(Rehearsal, "rehearsal")
    return fields | {
        "epochs": _number(_("Epochs each"), _("How long a candidate trains in the search.")),
        "final_epochs": _number(_("Epochs at the end"), _("How long the winner and the baseline train at the end.")),
        "final_seeds": _number(_("Seeds at the end"), _("How often both train, to show the spread between seeds.")),
        **setting_fields(Training, "training"),
    }


def _number(label: Any, help_text: Any, low: int = 1) -> forms.Field:
    return forms.IntegerField(label=label, help_text=help_text, min_value=low, max_value=2**31)


def _queues() -> list[tuple[str, str]]:
    known = {settings.DEFAULT_QUEUE, *Worker.objects.values_list("queue", flat=True)}
    return [(queue, queue) for queue in sorted(known)]


def budget_initial(draft: Draft) -> dict[str, Any]:
    """Return the numbers as they are."""
    plan = draft.plan
    numbers = {name: getattr(plan, name) for name in (*OF_BOTH, *OF_TRAINING)}
    training = setting_initial(Training, "training", codec.dump(plan.training))
    rehearsal = setting_initial(Rehearsal, "rehearsal", codec.dump(plan.rehearsal))
    return {"name": draft.name, "queue": draft.queue, **numbers, **training, **rehearsal}


def apply_budget(draft: Draft, data: Data) -> Draft:
    """Return the draft with these numbers."""
    plan = replace(draft.plan, **{name: data[name] for name in OF_BOTH})
    if plan.is_rehearsal:
        plan = replace(plan, rehearsal=configure(Rehearsal, setting_values(Rehearsal, "rehearsal", data)))
    else:
        training = configure(Training, setting_values(Training, "training", data))
        plan = replace(plan, training=training, **{name: data[name] for name in OF_TRAINING})
    return Draft(name=data["name"], queue=data["queue"], plan=plan)

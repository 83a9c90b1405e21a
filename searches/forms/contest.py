"""Who is compared in the final stage: how many finalists, and against which baseline."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from nas import codec
from nas.plan import Plan
from nas.reference import HAND_MADE, NETWORKS, OWN, TITLES, Reference, reference
from nas.sentences import Refused


def contest_fields(plan: Plan) -> dict[str, forms.Field]:
    """Return the fields; torchvision's networks are offered where the data are images."""
    names = (HAND_MADE, *(NETWORKS if plan.task.kind == "image" else ()), OWN)
    return {
        "final_top": forms.IntegerField(
            label=_("Finalists"),
            help_text=_(
                "How many of the best are trained fully. Of several, validation says which has won; its images are "
                "then not learned from."
            ),
            min_value=1,
            max_value=20,
        ),
        "baseline": forms.ChoiceField(
            label=_("Baseline"),
            help_text=_("The network that the winner is compared with. Those of torchvision start untrained, too."),
            choices=[(name, gettext_lazy(TITLES[name])) for name in names],
        ),
        "baseline_budget": forms.ChoiceField(
            label=_("The baseline trains"),
            choices=[("epochs", _("as many epochs as the winner")), ("time", _("as long as the winner"))],
        ),
        "baseline_own": forms.CharField(
            label=_("Own network"),
            help_text=_(
                "Used where the baseline is an own network: the content of an exported architecture.json, or choices "
                "of this search's space such as 1, 0, 2."
            ),
            required=False,
            max_length=100_000,
            widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        ),
    }


def contest_initial(plan: Plan) -> dict[str, Any]:
    """Return who is compared now."""
    found = plan.baseline
    own = {"space": codec.dump(found.space), "choices": list(found.choices)}
    return {
        "final_top": plan.final_top,
        "baseline": found.network,
        "baseline_budget": found.budget,
        "baseline_own": json.dumps(own) if found.network == OWN else "",
    }


def baseline_of(plan: Plan, data: Mapping[str, Any]) -> Reference:
    """Return the baseline that the fields name; raises Refused for an own one that is none."""
    own = data["baseline_own"].strip()
    if data["baseline"] == OWN and not own:
        raise Refused("An own network needs its architecture.json or its choices.", name="baseline_own")
    text = own if data["baseline"] == OWN else data["baseline"]
    return reference(text, plan.space, data["baseline_budget"])

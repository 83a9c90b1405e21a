"""The first step: the data that networks learn from, or the table that answers in the place of training."""

from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from nas import plan as plans
from nas.datasets.catalogue import dataset, datasets
from nas.datasets.places import folder
from nas.evaluation.protocol import Split
from nas.plan import Plan
from nas.tables import places
from searches.drafts import Draft, table_name, with_dataset, with_table
from searches.forms.wizard import Data

TABLE = "table:"


def dataset_fields(draft: Draft) -> dict[str, forms.Field]:
    """Return the choice among datasets and tables, and how a dataset is split."""
    tables = [(f"{TABLE}{found.name}", found.title) for found in places.tables()]
    return {
        "dataset": forms.ChoiceField(
            label=_("Dataset"), choices=[*((name, item.title) for name, item in datasets().items()), *tables]
        ),
        "valid_share": forms.FloatField(
            label=_("Share for validation"),
            help_text=_(
                "Candidates are compared on this part of the training data; the test data are used once, at the end."
            ),
            min_value=0.05,
            max_value=0.5,
        ),
        "split_seed": forms.IntegerField(
            label=_("Seed of the split"),
            help_text=_("The same seed cuts the same part off for validation."),
            min_value=0,
            max_value=2**31,
        ),
    }


def dataset_initial(draft: Draft) -> dict[str, Any]:
    """Return what is chosen now."""
    split = draft.plan.split
    chosen = f"{TABLE}{table_name(draft.plan)}" if draft.plan.is_rehearsal else split.dataset
    return {"dataset": chosen, "valid_share": split.valid_share, "split_seed": split.seed}


def apply_dataset(draft: Draft, data: Data) -> Draft:
    """Return the draft on other data; between a dataset and a table much of the plan changes."""
    chosen = data["dataset"]
    if chosen.startswith(TABLE):
        return replace(draft, plan=with_table(draft.plan, chosen.removeprefix(TABLE)))
    split = Split(chosen, data["split_seed"], data["valid_share"])
    return replace(draft, plan=with_dataset(draft.plan, split))


def check_dataset(plan: Plan) -> None:
    """Raise Refused where the files are missing or the table cannot be read."""
    if plan.is_rehearsal:
        plans.table(plan)
    else:
        folder(dataset(plan.split.dataset), settings.NAS_DATA_DIRS)

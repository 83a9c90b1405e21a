"""Settings that one button fills in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from searches.forms.wizard import StepForm


@dataclass(frozen=True)
class Preset:
    """Values for fields of one step, by the names of the fields."""

    step: str
    title: str | Promise
    values: Mapping[str, Any]


PRESETS: dict[str, Preset] = {
    "classic": Preset(
        "strategy",
        _("Classic values: population 100, 50 generations"),
        {
            "strategy": "genetic",
            "genetic-population": 100,
            "genetic-generations": 50,
            "genetic-crossover_rate": 0.5,
            "genetic-mutation_rate": 0.1,
        },
    )
}


def with_preset(form: StepForm, name: str) -> StepForm:
    """Return the form with the preset's values over what was typed in it."""
    data = QueryDict(mutable=True)
    data.update(form.data)
    for field, value in PRESETS[name].values.items():
        data[field] = str(value)
    return StepForm(form.step, form.draft, data)

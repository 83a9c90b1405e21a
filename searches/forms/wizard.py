"""The form of one step of the wizard: reads a draft, and gives back a changed one or says what is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise

from nas.plan import Plan
from nas.sentences import Refused
from searches.drafts import Draft
from searches.forms.fields import SettingField
from searches.say import say

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One page of the wizard: `apply` puts cleaned values into a draft, `check` refuses what cannot work.

    `kind` is the field that picks one of several groups of settings, each group's fields prefixed by its value.
    """

    name: str
    title: str | Promise
    about: str | Promise
    fields: Callable[[Draft], dict[str, forms.Field]]
    initial: Callable[[Draft], dict[str, Any]]
    apply: Callable[[Draft, Data], Draft]
    check: Callable[[Plan], None]
    kind: str = ""


class StepForm(forms.Form):
    """After validation `draft` is the changed draft; before, or where it failed, the one that was given."""

    def __init__(self, step: Step, draft: Draft, data: Data | None = None) -> None:
        super().__init__(data, initial=step.initial(draft))
        self.step = step
        self.draft = draft
        self.fields.update(step.fields(draft))
        chosen = data.get(step.kind) if data is not None else None
        for name, field in self.fields.items():
            if step.kind and chosen is not None and isinstance(field, SettingField):
                field.asked = name.startswith(f"{chosen}-")

    def clean(self) -> dict[str, Any]:
        """Apply the values and ask the engine; its refusal is shown at the field it names."""
        cleaned = dict(super().clean() or {})
        if self.errors:
            return cleaned
        try:
            draft = self.step.apply(self.draft, cleaned)
            self.step.check(draft.plan)
            self.draft = draft
        except Refused as refused:
            self.add_error(self._field_of(refused), say(refused.sentence))
        return cleaned

    def fields_of(self, prefix: str) -> list[forms.BoundField]:
        """Return the fields whose names begin so."""
        return [self[name] for name in self.fields if name.startswith(prefix)]

    def _field_of(self, refused: Refused) -> str | None:
        name = str(refused.sentence.values.get("name", ""))
        chosen = self.data.get(self.step.kind, "")
        return next((field for field in (name, f"{chosen}-{name}") if field in self.fields), None)

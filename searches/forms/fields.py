"""Form fields made from the settings of spaces, strategies and training."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from nas.sentences import Refused, Sentence
from nas.settings import Setting, read, settings_of
from nas.spaces.graph import Task
from searches.say import label, option, say


class SettingField(forms.Field):
    """One setting: its bounds are checked by the engine; where `asked` is False the value is not looked at."""

    def __init__(self, item: Setting) -> None:
        super().__init__(required=False, initial=item.default, label=label(item.name), help_text=_help(item))
        self.item = item
        self.asked = True
        self.widget = _widget(item)

    def clean(self, value: Any) -> Any:
        """Return the typed value; raises ValidationError with the engine's sentence."""
        if not self.asked:
            return None
        if value in (None, "", []) and not self.item.many and self.item.default != "":
            raise ValidationError(self.error_messages["required"])
        try:
            return read(self.item, ([] if self.item.many else "") if value is None else value)
        except Refused as refused:
            raise ValidationError(say(_titled(refused.sentence))) from refused

    def prepare_value(self, value: Any) -> Any:
        """Return what the widget shows."""
        if self.item.many and not self.item.options and not isinstance(value, str):
            return ", ".join(str(part) for part in value or ())
        return value


def setting_fields(kind: type, prefix: str, task: Task | None = None) -> dict[str, forms.Field]:
    """Return a field for each setting of a dataclass, named "prefix-setting"; given a task, those that serve it."""
    asked = [item for item in settings_of(kind) if task is None or serves(item, task)]
    return {f"{prefix}-{item.name}": SettingField(item) for item in asked}


def serves(item: Setting, task: Task) -> bool:
    """Tell whether a setting changes anything for such data."""
    return task.kind == "image" or not item.images_only


def setting_initial(kind: type, prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values to begin with, the defaults where none are given."""
    return {f"{prefix}-{item.name}": values.get(item.name, item.default) for item in settings_of(kind)}


def setting_values(kind: type, prefix: str, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings out of the cleaned data of a form, those that it asked for."""
    names = [item.name for item in settings_of(kind)]
    return {name: cleaned[f"{prefix}-{name}"] for name in names if f"{prefix}-{name}" in cleaned}


def _titled(sentence: Sentence) -> Sentence:
    name = sentence.values.get("name")
    return Sentence(sentence.template, {**sentence.values, "name": label(str(name))}) if name else sentence


def _help(item: Setting) -> Any:
    text = gettext_lazy(item.help)
    if item.options or item.kind is bool or item.low is None or item.high is None:
        return text
    bounds = format_lazy(gettext_lazy("From {low} to {high}."), low=f"{item.low:,g}", high=f"{item.high:,g}")
    return format_lazy("{} {}", text, bounds)


def _widget(item: Setting) -> forms.Widget:
    choices = [(value, option(value)) for value in item.options]
    if item.kind is bool:
        return forms.CheckboxInput()
    if item.many and item.options:
        return forms.CheckboxSelectMultiple(choices=choices)
    if item.many:
        return forms.TextInput(attrs={"autocomplete": "off"})
    if item.options:
        return forms.Select(choices=choices)
    if item.kind in (int, float):
        step = "any" if item.kind is float else 1
        return forms.NumberInput(attrs={"min": item.low, "max": item.high, "step": step})
    return forms.TextInput()

"""Rules on a space: boxes for what is asked often, made from the decisions of the space, and lines for any rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from nas.architecture import Decision
from nas.plan import Plan
from nas.sentences import Refused
from nas.settings import settings_of
from nas.spaces import catalogue as spaces
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.rule import Rule, is_number, is_power_of_two, pattern, rule
from searches.forms.wizard import StepForm
from searches.say import option, say

LONGEST = 4000  # characters of all lines together
BOXES, LINES = "rules-", "lines-"


@dataclass(frozen=True)
class Box:
    """A rule to tick: `value` is the rule as text."""

    value: str
    title: str
    checked: bool = False


@dataclass(frozen=True)
class Row:
    """Options of one decision, or of all decisions whose names differ in a number only, each to be forbidden."""

    title: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Offer:
    """Every rule that can be ticked for a space."""

    forbid: tuple[Row, ...] = ()
    tie: tuple[Box, ...] = ()
    powers: tuple[Box, ...] = ()

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All of them."""
        return (*(box for row in self.forbid for box in row.boxes), *self.tie, *self.powers)

    def ticked(self, values: Iterable[str]) -> "Offer":
        """Return the offer with those rules ticked."""
        chosen = set(values)

        def those(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
            return tuple(replace(box, checked=box.value in chosen) for box in boxes)

        rows = tuple(replace(row, boxes=those(row.boxes)) for row in self.forbid)
        return Offer(rows, those(self.tie), those(self.powers))


@dataclass(frozen=True)
class RulePanel:
    """The part of the page about rules; `open` unless there is nothing in it yet."""

    offer: Offer
    name: str
    lines: forms.BoundField
    open: bool


class LinesField(forms.CharField):
    """Rules as text, one a line."""

    def clean(self, value: Any) -> tuple[Rule, ...]:
        """Return the rules; raises ValidationError with the engine's sentence."""
        try:
            return tuple(rule(line) for line in super().clean(value).splitlines() if line.strip())
        except Refused as refused:
            raise ValidationError(say(refused.sentence)) from refused


def rule_fields(kinds: Iterable[str]) -> dict[str, forms.Field]:
    """Return for each kind of space the ticked rules and the lines."""
    fields: dict[str, forms.Field] = {}
    for kind in kinds:
        fields[f"{BOXES}{kind}"] = forms.Field(label=_("Rules"), required=False, widget=forms.SelectMultiple())
        fields[f"{LINES}{kind}"] = LinesField(
            label=_("Further rules, one a line"),
            help_text=_("For example: forbid: layer 1 operation = dense; a * in a name stands for any text."),
            required=False,
            max_length=LONGEST,
            widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        )
    return fields


def rule_initial(plan: Plan) -> dict[str, Any]:
    """Return the rules of the plan's space, those that no box stands for as lines."""
    kind, texts = plan.space.kind, [str(one) for one in plan.space.rules]
    known = {box.value for box in _offer_of(plan, plan.space).boxes}
    return {
        f"{BOXES}{kind}": [text for text in texts if text in known] or None,
        f"{LINES}{kind}": "\n".join(text for text in texts if text not in known),
    }


def with_rules(plan: Plan, spec: SpaceSpec, data: Mapping[str, Any]) -> SpaceSpec:
    """Return the space with its rules as the form says; a box that it does not offer any more counts for nothing."""
    ticked = set(data[f"{BOXES}{spec.kind}"] or ())
    boxes = _offer_of(plan, spec).boxes
    chosen = (*(rule(box.value) for box in boxes if box.value in ticked), *data[f"{LINES}{spec.kind}"])
    return replace(spec, rules=tuple(dict.fromkeys(chosen)))


def rule_panel(form: StepForm) -> RulePanel:
    """Return what is asked about the space as the form says now, whether it is right or not."""
    plan = form.draft.plan
    spec = _typed(form)
    boxes, lines = form[f"{BOXES}{spec.kind}"], form[f"{LINES}{spec.kind}"]
    offer = _offer_of(plan, spec).ticked(boxes.value() or ())
    begun = any(box.checked for box in offer.boxes) or bool(lines.value())
    return RulePanel(offer, boxes.html_name, lines, begun or bool(form.non_field_errors()))


def _typed(form: StepForm) -> SpaceSpec:
    plan = form.draft.plan
    if plan.is_rehearsal or not form.is_bound:
        return plan.space
    kind = str(form["kind"].value())
    if kind not in spaces.SEARCHABLE:
        return plan.space
    form.is_valid()
    names = [item.name for item in settings_of(spaces.SPACES[kind])]
    right = {name: form.cleaned_data[at] for name in names if (at := f"{kind}-{name}") in form.cleaned_data}
    return SpaceSpec(kind, right)


def _offer_of(plan: Plan, spec: SpaceSpec) -> Offer:
    try:
        return offer(spaces.build(replace(spec, rules=(), limits=()), plan.task).decisions)
    except Refused:
        # What is wrong with the space itself is said where it was typed.
        return Offer()


def offer(decisions: Iterable[Decision]) -> Offer:
    """Return the rules that can be ticked; decisions whose names differ in a number only are asked about together."""
    known = tuple(decisions)
    rows, ties, powers = [], [], []
    for name in dict.fromkeys(pattern(one.name) for one in known):
        asked = [one.options for one in known if Rule("tie", name).asks(one.name)]
        options = list(dict.fromkeys(each for those in asked for each in those))
        if len(options) < 2:
            continue
        rows.append(Row(name, tuple(Box(str(Rule("forbid", name, each)), option(each)) for each in options)))
        if len(asked) > 1 and set(asked[0]).intersection(*asked):
            ties.append(Box(str(Rule("tie", name)), name))
        if all(map(is_number, options)) and all(any(map(is_power_of_two, those)) for those in asked):
            powers.append(Box(str(Rule("powers of two", name)), name))
    return Offer(tuple(rows), tuple(ties), tuple(powers))

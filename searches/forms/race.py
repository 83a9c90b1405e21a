"""The form of a new race: a table, a column to select on, strategies, seeds and a budget."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from nas.checks import check
from nas.evaluation.protocol import Split
from nas.plan import Plan
from nas.race.contest import BASELINE
from nas.rehearsal import on_table
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec
from nas.strategies.catalogue import STRATEGIES
from nas.tables import places
from searches.demo import TABLES
from searches.forms import columns
from searches.forms.budget import queues
from searches.say import label, say

MOST_SEEDS = 1000
USUAL = ("genetic", "aging_evolution", "local_search")
NUMBERS = {"seeds": 20, "budget": 150, "first_seed": 1}
PLAN = Plan(Split("digits"), SpaceSpec("chain", {}), BASELINE)


class RaceForm(forms.Form):
    """`plan` is what the lanes have in common: before validation as far as the answers so far can be used."""

    name = forms.CharField(
        label=_("Name of the race"),
        required=False,
        max_length=120,
        help_text=_("Empty: a number."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    table = forms.ChoiceField(label=_("Table"), help_text=_("Its networks are looked up instead of trained."))
    objective = forms.ChoiceField(label=_("Select on"), help_text=_("What the strategies bring up or down."))
    report = forms.ChoiceField(
        label=_("Report"), required=False, help_text=_("Read of the best so far; no strategy sees it.")
    )
    strategies = forms.MultipleChoiceField(
        label=_("Strategies"),
        choices=[(name, name) for name in STRATEGIES if name != BASELINE],
        error_messages={"required": _("Choose at least one strategy.")},
    )
    seeds = forms.IntegerField(
        label=_("Seeds"), min_value=1, max_value=MOST_SEEDS, help_text=_("How often each strategy runs.")
    )
    budget = forms.IntegerField(
        label=_("Budget"), min_value=1, max_value=1_000_000, help_text=_("How many networks each lane looks up.")
    )
    first_seed = forms.IntegerField(
        label=_("First seed"), min_value=0, max_value=2**31 - MOST_SEEDS, help_text=_("The others follow it.")
    )
    queue = forms.ChoiceField(label=_("Queue"))

    def __init__(self, data: Any = None, answers: Mapping[str, Any] | None = None) -> None:
        """Take what was sent, or what was answered so far while the form is still being filled in."""
        said = data if data is not None else answers or {}
        names = {found.name: found.title for found in places.tables()}
        table = str(said.get("table", ""))
        table = table if table in names else next((name for name in TABLES if name in names), next(iter(names)))
        self.plan = _plan(table, said)
        super().__init__(data, initial=_initial(self.plan, table, answers or {}))
        of_table = columns.fields(self.plan)
        choices = {
            "table": list(names.items()),
            "objective": columns.directions(self.plan, optional=False),
            "report": of_table["report_1"].choices,  # type: ignore[attr-defined]
            "queue": queues(),
        }
        for name, options in choices.items():
            self.fields[name].choices = options  # type: ignore[attr-defined]

    @property
    def chosen(self) -> Sequence[str]:
        """The strategies that are ticked now."""
        return self["strategies"].value() or ()

    def clean(self) -> dict[str, Any]:
        """Set the plan, and refuse a strategy that cannot work on it."""
        data = super().clean() or {}
        if self.errors:
            return data
        plan = on_table(PLAN, data["table"], objectives=[data["objective"]])
        report = (data["report"],) if data["report"] else ()
        self.plan = replace(plan, report=report, budget=data["budget"], seed=data["first_seed"])
        for name in data["strategies"]:
            if problem := obstacle(self.plan, name):
                self.add_error("strategies", f"{label(name)}: {problem}")
        return data


def obstacle(plan: Plan, strategy: str) -> str:
    """Say why a strategy would be refused, "" where it would not."""
    try:
        check(replace(plan, strategy=strategy))
    except Refused as refused:
        return say(refused.sentence)
    return ""


def _plan(table: str, said: Mapping[str, Any]) -> Plan:
    """Return a plan on the table with those of the answers that fit it."""
    budget = str(said.get("budget", ""))
    plan = replace(PLAN, budget=max(1, int(budget)) if budget.isdecimal() else NUMBERS["budget"])
    try:
        return on_table(plan, table, objectives=[str(said.get("objective") or "-")])
    except Refused:
        return on_table(plan, table)


def _initial(plan: Plan, table: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    aim, kept = plan.objectives[0], {name: answers[name] for name in ("name", *NUMBERS) if name in answers}
    # Another table or objective is asked for without the report, and brings the column beside it.
    report = answers.get("report", next(iter(plan.report), ""))
    return {
        "queue": answers.get("queue", settings.DEFAULT_QUEUE),
        "strategies": answers.get("strategies", USUAL),
        **NUMBERS,
        **kept,
        "table": table,
        "objective": f"{aim.goal}:{aim.metric}",
        "report": report,
    }

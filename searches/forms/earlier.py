"""The part of the strategy step that lets a search learn from the team's earlier ones."""

from dataclasses import replace
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nas import plan as plans
from nas.plan import Plan
from nas.policy import Policy
from nas.settings import settings_of
from searches.columns import figure_of
from searches.drafts import Draft
from searches.figures import write
from searches.forms.wizard import Data
from searches.models import Run
from searches.warming import bests, learning, similar

MOST = next(int(item.high or 0) for item in settings_of(Policy) if item.name == "warm_start")


def earlier_fields(draft: Draft) -> dict[str, forms.Field]:
    """Return nothing where there is no earlier search to learn from."""
    runs = similar(draft.plan)
    if not runs:
        return {}
    values = bests(runs)
    return {
        "earlier": forms.MultipleChoiceField(
            label=_("Searches to learn from"),
            help_text=_(
                "The search begins with the networks that did best there, and learns from them like from its own. "
                "These are completed, of a similar space, and were after the same."
            ),
            choices=[(str(run.pk), _about(run, values.get(run.pk))) for run in runs],
            widget=forms.CheckboxSelectMultiple(),
            required=False,
        ),
        "earlier_count": forms.IntegerField(
            label=_("Networks to begin with"), min_value=0, max_value=MOST, required=False
        ),
    }


def earlier_initial(draft: Draft) -> dict[str, Any]:
    """Return what is ticked, and the count as it is."""
    ticked = [str(source.run) for source in draft.plan.warm.sources if source.run]
    return {"earlier": ticked, "earlier_count": draft.plan.policy.warm_start}


def with_earlier(plan: Plan, data: Data) -> Plan:
    """Return the plan that learns from what is ticked."""
    if "earlier" not in data:
        return plan
    if data["earlier_count"] is not None:
        plan = replace(plan, policy=replace(plan.policy, warm_start=data["earlier_count"]))
    ticked = {int(number) for number in data["earlier"]}
    if ticked == {source.run for source in plan.warm.sources if source.run}:
        return plan  # what came out of files stays
    return learning(plan, list(Run.objects.filter(pk__in=ticked)))


def _about(run: Run, best: float | None) -> str:
    plan = run.plan
    figure = figure_of(plan, plan.objectives[0].metric)
    what = str(figure.title)
    if not plan.is_rehearsal:  # a column of a table says all of it
        epochs = ngettext("{count} epoch", "{count} epochs", plan.epochs).format(count=plan.epochs)
        what = gettext(", ").join((what, gettext(plans.data_title(plan)), epochs))
    return gettext("{name}: {value} ({what}), {date}").format(
        name=run.name,
        value=write(figure, best),
        what=what,
        date=date_format(localtime(run.finished_at or run.created_at), "DATE_FORMAT"),
    )

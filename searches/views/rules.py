"""The rules of a space in the wizard, and how much of the space they and the limits exclude."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from nas.sentences import Refused
from searches import drafts
from searches.excluded import excluded
from searches.forms.rules import LINES, rule_panel
from searches.forms.steps import STEPS
from searches.forms.wizard import StepForm
from searches.say import say
from searches.views.access import changeable_run

COUNTED = ("space", "objectives")


@require_POST
def rules(request: HttpRequest, run_id: int, step: str) -> HttpResponse:
    """Return what can be forbidden or tied in the space as the form says now."""
    form = _form(request, run_id, step, ("space",))
    return render(request, "searches/wizard_rules.html", {"rules": rule_panel(form)})


@require_POST
def share(request: HttpRequest, run_id: int, step: str) -> HttpResponse:
    """Return the share of sampled architectures that the form as it is now would exclude."""
    return render(request, "searches/wizard_excluded.html", _excluded(_form(request, run_id, step, COUNTED)))


def rule_context(form: StepForm) -> dict[str, Any]:
    """Return what a step's page shows of rules and what they exclude; an untouched page asks for the share later."""
    found: dict[str, Any] = {"rules": rule_panel(form)} if form.step.name == "space" else {}
    return found | (_excluded(form) if form.step.name in COUNTED and form.is_bound else {})


def _form(request: HttpRequest, run_id: int, step: str, allowed: tuple[str, ...]) -> StepForm:
    draft = drafts.read(changeable_run(request, run_id))
    if step not in allowed:
        raise Http404
    return StepForm(STEPS[step], draft, request.POST)


def _excluded(form: StepForm) -> dict[str, Any]:
    if not form.is_valid():
        of_lines = [error for name, errors in form.errors.items() if name.startswith(LINES) for error in errors]
        return {"excluded": None, "excluded_problem": next(iter([*form.non_field_errors(), *of_lines]), "")}
    try:
        return {"excluded": excluded(form.draft.plan), "excluded_problem": ""}
    except Refused as refused:
        return {"excluded": None, "excluded_problem": say(refused.sentence)}

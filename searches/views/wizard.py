"""The wizard: a new search, step by step, each step at its own address."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nas import codec
from nas.checks import check
from nas.datasets.catalogue import dataset
from nas.evaluation.protocol import AUGMENTATION
from nas.plan import table
from nas.sentences import Refused
from nas.spaces.baseline import BASELINE, Baseline
from nas.strategies.catalogue import STRATEGIES
from searches import drafts, lifecycle
from searches.drafts import Draft
from searches.forms.objectives import split_limits
from searches.forms.presets import PRESETS, with_preset
from searches.forms.steps import STEPS
from searches.forms.wizard import StepForm
from searches.models import Run, Worker
from searches.review import review
from searches.say import label, say
from searches.views.access import changeable_run, person
from searches.views.choices import cards, measuring_cards, proxies_about, strategy_groups, table_cards
from searches.views.panels import estimate_panel, samples_panel
from searches.views.rules import rule_context

REVIEW = "review"
ORDER = (*STEPS, REVIEW)


@require_GET
def new_search(request: HttpRequest) -> HttpResponse:
    """Begin a draft, or go on with one that was begun and not touched."""
    return redirect("wizard", drafts.new_draft(person(request)).pk, ORDER[0])


@require_POST
def rehearse(request: HttpRequest, name: str) -> HttpResponse:
    """Begin a draft on a table."""
    try:
        draft = drafts.new_rehearsal(person(request), name)
    except Refused as refused:
        messages.error(request, say(refused.sentence))
        return redirect("tables")
    return redirect("wizard", draft.pk, ORDER[0])


@require_http_methods(["GET", "POST"])
def wizard(request: HttpRequest, run_id: int, step: str) -> HttpResponse:
    """Show a step, or save it and go where the person wants to."""
    run = changeable_run(request, run_id)
    if not run.is_draft:
        return redirect(run)
    if step not in ORDER:
        raise Http404
    draft = drafts.read(run)
    problem = _lost(draft)
    if problem and step != ORDER[0]:
        messages.error(request, problem)
        return redirect("wizard", run.pk, ORDER[0])
    if step == REVIEW:
        return _review(request, run)
    if request.method == "GET":
        # Input that could not be saved when the person left comes back as it was typed.
        kept = request.session.pop(_kept(run, step), None)
        return _page(request, run, StepForm(STEPS[step], draft, _unpacked(kept)))
    form = StepForm(STEPS[step], draft, request.POST)
    go = request.POST.get("go", "")
    if go == "samples":
        return _page(request, run, form)
    if go in PRESETS:
        return _page(request, run, with_preset(form, go))
    return _leave(request, run, form, _target(step, go))


@require_POST
def estimate(request: HttpRequest, run_id: int, step: str) -> HttpResponse:
    """Return the estimate of what the form says now, saved or not."""
    draft, current = _unsaved(request, run_id, step)
    return render(request, "searches/wizard_estimate.html", estimate_panel(draft, current=current))


@require_POST
def samples(request: HttpRequest, run_id: int, step: str) -> HttpResponse:
    """Return drawings of random networks of the space as the form says now."""
    draft, _current = _unsaved(request, run_id, step)
    return render(request, "searches/wizard_samples.html", samples_panel(draft, _draw(request)))


def _unsaved(request: HttpRequest, run_id: int, step: str) -> tuple[Draft, bool]:
    """The draft that the form would save, or the saved one where the form is not valid."""
    draft = drafts.read(changeable_run(request, run_id))
    if step not in STEPS:
        return draft, True
    form = StepForm(STEPS[step], draft, request.POST)
    return (form.draft, True) if form.is_valid() else (draft, False)


def _lost(draft: Draft) -> str:
    """Say what became of the data or the table: without them no step but the first knows what to ask."""
    try:
        if draft.plan.is_rehearsal:
            table(draft.plan)
        else:
            dataset(draft.plan.split.dataset)
    except Refused as refused:
        return say(refused.sentence)
    return ""


def _target(step: str, go: str) -> str:
    at = ORDER.index(step)
    if go == "back":
        return ORDER[max(0, at - 1)]
    return go if go in ORDER else ORDER[at + 1]


def _leave(request: HttpRequest, run: Run, form: StepForm, target: str) -> HttpResponse:
    step = form.step.name
    if form.is_valid():
        if not drafts.save(run, form.draft):
            return redirect(run)
        return redirect("wizard", run.pk, target)
    if ORDER.index(target) < ORDER.index(step):
        request.session[_kept(run, step)] = {key: request.POST.getlist(key) for key in request.POST}
        return redirect("wizard", run.pk, target)
    return _page(request, run, form)


def _page(request: HttpRequest, run: Run, form: StepForm) -> HttpResponse:
    draft = form.draft
    context = {
        "run": run,
        "form": form,
        "cards": cards(form),
        "presets": [(name, preset.title) for name, preset in PRESETS.items() if preset.step == form.step.name],
        **_frame(form.step.name),
        **estimate_panel(draft, current=not form.errors),
        **rule_context(form),
    }
    if form.step.name == "space":
        context |= samples_panel(draft, _draw(request))
    context |= _parts(form)
    return render(request, f"searches/wizard_{form.step.name}.html", context)


def _parts(form: StepForm) -> dict[str, Any]:
    """What the page of a step needs beyond its fields and cards."""
    plan = form.draft.plan
    match form.step.name:
        case "dataset":
            missing = [card for card in cards(form) if card.problem and not card.checked]
            return {"tables": table_cards(str(form["dataset"].value())), "missing": missing}
        case "space" if plan.is_rehearsal:
            return {"decisions": table(plan).decisions}
        case "strategy":
            return {"groups": strategy_groups(form), "measuring": measuring_cards(form)}
        case "objectives":
            able = [label(name) for name, kind in STRATEGIES.items() if kind().many_objectives]
            baseline = None if plan.is_rehearsal else Baseline(plan.task).graph(BASELINE)
            first, further = split_limits(form.fields_of("limit_"))
            parts = {"limits": first, "further": further, "reports": form.fields_of("report_")}
            return {**parts, "able": able, "baseline": baseline, "proxies": proxies_about(plan)}
        case "budget":
            groups = ("fidelity", "training", "measuring", "rehearsal", "scoring", "supernet", "policy")
            parts = {part: form.fields_of(f"{part}-") for part in groups}
            changes = [f"training-{name}" for name in AUGMENTATION]
            return parts | {
                "training": [field for field in parts["training"] if field.name not in changes],
                "augmentation": [field for field in parts["training"] if field.name in changes],
            }
    return {}


def _review(request: HttpRequest, run: Run) -> HttpResponse:
    sentence = ""
    if request.method == "POST":
        go = request.POST.get("go", "")
        if go != "start":
            return redirect("wizard", run.pk, _target(REVIEW, go or REVIEW))
        try:
            lifecycle.start(run)
            return redirect(run)
        except Refused as refused:
            sentence = say(refused.sentence)
    draft = drafts.read(run)
    context = {
        "run": run,
        "parts": [(part, STEPS[part.step].title) for part in review(draft)],
        "plan_json": json.dumps(codec.dump(draft.plan), indent=2),
        "problem": sentence or _problem(draft),
        **_frame(REVIEW),
        **estimate_panel(draft, current=True),
    }
    return render(request, "searches/wizard_review.html", context)


def _problem(draft: Draft) -> str:
    try:
        STEPS["dataset"].check(draft.plan)
        check(draft.plan, tells_energy=Worker.tell_energy(draft.queue))
    except Refused as refused:
        return say(refused.sentence)
    return ""


def _frame(step: str) -> dict[str, Any]:
    at = ORDER.index(step)
    titles = {**{name: known.title for name, known in STEPS.items()}, REVIEW: _("Review")}
    about = STEPS[step].about if step in STEPS else _("What will be done.")
    return {
        "step": step,
        "title": titles[step],
        "about": about,
        "steps": [
            {"name": name, "title": titles[name], "current": name == step, "done": index < at}
            for index, name in enumerate(ORDER)
        ],
        "back": ORDER[at - 1] if at else "",
    }


def _draw(request: HttpRequest) -> int:
    """The number of the drawing to show: counted up by the button that asks for others."""
    text = request.POST.get("draw", "")
    draw = int(text) if text.isdecimal() and len(text) < 6 else 0
    return draw + (request.POST.get("go") == "samples")


def _unpacked(kept: dict[str, list[str]] | None) -> QueryDict | None:
    if kept is None:
        return None
    data = QueryDict(mutable=True)
    for key, values in kept.items():
        data.setlist(key, values)
    return data


def _kept(run: Run, step: str) -> str:
    return f"wizard-{run.pk}-{step}"

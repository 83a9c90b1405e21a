"""Rules in the wizard: ticked, kept with the draft, seen in the samples, their price shown before a search starts."""

import json
from dataclasses import replace

import numpy as np
import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from nas import codec
from nas.objectives import Limit
from nas.plan import search_space
from nas.spaces.catalogue import SEARCHABLE, SpaceSpec, build, serves
from nas.spaces.graph import Task
from nas.spaces.rule import rule
from searches import drafts
from searches.drafts import Draft, first_plan, with_table
from searches.excluded import excluded
from searches.forms.rules import offer, rule_panel
from searches.forms.steps import STEPS
from searches.forms.wizard import StepForm
from searches.models import Run
from tests.searches.test_forms import posted

FORBIDDEN, TIED, POWERS = "forbid: layer * operation = dense", "tie: layer * filters", "powers of two: depth"
TASKS = (Task((1, 8, 8), 10), Task((4,), 3), Task((6,), 2, vocabulary=9))


@pytest.fixture
def person(client: Client, alice) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def rehearsal(tmp_path):
    """A draft on a table of 6 of 9 cells."""
    column = {"goal": "max", "unit": "", "dataset": "digits", "split": "valid", "epochs": 1, "device": "", "kind": ""}
    decisions = [{"name": f"edge 0-{node}", "options": ["none", "skip", "conv"]} for node in (1, 2)]
    about = {"format": 1, "name": "Tiny", "decisions": decisions, "metrics": {"valid_accuracy": column}}
    rows = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)]
    np.savez(
        tmp_path / "tiny.npz",
        about=np.frombuffer(json.dumps(about).encode(), np.uint8),
        choices=np.array(rows, np.uint8),
        valid_accuracy=np.arange(len(rows), dtype=float),
    )
    return Draft("a rehearsal", "default", with_table(first_plan(), str(tmp_path / "tiny.npz")))


@pytest.fixture
def draft(alice):
    return drafts.new_draft(alice)


def typed(*, ticked=(), lines="", go="next", **changes):
    """What a browser would send of the space step."""
    data = posted("space", **changes)
    data.setlist("rules-chain", list(ticked))
    data["lines-chain"] = lines
    data["go"] = go
    return data


def post(client, run, data, name="wizard", step="space"):
    url = reverse(name, args=[run.pk, step])
    return client.post(url, data.urlencode(), content_type="application/x-www-form-urlencoded")


def rules_of(run):
    run.refresh_from_db()
    return [str(one) for one in run.plan.space.rules]


def panel(**sent):
    return rule_panel(StepForm(STEPS["space"], Draft("a search", "default", first_plan()), typed(**sent)))


def test_what_is_ticked_and_what_is_written_is_saved_and_comes_back(person, draft):
    written = "forbid: layer 1 operation = max 2\n\n  tie: layer * norm "
    assert post(person, draft, typed(ticked=[FORBIDDEN, TIED], lines=written)).status_code == 302
    assert rules_of(draft) == [FORBIDDEN, TIED, "forbid: layer 1 operation = max 2", "tie: layer * norm"]
    page = person.get(reverse("wizard", args=[draft.pk, "space"]))
    found = page.context["rules"]
    ticked = {box.value for box in found.offer.boxes if box.checked}
    assert ticked == {FORBIDDEN, TIED, "tie: layer * norm"}
    assert found.lines.value() == "forbid: layer 1 operation = max 2"
    text = page.content.decode()
    assert f'value="{FORBIDDEN}" checked' in text
    assert "<details open>" in text


def test_without_rules_the_part_is_folded_and_nothing_is_stored(person, draft):
    text = person.get(reverse("wizard", args=[draft.pk, "space"])).content.decode()
    assert "<details open>" not in text
    assert post(person, draft, typed()).status_code == 302
    assert rules_of(draft) == []


def test_the_search_keeps_to_the_rules_that_were_ticked(person, draft):
    post(person, draft, typed(ticked=[FORBIDDEN, TIED]))
    run = Run.objects.get()
    asked = {one.name: one.options for one in search_space(run.plan).decisions}
    assert "layer * filters" in asked
    assert "layer 1 filters" not in asked
    assert "dense" not in asked["layer 1 operation"]


def test_every_offer_of_every_space_is_a_rule_that_the_space_takes():
    for name in SEARCHABLE:
        for task in TASKS:
            if not serves(name, task):
                continue
            boxes = offer(build(SpaceSpec(name, {}), task).decisions).boxes
            assert boxes
            assert len({box.value for box in boxes}) == len(boxes)
            for box in boxes:
                build(SpaceSpec(name, {}, rules=(rule(box.value),)), task)


def test_decisions_whose_names_differ_in_a_number_are_asked_about_together():
    offered = panel().offer
    rows = {row.title: [box.title for box in row.boxes] for row in offered.forbid}
    assert rows["layer * operation"] == ["conv 3", "conv 5", "max 2", "average 2", "dense"]
    assert rows["head"] == ["global pool", "flatten"]
    assert [box.title for box in offered.powers] == ["depth", "layer * filters", "layer * units"]
    assert "layer * operation" in [box.title for box in offered.tie]
    assert "head" not in [box.title for box in offered.tie]


def test_the_boxes_follow_the_settings_as_they_are_typed(person, draft):
    sent = typed(ticked=["forbid: layer * filters = 16", FORBIDDEN], **{"chain-filters": "24, 48"})
    page = post(person, draft, sent, "wizard-rules")
    found = page.context["rules"].offer
    filters = next(row for row in found.forbid if row.title == "layer * filters")
    assert [box.title for box in filters.boxes] == ["24", "48"]
    assert [box.value for box in found.boxes if box.checked] == [FORBIDDEN]
    assert "layer * filters" not in [box.title for box in found.powers]


def test_the_boxes_are_those_of_the_space_that_is_chosen(person, draft):
    page = post(person, draft, typed(kind="resnet"), "wizard-rules")
    text = page.content.decode()
    assert 'name="rules-resnet"' in text
    assert "layer * operation" not in text
    assert "stage * width" in text


@pytest.mark.parametrize("wrong", [{"chain-max_layers": "99"}, {"chain-filters": ""}, {"kind": "nonsense"}])
def test_settings_that_are_not_right_yet_leave_boxes_on_the_page(person, draft, wrong):
    page = post(person, draft, typed(ticked=[TIED], **wrong), "wizard-rules")
    assert page.status_code == 200
    assert page.context["rules"].lines.name.startswith("lines-")


def test_a_box_that_the_space_does_not_offer_any_more_counts_for_nothing(person, draft):
    sent = typed(ticked=["forbid: layer * filters = 16", "forbid: nonsense", TIED], **{"chain-filters": "24, 48"})
    assert post(person, draft, sent).status_code == 302
    assert rules_of(draft) == [TIED]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("forbid: layer * operation = dens", "the nearest is dense."),
        ("forbit: dense", "forbit: dense is no rule"),
        ("tie: head", "ties nothing: it is about head alone."),
        ("forbid: head = *", "leaves head without an option."),
        ("forbid: conv *\nforbid: dense", "None of 1000 sampled architectures is allowed in the space"),
    ],
)
def test_a_rule_that_cannot_work_is_said_and_not_saved(person, draft, lines, sentence):
    page = post(person, draft, typed(lines=lines))
    assert page.status_code == 200
    text = page.content.decode()
    assert sentence in text
    assert "<details open>" in text
    assert rules_of(draft) == []
    live = post(person, draft, typed(lines=lines), "wizard-share").content.decode()
    assert sentence in live


def test_the_share_counts_what_rules_and_limits_exclude(person, draft):
    unlimited = replace(draft.plan, limits=())
    Run.objects.update(plan_json=codec.dump(unlimited))
    assert "None of 1,000 sampled architectures breaks" in post(person, draft, typed(), "wizard-share").content.decode()
    page = post(person, draft, typed(ticked=["forbid: layer * operation = conv 3"]), "wizard-share")
    found = page.context["excluded"]
    assert 300 < found.count < 1000
    assert f"<b>{found.percent:g} %</b> of 1,000 sampled" in page.content.decode()
    assert (
        "operation is conv 3, which the rule forbid: layer * operation = conv 3 does not allow."
        in page.content.decode()
    )


def test_the_share_is_that_of_the_space_with_its_limits():
    plan = replace(first_plan(), limits=(Limit("depth", 4),))
    found = excluded(plan)
    assert 0 < found.count < 1000
    assert str(found.example).endswith("the limit 4.")
    # The same depth said as a setting: nothing is left to exclude but skips' own convolutions.
    shallow = replace(plan, space=SpaceSpec("chain", {"min_layers": 1, "max_layers": 3, "skip": False}))
    assert excluded(shallow).count == 0
    assert excluded(replace(plan, limits=())).count == 0


def test_the_objectives_step_shows_what_its_limits_exclude(person, draft):
    data = posted("objectives", limit_depth=3)
    page = post(person, draft, data, "wizard-share", "objectives")
    assert page.context["excluded"].count > 500
    assert "Depth" in page.content.decode()
    whole = person.get(reverse("wizard", args=[draft.pk, "objectives"])).content.decode()
    assert 'id="id_limit_depth"' in whole
    assert 'id="share"' in whole


def test_the_samples_are_of_the_space_that_the_rules_leave(person, draft):
    page = post(
        person,
        draft,
        typed(ticked=["forbid: layer * operation = max 2", "forbid: layer * operation = average 2"]),
        "wizard-samples",
    )
    text = page.content.decode()
    assert text.count("<svg") == 3
    assert "max pool" not in text
    assert "average pool" not in text


def test_rules_are_asked_only_where_there_is_a_space_and_only_by_who_may_change_it(
    person, draft, client, django_user_model
):
    assert post(person, draft, typed(), "wizard-rules", "budget").status_code == 404
    assert post(person, draft, typed(), "wizard-share", "dataset").status_code == 404
    client.force_login(django_user_model.objects.create_user("mallory"))
    assert post(client, draft, typed(), "wizard-rules").status_code == 403
    assert post(client, draft, typed(), "wizard-share").status_code == 403


def test_rules_narrow_a_table_too(rehearsal):
    sent = QueryDict(mutable=True)
    sent.setlist("rules-table", ["forbid: edge *-* = conv"])
    form = StepForm(STEPS["space"], rehearsal, sent)
    assert form.is_valid(), form.errors
    space = search_space(form.draft.plan)
    assert [one.options for one in space.decisions] == [("none", "skip")] * 2
    # Of none and skip twice, the table lacks both none.
    found = excluded(form.draft.plan)
    assert found.of_table
    assert 200 < found.count < 300
    assert [box.value for box in rule_panel(form).offer.boxes if box.checked] == ["forbid: edge *-* = conv"]

"""The wizard: five times Next, then Start; nothing typed is lost; nobody changes what is not theirs to change."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nas import codec
from searches import drafts, lifecycle
from searches.forms.steps import STEPS
from searches.forms.wizard import StepForm
from searches.models import Run
from tests.searches.test_forms import posted

ORDER = (*STEPS, "review")


@pytest.fixture
def person(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def draft(alice):
    return drafts.new_draft(alice)


def at(run, step, name="wizard"):
    return reverse(name, args=[run.pk, step])


def post(client, run, step, go="next", **changes):
    data = posted(step, **changes)
    data["go"] = go
    return client.post(at(run, step), data.urlencode(), content_type="application/x-www-form-urlencoded")


def test_five_times_next_and_start_queue_a_search(person):
    response = person.get("/searches/new/", follow=True)
    run = Run.objects.get()
    for step, following in pairwise(ORDER):
        assert response.status_code == 200
        assert response.redirect_chain[-1][0] == at(run, step)
        form = response.context["form"]
        shown = {name: form[name].value() for name in form.fields}
        sent = {name: value for name, value in shown.items() if value is not None and value is not False}
        response = person.post(at(run, step), {**sent, "go": "next"}, follow=True)
        assert not response.context.get("form") or not response.context["form"].errors
        assert response.redirect_chain[-1][0] == at(run, following)
    response = person.post(at(run, "review"), {"go": "start"})
    assert response.url == run.get_absolute_url()
    run.refresh_from_db()
    assert run.status == "queued"
    assert run.events.get().data["status"] == "queued"


def test_a_step_saves_what_was_typed(person, draft):
    response = post(person, draft, "budget", name="My digits", budget=40)
    assert response.url == at(draft, "review")
    saved = Run.objects.get()
    assert (saved.name, saved.plan.budget) == ("My digits", 40)


def test_back_saves_what_is_valid(person, draft):
    response = post(person, draft, "strategy", go="back", **{"genetic-population": 12})
    assert response.url == at(draft, "space")
    assert Run.objects.get().plan.strategy_settings["population"] == 12


def test_back_keeps_what_is_not_valid_as_it_was_typed(person, draft):
    response = post(person, draft, "strategy", go="back", **{"genetic-population": "a dozen"})
    assert response.url == at(draft, "space")
    assert Run.objects.get().plan == draft.plan
    page = person.get(at(draft, "strategy"))
    assert page.context["form"]["genetic-population"].value() == "a dozen"
    assert b"a dozen" in page.content


def test_next_with_a_mistake_stays_and_says_it_once_at_the_field_and_in_the_summary(person, draft):
    page = post(person, draft, "strategy", **{"genetic-population": 1})
    assert page.status_code == 200
    text = page.content.decode()
    assert text.count("Population is 1; it must be between 2 and 1000.") == 2
    assert 'aria-invalid="true"' in text
    assert 'href="#id_genetic-population"' in text
    assert Run.objects.get().plan == draft.plan


def test_the_steps_above_lead_to_any_step_once_this_one_is_right(person, draft):
    assert post(person, draft, "dataset", go="budget").url == at(draft, "budget")
    assert post(person, draft, "dataset", go="nonsense").url == at(draft, "space")
    assert post(person, draft, "dataset", go="budget", valid_share="7").status_code == 200


def test_a_second_new_search_goes_on_with_the_untouched_draft(person, draft):
    assert person.get("/searches/new/").url == at(draft, "dataset")
    post(person, draft, "budget", budget=40)
    assert person.get("/searches/new/").url != at(draft, "dataset")
    assert Run.objects.count() == 2


def test_the_estimate_is_of_what_was_typed_and_not_saved(person, draft):
    def total(**changes):
        data = posted("budget", **changes).urlencode()
        page = person.post(
            at(draft, "budget", "wizard-estimate"), data, content_type="application/x-www-form-urlencoded"
        )
        assert page.status_code == 200
        return page.context

    assert total(budget=480)["estimate"].search > 5 * total()["estimate"].search
    wrong = total(budget="lots")
    assert wrong["estimate"].search == total()["estimate"].search
    assert not wrong["current"]
    assert Run.objects.get().plan == draft.plan


def test_random_networks_of_the_space_are_drawn_and_others_on_demand(person, draft):
    def drawn(draw, go=""):
        data = posted("space")
        data["draw"], data["go"] = draw, go
        url = at(draft, "space", "wizard-samples")
        page = person.post(url, data.urlencode(), content_type="application/x-www-form-urlencoded")
        return page.content.decode()

    first, again, others = drawn("0"), drawn("0"), drawn("0", "samples")
    assert first.count("<svg") == 3
    assert first == again
    assert first != others
    assert 'name="draw" value="1"' in others
    assert "<svg" in drawn("nonsense")


def test_a_preset_fills_the_form_and_saves_nothing(person, draft):
    page = post(person, draft, "strategy", go="classic")
    assert page.context["form"]["genetic-population"].value() == "100"
    assert Run.objects.get().plan == draft.plan


def test_the_review_says_everything_in_words_and_as_json(person, draft):
    page = person.get(at(draft, "review"))
    text = page.content.decode()
    for words in ("Digits", "Chain", "Genetic", "Parameters at most 35,914", "32 candidates", "default"):
        assert words in text
    assert json.loads(page.context["plan_json"]) == draft.plan_json


def test_a_plan_that_cannot_work_is_not_started_and_says_why(person, draft):
    plan = replace(draft.plan, split=replace(draft.plan.split, dataset="cifar10"))
    Run.objects.update(plan_json=codec.dump(plan))
    page = person.get(at(draft, "review"))
    assert "CIFAR-10 was not found" in page.content.decode()


def test_datasets_that_were_not_found_are_folded_away_and_say_where_they_belong(person, draft, settings, tmp_path):
    settings.NAS_DATA_DIRS = [tmp_path]
    page = person.get(at(draft, "dataset")).content.decode()
    assert 'value="digits"' in page
    assert 'value="svhn"' not in page
    folded = page.split("which were not found</summary>")[1].split("</details>")[0]
    assert "SVHN was not found" in folded
    assert str(tmp_path / "cifar-100-python") in folded


def test_a_budget_that_became_impossible_is_said_when_start_is_pressed(person, draft):
    Run.objects.update(plan_json=codec.dump(replace(draft.plan, budget=0)))
    page = person.post(at(draft, "review"), {"go": "start"})
    assert "budget is 0" in page.content.decode()
    assert Run.objects.get().status == "draft"


def test_a_started_search_is_not_changed_by_a_page_left_open(person, draft):
    before = drafts.read(draft)
    lifecycle.start(draft)
    assert not drafts.save(draft, replace(before, name="another"))
    assert post(person, draft, "budget", budget=999).url == draft.get_absolute_url()
    assert Run.objects.get().plan.budget == before.plan.budget
    assert person.get(at(draft, "review")).url == draft.get_absolute_url()


def test_only_owner_and_staff_edit_a_draft(client, draft):
    stranger = get_user_model().objects.create_user("mallory")
    client.force_login(stranger)
    assert client.get(at(draft, "space")).status_code == 403
    assert post(client, draft, "budget").status_code == 403
    assert client.post(at(draft, "space", "wizard-estimate")).status_code == 403
    stranger.is_staff = True
    stranger.save()
    assert client.get(at(draft, "space")).status_code == 200


def test_unknown_steps_and_searches_are_not_found(person, draft):
    assert person.get(at(draft, "nowhere")).status_code == 404
    assert person.get("/searches/999/setup/space/").status_code == 404


def test_a_dataset_that_is_missing_cannot_be_chosen_and_says_where_it_belongs(person, draft, settings, tmp_path):
    settings.NAS_DATA_DIRS = [tmp_path]
    text = person.get(at(draft, "dataset")).content.decode()
    assert str(tmp_path) in text
    page = post(person, draft, "dataset", dataset="cifar10")
    assert page.status_code == 200
    assert Run.objects.get().plan.split.dataset == "digits"


def test_a_stored_plan_does_not_change_with_the_defaults_of_the_code(draft):
    assert set(draft.plan_json["space"]["settings"]) >= {"max_layers", "filters"}
    assert draft.plan_json["strategy_settings"]["population"]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_input_breaks_a_page(person, draft, data):
    step = data.draw(st.sampled_from(list(STEPS)))
    names = list(StepForm(STEPS[step], drafts.read(draft)).fields)
    odd = st.one_of(st.text(max_size=8), st.integers(-5, 10**12).map(str), st.sampled_from(["nan", "inf", "1e999"]))
    name = data.draw(st.sampled_from(names))
    sent = posted(step)
    sent[name] = data.draw(odd)
    for url in (at(draft, step), at(draft, step, "wizard-estimate")):
        page = person.post(url, sent.urlencode(), content_type="application/x-www-form-urlencoded")
        assert page.status_code in (200, 302)

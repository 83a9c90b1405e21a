"""The wizard's forms are made from the settings, and refuse exactly what the engine refuses."""

import contextlib
import json
from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from nas.evaluation.protocol import Training
from nas.objectives import METRICS, Limit, Objective, fitting
from nas.reference import OWN, Reference
from nas.settings import settings_of
from nas.spaces.chain import Chain
from nas.strategies.genetic import Genetic
from searches.drafts import Draft, first_plan, with_dataset
from searches.forms.fields import SettingField
from searches.forms.presets import with_preset
from searches.forms.steps import STEPS
from searches.forms.wizard import StepForm

DRAFT = Draft("a search", "default", first_plan())
ITEMS = [item for kind in (Chain, Genetic, Training) for item in settings_of(kind)]
NUMBERS = [item for item in ITEMS if item.kind is int and not item.many]


def posted(step, **changes):
    """Return the data that a browser would send of an untouched form, with changes; None takes a field out."""
    form = StepForm(STEPS[step], DRAFT)
    data = QueryDict(mutable=True)
    for name in form.fields:
        value = changes[name] if name in changes else form[name].value()
        field = form.fields[name]
        if value is None or value is False:
            continue
        if isinstance(field, SettingField) and field.item.many and field.item.options:
            data.setlist(name, [str(part) for part in value])
        else:
            data[name] = "on" if value is True else str(field.prepare_value(value))
    return data


@pytest.mark.django_db
@pytest.mark.parametrize("step", STEPS)
def test_an_untouched_step_is_valid_and_changes_nothing(step):
    form = StepForm(STEPS[step], DRAFT, posted(step))
    assert form.is_valid(), form.errors
    assert form.draft == DRAFT


@pytest.mark.parametrize("item", NUMBERS, ids=lambda item: item.name)
@given(number=st.integers(-10, 12_000))
def test_a_number_is_accepted_exactly_within_its_bounds(item, number):
    field = SettingField(item)
    inside = (item.low is None or item.low <= number) and (item.high is None or number <= item.high)
    if inside:
        assert field.clean(str(number)) == number
    else:
        with pytest.raises(ValidationError, match=str(abs(number) % 1000)):
            field.clean(str(number))


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
@given(raw=st.text(max_size=12))
def test_no_text_breaks_a_field(item, raw):
    with contextlib.suppress(ValidationError):
        SettingField(item).clean([raw] if item.many and item.options else raw)


def test_an_error_says_the_value_and_stands_at_its_field():
    form = StepForm(STEPS["space"], DRAFT, posted("space", **{"chain-max_layers": 99}))
    assert not form.is_valid()
    assert "99" in form.errors["chain-max_layers"][0]
    assert form["chain-max_layers"].build_widget_attrs({})["aria-invalid"] == "true"


def test_two_settings_that_exclude_each_other_are_refused_in_one_sentence():
    form = StepForm(STEPS["space"], DRAFT, posted("space", **{"chain-min_layers": 9, "chain-max_layers": 4}))
    assert not form.is_valid()
    assert form.draft == DRAFT
    assert "9" in form.non_field_errors()[0]


@pytest.mark.django_db
def test_the_settings_of_a_card_that_is_not_chosen_are_not_looked_at():
    form = StepForm(STEPS["strategy"], DRAFT, posted("strategy", strategy="random", **{"genetic-population": "many"}))
    assert form.is_valid(), form.errors
    assert form.draft.plan.strategy == "random"
    assert form.draft.plan.strategy_settings == {}


def test_a_list_without_a_box_ticked_is_refused():
    data = posted("space")
    data.setlist("chain-kernels", [])
    form = StepForm(STEPS["space"], DRAFT, data)
    assert not form.is_valid()
    assert "chain-kernels" in form.errors


@pytest.mark.django_db
def test_a_population_larger_than_the_space_is_refused_where_it_is_set():
    tiny = {"min_layers": 1, "max_layers": 1, "kernels": [3], "filters": [8], "units": [32], "norm": False}
    space = replace(DRAFT.plan.space, settings={**DRAFT.plan.space.settings, **tiny})
    draft = replace(DRAFT, plan=replace(DRAFT.plan, space=space))
    form = StepForm(STEPS["strategy"], draft, posted("strategy", **{"genetic-population": 900}))
    assert not form.is_valid()
    assert "900" in form.non_field_errors()[0]


def test_a_missing_dataset_is_refused_with_the_place_where_it_was_looked_for(settings, tmp_path):
    settings.NAS_DATA_DIRS = [tmp_path]
    form = StepForm(STEPS["dataset"], DRAFT, posted("dataset", dataset="cifar10"))
    assert not form.is_valid()
    assert str(tmp_path) in str(form.errors)


def test_the_usual_limit_follows_the_dataset_and_a_persons_own_does_not():
    moved = with_dataset(DRAFT.plan, replace(DRAFT.plan.split, dataset="cifar10"))
    assert moved.limits[0].bound > DRAFT.plan.limits[0].bound
    own = replace(DRAFT.plan, limits=(Limit("parameters", 1234),))
    assert with_dataset(own, replace(own.split, dataset="cifar10")).limits == own.limits


@pytest.mark.django_db
def test_objectives_and_limits_are_read_in_order():
    data = posted("objectives", objective_1="min:loss", limit_parameters="", limit_latency_ms="2.5")
    form = StepForm(STEPS["objectives"], DRAFT, data)
    assert form.is_valid(), form.errors
    assert form.draft.plan.objectives == (Objective("loss", "min"),)
    assert form.draft.plan.limits == (Limit("latency_ms", 2.5),)


@pytest.mark.django_db
def test_several_objectives_need_a_strategy_that_can_handle_them():
    data = posted("objectives", objective_2="min:parameters")
    assert not StepForm(STEPS["objectives"], DRAFT, data).is_valid()
    uniform = replace(DRAFT, plan=replace(DRAFT.plan, strategy="random", strategy_settings={}))
    assert StepForm(STEPS["objectives"], uniform, data).is_valid()


@pytest.mark.django_db
def test_limits_that_no_network_keeps_to_are_refused():
    form = StepForm(STEPS["objectives"], DRAFT, posted("objectives", limit_parameters="3"))
    assert not form.is_valid()
    assert "3" in form.non_field_errors()[0]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["budget", "epochs", "final_epochs", "final_seeds", "candidate_seconds"])
@pytest.mark.parametrize("value", [0, -1, "", "many", 10**9])
def test_a_budget_of_nothing_or_too_much_is_refused_at_its_field(name, value):
    form = StepForm(STEPS["budget"], DRAFT, posted("budget", **{name: value}))
    assert not form.is_valid()
    assert name in form.errors


@pytest.mark.django_db
def test_the_classic_preset_keeps_what_else_was_typed():
    form = StepForm(STEPS["strategy"], DRAFT, posted("strategy", **{"genetic-elitism": 5}))
    changed = with_preset(form, "classic")
    assert changed.is_valid(), changed.errors
    settings = changed.draft.plan.strategy_settings
    assert (settings["population"], settings["generations"], settings["elitism"]) == (100, 50, 5)
    assert (settings["crossover_rate"], settings["mutation_rate"]) == (0.5, 0.1)


@pytest.mark.parametrize("item", [item for item in ITEMS if item.many], ids=lambda item: item.name)
def test_a_list_that_was_not_sent_is_refused_like_an_empty_one(item):
    with pytest.raises(ValidationError, match="needs at least one value"):
        SettingField(item).clean(None)


@pytest.mark.django_db
@pytest.mark.parametrize("name", fitting(DRAFT.plan.task.classes))
def test_every_metric_of_the_task_can_be_objective_and_limit(name):
    metric = METRICS[name]
    bound = 1e9 if metric.goal == "min" else 0.5
    data = posted("objectives", objective_1=f"{metric.goal}:{name}", **{f"limit_{name}": bound})
    form = StepForm(STEPS["objectives"], DRAFT, data)
    assert form.is_valid(), form.errors
    assert form.draft.plan.objectives == (Objective(name, metric.goal),)
    assert Limit(name, bound) in form.draft.plan.limits


@pytest.mark.django_db
def test_the_baseline_of_the_final_stage_is_chosen_or_given():
    form = StepForm(STEPS["budget"], DRAFT, posted("budget", baseline="resnet18", baseline_budget="time", final_top=3))
    assert form.is_valid(), form.errors
    assert form.draft.plan.final_top == 3
    assert form.draft.plan.baseline == Reference("resnet18", budget="time")
    exported = json.dumps({"space": {"kind": "mlp", "settings": {}}, "choices": [0]})
    for own, said in (("", "architecture.json"), ("1, 0, 2", "choices 1, 0, 2"), (exported, "the space mlp")):
        form = StepForm(STEPS["budget"], DRAFT, posted("budget", baseline=OWN, baseline_own=own))
        assert not form.is_valid()
        assert said in str(form.errors)


@pytest.mark.django_db
def test_energy_is_offered_where_a_worker_of_the_queue_counts_it(worker):
    assert "limit_energy_joules" not in StepForm(STEPS["objectives"], DRAFT).fields
    worker.tells_energy = True
    worker.save()
    assert "limit_energy_joules" in StepForm(STEPS["objectives"], DRAFT).fields

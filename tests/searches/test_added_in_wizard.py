"""Added datasets in the wizard: space and objectives follow the task, and nobody speaks of images where none are."""

import re

import pytest
from django.urls import reverse

from nas import codec
from nas.datasets import adding
from nas.evaluation.protocol import Split, Training
from nas.objectives import Objective
from nas.policy import Policy
from nas.spaces.catalogue import SpaceSpec
from searches import drafts
from searches.drafts import first_plan, with_dataset, with_space
from searches.models import Run
from tests.searches.conftest import follow

STEPS = ("dataset", "space", "strategy", "objectives", "budget")


@pytest.fixture
def draft(alice):
    """A draft as the wizard begins it, on digits."""
    return drafts.new_draft(alice)


def page(person, run, step):
    answer = person.get(reverse("wizard", args=[run.pk, step]))
    assert answer.status_code == 200, answer
    return answer.content.decode()


def main(text):
    """The words of the page itself, without the frame around it and without attributes."""
    inside = text.split("<main", 1)[1].split("</main>")[0]
    return re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", inside, flags=re.DOTALL)


def test_an_added_dataset_is_a_card_like_the_known_ones(person, draft, make_dataset):
    make_dataset("text", "films")
    text = page(person, draft, "dataset")
    assert 'id="dataset-films"' in text
    assert "10 sentences to train and validate, 4 to test; 2 classes; 6 words at most, 5 known" in main(text)
    assert re.search(r"\b[abc] [abc]", main(text))


@pytest.mark.parametrize(
    ("kind", "space", "aim"),
    [
        ("images", "chain", Objective("accuracy", "max")),
        ("text", "transformer", Objective("accuracy", "max")),
        ("table", "mlp", Objective("rmse", "min")),
    ],
)
def test_space_objective_and_limits_follow_the_data(person, draft, make_dataset, kind, space, aim):
    make_dataset(kind, "things")
    follow(person, draft, "dataset", dataset="things")
    plan = Run.objects.get(pk=draft.pk).plan
    assert (plan.split.dataset, plan.space.kind, plan.objectives) == ("things", space, (aim,))
    assert [limit.metric for limit in plan.limits] == ["parameters"]
    for step in STEPS:
        page(person, draft, step)
    answer = follow(person, draft, "budget")
    assert answer.context["step"] == "review"
    assert answer.context["problem"] == ""
    assert "My things" in answer.content.decode()


def test_what_fits_both_data_is_kept(draft):
    plan = first_plan()
    aims = (Objective("accuracy", "max"), Objective("parameters", "min"))
    plan = drafts.replace(plan, objectives=aims, budget=77)
    again = with_dataset(plan, Split("digits", seed=3))
    assert (again.objectives, again.space, again.budget) == (aims, plan.space, 77)


def test_a_number_to_tell_drops_only_the_objectives_that_need_classes(make_dataset):
    make_dataset("table", "things")
    aims = (Objective("accuracy", "max"), Objective("parameters", "min"))
    plan = with_dataset(drafts.replace(first_plan(), objectives=aims), Split("things"))
    assert plan.objectives == (Objective("parameters", "min"),)


def test_spaces_that_cannot_serve_are_shown_disabled_with_the_reason(person, draft, make_dataset):
    make_dataset("text", "films")
    follow(person, draft, "dataset", dataset="films")
    text = page(person, draft, "space")
    card = re.search(
        r'<label class="choice unfit">\s*<input[^>]*value="nasnet"[^>]*disabled>.*?</label>', text, re.DOTALL
    )
    assert card
    assert "It has no networks for sentences." in card[0]
    assert not re.search(r'value="transformer"[^>]*disabled', text)
    refused = follow(person, draft, "space", kind="nasnet")
    assert "has no networks for text data" in refused.content.decode()


@pytest.mark.parametrize(("kind", "words"), [("text", "sentences to train"), ("table", "rows to train")])
def test_estimate_and_review_do_not_speak_of_images(person, draft, make_dataset, kind, words):
    make_dataset(kind, "things")
    follow(person, draft, "dataset", dataset="things")
    for step in ("objectives", "budget", "review"):
        said = main(page(person, draft, step)).lower()
        assert "pixel" not in said
        assert not re.search(r"\bimages? (to|per|for)\b", said), step
    assert words in said
    space = page(person, draft, "space")
    assert "transformer-patches" not in space
    assert "Patches" not in main(page(person, draft, "review"))


def test_settings_that_only_images_have_keep_their_values(person, draft, make_dataset):
    make_dataset("text", "films")
    follow(person, draft, "dataset", dataset="films")
    follow(person, draft, "space")
    follow(person, draft, "budget", **{"training-learning_rate": "0.1"})
    plan = Run.objects.get(pk=draft.pk).plan
    assert plan.space.settings["most_tokens"] == 256
    assert (plan.training.learning_rate, plan.training.flip, plan.fidelity.side) == (0.1, True, 1.0)


def test_a_draft_whose_dataset_is_gone_goes_back_to_the_first_step(person, draft, make_dataset):
    make_dataset("text", "films")
    follow(person, draft, "dataset", dataset="films")
    adding.remove("films")
    answer = person.get(reverse("wizard", args=[draft.pk, "review"]), follow=True)
    assert answer.redirect_chain[-1][0].endswith("/dataset/")
    assert "There is no dataset films" in answer.content.decode()
    follow(person, draft, "dataset", dataset="digits")
    plan = Run.objects.get(pk=draft.pk).plan
    assert (plan.split.dataset, plan.space.kind) == ("digits", "transformer")
    assert codec.dump(plan)


def test_how_networks_train_and_what_is_watched_follow_the_space_until_somebody_chose_otherwise(make_dataset):
    make_dataset("text", "films")
    plan = with_dataset(first_plan(), Split("films"))
    assert (plan.training.optimizer, plan.policy.watch) == ("adamw", ())
    assert with_dataset(plan, Split("digits")).training == plan.training, "digits can be searched by transformers, too"
    back = with_space(with_dataset(plan, Split("digits")), SpaceSpec("chain", {}))
    assert (back.training, back.policy.watch) == (first_plan().training, first_plan().policy.watch)
    own = drafts.replace(first_plan(), training=Training(learning_rate=0.05), policy=Policy())
    moved = with_dataset(own, Split("films"))
    assert (moved.training, moved.policy.watch) == (own.training, ())

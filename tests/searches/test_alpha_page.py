"""Search by gradient in the browser: chosen in the wizard, watched on the run page, stopped there with one click."""

import pytest
from django.urls import reverse

from nas.evaluation.protocol import Split
from nas.gradient import GRADIENT
from searches import alpha, drafts, epochs, lifecycle
from searches.advance import advance
from searches.estimate import estimate
from searches.models import Evaluation, Run
from searches.review import review
from tests.searches.conftest import follow
from tests.searches.gradient import SKIPS, epoch

pytestmark = pytest.mark.django_db


def page(person, run):
    return person.get(run.get_absolute_url()).content.decode()


@pytest.fixture
def collapsing(search):
    """A search that was good for two epochs once alpha learned, and then was not."""
    run, supernet = search
    for number, alarm in ((1, 0.0), (2, 0.0), (3, 1.0), (4, 1.0)):
        epochs.searched(supernet, epoch(number, SKIPS if alarm else (3, 2, 3, 1, 2, 3), collapse=alarm))
    return run


def test_the_alarm_offers_the_last_good_epoch_and_one_click_takes_it(person, collapsing):
    text = page(person, collapsing)
    assert "The search collapses." in text
    assert "Since epoch 3 skip connections" in text
    taking = reverse("run-take", args=[collapsing.pk, 2])
    assert f'action="{taking}"' in text
    person.post(taking)
    collapsing.refresh_from_db()
    assert (collapsing.closing, collapsing.winner.number) == (True, 2)
    assert "The search collapses." not in page(person, collapsing)


def test_taking_is_refused_to_whom_it_does_not_belong_and_told_to_who_is_late(client, person, collapsing, alice):
    taking = reverse("run-take", args=[collapsing.pk, 2])
    lifecycle.finish(collapsing)
    assert "so this was not done" in person.post(taking, follow=True).content.decode()
    Run.objects.filter(pk=collapsing.pk).update(owner=alice)
    alice.is_staff = False
    alice.save()
    client.logout()
    assert client.post(taking).status_code == 302


def test_an_epoch_that_learned_nothing_is_not_offered(person, search):
    """Alpha rests in the first epoch of four, so what it derives is chance."""
    run, supernet = search
    epochs.searched(supernet, epoch(1))
    epochs.searched(supernet, epoch(2, SKIPS, collapse=1.0))
    assert alpha.alarm_of(Run.objects.get(pk=run.pk)) == alpha.Alarm(2, None)
    assert "No epoch before was good" in page(person, run)


def test_the_alarm_is_off_once_an_epoch_is_good_again(search):
    run, supernet = search
    for number, alarm in ((1, 0.0), (2, 1.0), (3, 0.0)):
        epochs.searched(supernet, epoch(number, collapse=alarm))
        assert (alpha.alarm_of(Run.objects.get(pk=run.pk)) is not None) == bool(alarm)


def test_an_epoch_is_shown_with_its_genotype_and_its_table(person, collapsing):
    text = person.get(reverse("run-epoch", args=[collapsing.pk, 2])).content.decode()
    assert "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+" in text
    assert "42.00 %" in text
    assert "<b>90.0</b>" in text
    assert "Stop here and take the architecture of epoch 2" in text
    assert person.get(reverse("run-epoch", args=[collapsing.pk, 9])).status_code == 404


def test_the_charts_begin_with_every_epoch(person, collapsing):
    told = person.get(reverse("run-snapshot", args=[collapsing.pk])).json()
    assert [row["epoch"] for row in told["alpha"]["rows"]] == [1, 2, 3, 4]
    assert told["alpha"]["rows"][0]["alpha"]["edge 0-1"]["skip_connect"] == 0.9
    assert [point["metrics"]["accuracy"] for point in told["points"]] == [41, 42, 43, 44]
    assert told["trace"][2]["collapse"] == 1.0


def test_a_long_search_is_thinned_and_keeps_its_last_epoch(search, monkeypatch):
    run, supernet = search
    for number in range(1, 8):
        epochs.searched(supernet, epoch(number))
    monkeypatch.setattr(alpha, "MOST_EPOCHS", 3)
    assert [row["epoch"] for row in alpha.alpha_of(run)["rows"]] == [1, 4, 7]


def test_other_searches_have_no_alpha(person, make_run, worker):
    run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    assert alpha.alpha_of(run) is None
    assert alpha.alarm_of(run) is None
    assert "What alpha prefers" not in page(person, run)


def test_the_wizard_offers_every_method_and_says_what_the_budget_counts(person, alice):
    run = drafts.new_draft(alice)
    shown = follow(person, run, "space", kind="nasbench201")
    cards = {card.value: card for card in shown.context["cards"]}
    assert set(GRADIENT) <= set(cards)
    assert not any(cards[name].problem for name in GRADIENT)
    objectives = follow(person, run, "strategy", strategy="gdas")
    assert list(objectives.context["form"].fields) == ["objective_1"]
    assert [value for value, _ in objectives.context["form"].fields["objective_1"].choices] == GRADIENT_AIMS
    budget = follow(person, run, "objectives")
    form = budget.context["form"]
    assert form["budget"].label == "Epochs of the search"
    assert form["budget"].value() == 50
    assert not {"epochs", "policy-proxy", "policy-replicates"} & set(form.fields)
    told = follow(person, run, "budget", budget=7).content.decode()
    assert "7 epochs of the supernet" in told
    assert "Time per epoch" in told
    person.post(reverse("wizard", args=[run.pk, "review"]), {"go": "start"})
    run.refresh_from_db()
    assert (run.status, run.plan.strategy, run.plan.budget, run.plan.limits) == ("queued", "gdas", 7, ())


GRADIENT_AIMS = ["max:accuracy", "min:loss"]


def test_back_to_another_strategy_limits_and_budget_are_the_usual_ones():
    first = drafts.first_plan()
    there = drafts.with_strategy(first, "darts", {})
    back = drafts.with_strategy(there, "genetic", first.strategy_settings)
    assert (there.budget, there.limits) == (50, ())
    assert back == first


def test_a_limit_that_somebody_set_is_kept_and_refused(person, alice):
    run = drafts.new_draft(alice)
    follow(person, run, "objectives", limit_parameters=60_000)
    refused = follow(person, run, "strategy", strategy="snas")
    assert "it knows no limits." in refused.content.decode()


def test_a_space_that_cannot_be_relaxed_is_said_on_the_cards(person, alice):
    run = drafts.new_draft(alice)
    shown = follow(person, run, "space", kind="mlp")
    cards = {card.value: card for card in shown.context["cards"]}
    assert "darts cannot search the space mlp" in cards["darts"].problem.lower()


@pytest.mark.parametrize(("name", "times"), [("gdas", 1), ("darts", 5), ("snas", 5), ("pc_darts", 1.25)])
def test_the_estimate_counts_what_a_supernet_computes(name, times, make_run):
    plan = make_run(space=drafts.SpaceSpec("nasbench201", {}), limits=(), budget=10).plan
    plan = drafts.with_strategy(plan, name, {"batch_size": 64})
    found = estimate(drafts.Draft("", "default", plan))
    one = estimate(drafts.Draft("", "default", drafts.with_strategy(plan, "gdas", {"batch_size": 64})))
    assert found.candidate.mean == pytest.approx(times * one.candidate.mean)
    assert found.search == pytest.approx(6 + 10 * found.candidate.mean)


def test_what_networks_reach_under_shared_weights_corrects_no_estimate_and_teaches_no_search(collapsing, make_run):
    from searches.estimate import measured_correction
    from searches.warming import similar

    assert measured_correction().count == 0
    Run.objects.filter(pk=collapsing.pk).update(status="completed", winner=collapsing.candidates.first())
    assert similar(make_run(space=collapsing.plan.space, limits=()).plan) == []


def test_the_review_tells_the_settings_of_the_method(make_run):
    plan = make_run(split=Split("digits"), strategy="darts", strategy_settings={"order": "second"}, limits=()).plan
    parts = {part.step: part for part in review(drafts.Draft("", "default", plan))}
    assert parts["strategy"].headline == "DARTS"
    assert ("Order", "second") in parts["strategy"].settings


def test_nothing_is_left_of_a_supernet_that_a_person_stopped(person, collapsing):
    person.post(reverse("run-stop", args=[collapsing.pk]))
    assert Evaluation.objects.filter(run=collapsing, status="queued").count() == 0
    assert "The search collapses." not in page(person, collapsing)

"""What a search learns from the team's earlier ones: which are offered, what is frozen, and what it was spared."""

from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone

from nas import codec
from nas.architecture import Architecture
from nas.evaluation.protocol import Split
from nas.objectives import Limit, Objective
from nas.plan import search_space
from nas.priors import WarmStart
from nas.spaces.catalogue import SpaceSpec
from searches import drafts, leases, lifecycle
from searches.advance import advance
from searches.models import Evaluation, Run
from searches.queries import measurements
from searches.warming import learning, savings, similar, warmed
from tests.searches.conftest import LATENCY, TEST, VALID, follow

SCORES = (61.0, 75.0, 90.0, 70.0)


@pytest.fixture
def done(make_run):
    """Return a maker of completed searches whose candidates have these accuracies, in this order."""

    def make(name="Search 1", scores=SCORES, first=0, **changes):
        run = make_run(**{"limits": (), **changes})
        space = search_space(run.plan)
        for number, score in enumerate(scores, start=1):
            choices = [(first + number + at) % len(one.options) for at, one in enumerate(space.decisions)]
            architecture = space.canonical(Architecture(space.name, tuple(choices)))
            one = run.candidates.create(
                number=number, space=space.name, choices=list(architecture.choices), key=architecture.key,
                origin="sampled", parameters=number, multiply_adds=number,
            )  # fmt: skip
            values = {objective.metric: score for objective in run.plan.objectives}
            run.evaluations.create(
                candidate=one, stage=Run.Stage.SEARCH, epochs=run.plan.epochs, seed=1, finished_at=timezone.now(),
                status="measured", metrics={**values, "epochs": run.plan.epochs},
            )  # fmt: skip
            run.winner = one if score == max(scores) else run.winner
        run.name, run.status, run.finished_at = name, Run.Status.COMPLETED, timezone.now()
        run.save()
        return run

    return make


def test_only_completed_searches_that_were_after_the_same_are_offered(done, make_run):
    draft = make_run(limits=())
    first, second = done("a"), done("b", split=Split("digits", seed=3))
    done("another space", space=SpaceSpec("mlp", {}))
    done("another aim", objectives=(Objective("loss", "min"),))
    Run.objects.filter(pk=done("stopped").pk).update(status=Run.Status.CANCELLED)
    third = done("c")
    assert [run.name for run in similar(draft.plan)] == ["c", "a", "b"]
    assert {run.pk for run in similar(draft.plan)} == {first.pk, second.pk, third.pk}


def test_on_a_table_any_column_of_the_same_kind_will_do(done, make_run, table, alice):
    plan = drafts.new_rehearsal(alice, "toy").plan
    fields = {name: getattr(plan, name) for name in ("space", "evaluator", "report", "epochs")}
    done("same", objectives=(Objective(VALID, "max"),), **fields)
    done("test split", objectives=(Objective(TEST, "max"),), **fields)
    done("fast", objectives=(Objective(LATENCY, "min"),), **fields)
    assert [run.name for run in similar(plan)] == ["same"]
    other = replace(plan, objectives=(Objective("latency.raspi4", "min"),))
    assert [run.name for run in similar(other)] == ["fast"]


def test_the_plan_is_frozen_with_its_starts_when_it_begins(done, make_run, worker):
    earlier = done()
    best_first = [
        tuple(one.candidate.choices)
        for one in sorted(earlier.evaluations.all(), key=lambda one: -one.metrics["accuracy"])
    ]
    draft = make_run(limits=())
    Run.objects.filter(pk=draft.pk).update(plan_json=codec.dump(learning(draft.plan, [earlier])))
    run, number = Run.objects.get(pk=draft.pk), earlier.pk
    assert run.plan.warm.starts == ()
    lifecycle.start(run)
    earlier.delete()
    run = Run.objects.get(pk=draft.pk)
    assert sorted(run.plan.warm.starts) == sorted(best_first)
    assert run.plan.warm.starts[0] == best_first[0]
    (source,) = run.plan.warm.sources
    assert (source.title, source.best, source.evaluations, source.run) == ("Search 1", 90.0, 3, number)
    assert source.comparable
    advance(run.pk)
    first = run.candidates.order_by("number").first()
    assert (first.origin, tuple(first.choices)) == ("warm start", best_first[0])


def test_other_data_and_other_epochs_do_not_compare(done, make_run):
    plan = make_run(limits=()).plan
    runs = [done("same"), done("split", first=4, split=Split("digits", seed=3)), done("longer", first=8, epochs=5)]
    sources = warmed(learning(plan, runs)).warm.sources
    assert {source.title: source.comparable for source in sources} == {"same": True, "split": False, "longer": False}


def test_what_was_chosen_counts_however_many_searches_came_since(done, make_run, monkeypatch):
    plan = learning(make_run(limits=()).plan, [done("chosen")])
    monkeypatch.setattr("searches.warming.MOST_OFFERED", 1)
    done("later", first=4)
    assert [run.name for run in similar(replace(plan, warm=WarmStart()))] == ["later"]
    assert [run.name for run in similar(plan)] == ["later", "chosen"]
    assert [source.title for source in warmed(plan).warm.sources] == ["chosen"]


def test_what_no_longer_fits_is_left_out(done, make_run):
    plan = learning(make_run(limits=()).plan, [done()])
    assert warmed(replace(plan, objectives=(Objective("loss", "min"),))).warm.sources == ()
    assert warmed(replace(plan, limits=(Limit("accuracy", 85.0),))).warm.starts == warmed(plan).warm.starts[:1]
    frozen = replace(warmed(plan), warm=replace(warmed(plan).warm, sources=()))
    assert warmed(frozen) == frozen
    assert warmed(replace(frozen, space=SpaceSpec("chain", {"max_layers": 3}))).warm.starts == ()


def test_the_panel_counts_the_evaluations_until_the_earlier_best(done, make_run, worker, work, person):
    earlier, other = done(), done("Search 2", first=4, epochs=7)
    draft = make_run(limits=(), budget=6)
    Run.objects.filter(pk=draft.pk).update(plan_json=codec.dump(learning(draft.plan, [earlier, other])))
    lifecycle.start(Run.objects.get(pk=draft.pk))
    advance(draft.pk)
    run = Run.objects.get(pk=draft.pk)
    page = person.get(run.get_absolute_url()).content.decode()
    assert "It began with" in page
    assert "not reached yet" in page
    assert "other data or another number of epochs" in page
    for _ in range(3):
        work(run, lambda candidate: {"accuracy": 87.0 + candidate.number})
    by_name = {one.source.title: one for one in savings(run, measurements(run))}
    assert (by_name["Search 1"].reached, by_name["Search 1"].run) == (3, earlier)
    assert by_name["Search 2"].reached is None
    page = person.get(run.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert 'id="run-warm" hx-swap-oob="true"' in page
    assert "not reached" not in page
    assert "warm start" in person.get(run.get_absolute_url()).content.decode()


def test_a_search_without_a_warm_start_has_no_panel(make_run, worker, person):
    run = make_run()
    lifecycle.start(run)
    assert "run-warm" not in person.get(run.get_absolute_url()).content.decode()


def test_the_wizard_offers_earlier_searches_and_remembers_what_is_ticked(person, alice, done):
    run = drafts.new_draft(alice)
    assert "earlier" not in person.get(reverse("wizard", args=[run.pk, "strategy"])).context["form"].fields
    earlier = done("Our best", limits=())
    page = person.get(reverse("wizard", args=[run.pk, "strategy"]))
    assert "Our best: 90.00 % (Accuracy, Digits, 2 epochs), " in page.content.decode()
    assert page.context["form"]["earlier"].value() == []
    follow(person, run, "strategy")
    assert Run.objects.get(pk=run.pk).plan.warm.sources == ()
    follow(person, run, "strategy", earlier=[str(earlier.pk)], earlier_count="2")
    plan = Run.objects.get(pk=run.pk).plan
    assert ([source.run for source in plan.warm.sources], plan.policy.warm_start) == ([earlier.pk], 2)
    review = person.get(reverse("wizard", args=[run.pk, "review"])).content.decode()
    assert "of Our best." in review
    follow(person, run, "strategy")
    assert Run.objects.get(pk=run.pk).plan == plan
    follow(person, run, "strategy", earlier=[])
    assert Run.objects.get(pk=run.pk).plan.warm.sources == ()


def test_a_training_that_was_stopped_early_says_so(make_run, worker, person):
    run = make_run(epochs=20, budget=2)
    lifecycle.start(run)
    advance(run.pk)
    for epochs, evaluation in zip((7, 20), run.evaluations.all(), strict=False):
        mine = leases.claim(evaluation.pk, evaluation.attempt, "w@here")
        leases.measure(mine, {"accuracy": 60.0 + epochs, "epochs": float(epochs)}, [])
    stopped, whole = Evaluation.objects.filter(run=run).order_by("pk")
    assert (stopped.stopped_after, whole.stopped_after) == (7, None)
    lines = b"".join(person.get(reverse("run-candidates", args=[run.pk]), {"as": "csv"}).streaming_content).decode()
    assert [line.split(",")[6] for line in lines.splitlines()] == ["epochs", "7", "20"]
    for address in (run.get_absolute_url(), stopped.candidate.get_absolute_url()):
        assert person.get(address).content.decode().count("stopped after 7 of 20 epochs") == 1
    assert "stopped after" not in person.get(whole.candidate.get_absolute_url()).content.decode()

"""A rehearsal in the browser's eyes: set up on a table, run through its rows, and judged by what the table knows."""

import csv
from dataclasses import replace
from io import StringIO
from itertools import product
from random import Random

import pytest
from django.urls import reverse

from nas import codec
from nas.evaluation.rehearsed import Rehearsed
from nas.events import Measured
from nas.objectives import Limit, Objective
from nas.tables import places, writing
from searches import drafts, leases, lifecycle, traces
from searches.advance import advance
from searches.demo import start_rehearsal
from searches.models import Evaluation, Run
from searches.plane import plane
from searches.snapshot import snapshot_of
from searches.standing import known_front, optimum, standings
from searches.story import story
from searches.traces import trace_rows, trace_table
from tests.searches.conftest import LATENCY, ROWS, TEST, VALID, follow
from workers.evaluating import job_of


@pytest.fixture
def rehearse(alice, worker, table):
    """Return a function that runs a rehearsal to its end, as a worker would."""

    def run_it(**changes):
        draft = drafts.new_rehearsal(alice, "toy")
        plan = replace(draft.plan, **{"budget": 12, **changes})
        Run.objects.filter(pk=draft.pk).update(plan_json=codec.dump(plan))
        run = Run.objects.get(pk=draft.pk)
        lifecycle.start(run)
        advance(run.pk)
        for _ in range(60):
            for queued in list(run.evaluations.filter(status=Evaluation.Status.QUEUED)):
                mine = leases.claim(queued.pk, queued.attempt, "w@here")
                measured = [one for one in Rehearsed().evaluate(job_of(mine)) if isinstance(one, Measured)]
                leases.measure(mine, measured[0].metrics, [])
                advance(run.pk)
        return Run.objects.get(pk=run.pk)

    return run_it


def test_a_table_is_chosen_beside_the_datasets_and_every_step_fits_it(person, alice, table):
    run = drafts.new_draft(alice)
    page = person.get(reverse("wizard", args=[run.pk, "dataset"])).content.decode()
    assert "Rehearse on Toy networks" in page
    assert "64 networks, 3 decisions, 4 columns" in page
    page = follow(person, run, "dataset", dataset="table:toy")
    plan = Run.objects.get().plan
    assert plan.is_rehearsal
    assert (plan.objectives, plan.report, plan.limits) == ((Objective(VALID, "max"),), (TEST,), ())
    assert plan.budget == drafts.REHEARSAL_BUDGET
    for step in ("space", "strategy", "objectives", "budget"):
        text = page.content.decode()
        assert page.status_code == 200
        assert "Label smoothing" not in text
        page = follow(person, run, step)
        assert not page.context.get("form") or not page.context["form"].errors, step
    text = page.content.decode()
    assert "64 networks that somebody trained before" in text
    assert "Validation accuracy, CIFAR-10, 12 epochs, as high as possible" in text
    assert Run.objects.get().plan == plan
    assert person.post(reverse("wizard", args=[run.pk, "review"]), {"go": "start"}).url == run.get_absolute_url()


def test_a_dataset_again_makes_it_a_training_with_the_usual_limits(person, alice, table):
    run = drafts.new_rehearsal(alice, "toy")
    follow(person, run, "dataset", dataset="digits")
    assert Run.objects.get().plan_json == codec.dump(drafts.first_plan())


def test_the_same_table_again_changes_nothing(person, alice, table):
    run = drafts.new_rehearsal(alice, "toy")
    follow(person, run, "objectives", objective_1=f"min:{LATENCY}", report_1=VALID, budget=9)
    before = Run.objects.get().plan
    follow(person, run, "dataset")
    assert Run.objects.get().plan == before
    assert before.objectives == (Objective(LATENCY, "min"),)
    assert before.report == (VALID,)


def test_columns_can_be_limits_and_second_objectives(person, alice, table):
    run = drafts.new_rehearsal(alice, "toy")
    follow(person, run, "strategy", strategy="random")
    page = follow(person, run, "objectives", limit_1=LATENCY)
    assert f"The limit on {LATENCY} needs a number." in page.content.decode()
    bound = {"limit_1": LATENCY, "limit_1_bound": "4", "limit_2": VALID, "limit_2_bound": "63"}
    follow(person, run, "objectives", objective_2=f"min:{LATENCY}", **bound)
    plan = Run.objects.get().plan
    assert plan.limits == (Limit(LATENCY, 4.0, "min"), Limit(VALID, 63.0, "max"))
    assert [one.metric for one in plan.objectives] == [VALID, LATENCY]


def test_a_strategy_that_cannot_says_why_on_its_card(person, alice, table):
    run = drafts.new_rehearsal(alice, "toy")
    follow(person, run, "strategy", strategy="random")
    follow(person, run, "objectives", objective_2=f"min:{LATENCY}")
    text = person.get(reverse("wizard", args=[run.pk, "strategy"])).content.decode()
    assert "genetic works on one objective, not on 2" in text


def test_simulated_training_time_is_part_of_the_estimate(person, alice, table):
    run = drafts.new_rehearsal(alice, "toy")
    before = person.get(reverse("wizard", args=[run.pk, "budget"])).context["estimate"].total
    page = follow(person, run, "budget", **{"rehearsal-seconds_per_epoch": "0.5"})
    assert page.context["estimate"].total == pytest.approx(before + 12 * 0.5 * drafts.REHEARSAL_BUDGET)
    assert page.context["estimate"].size == 64


def test_the_page_judges_the_winner_by_the_whole_table(person, rehearse):
    run = rehearse()
    assert run.status == Run.Status.COMPLETED
    by_choice = {row[:3]: row for row in ROWS}
    row = by_choice[tuple(run.winner.choices)]
    valid, test = standings(run)
    assert (valid.value, valid.best, valid.of) == (row[3], 78, 64)
    assert valid.rank == 1 + sum(other[3] > row[3] for other in ROWS)
    assert (test.value, test.best) == (row[4], 76)
    page = person.get(run.get_absolute_url()).content.decode()
    assert f"rank {valid.rank} of 64" in page
    assert "the baseline" not in page
    assert "Learning curves" not in page
    assert any(f"Test accuracy, CIFAR-10, 12 epochs {row[4]:.2f} %" in line.text for line in story(run))


def test_every_page_of_a_rehearsal_names_its_columns(person, rehearse):
    run = rehearse()
    pages = [run.winner.get_absolute_url(), "/", "/searches/", "/searches/?dataset=table:toy", "/tables/", "/datasets/"]
    for address in pages:
        answer = person.get(address)
        assert answer.status_code == 200
        assert "Toy networks" in answer.content.decode() or address in (pages[0], "/datasets/")
    assert "Validation accuracy, CIFAR-10, 12 epochs" in person.get(pages[0]).content.decode()
    assert run.name not in person.get("/searches/?dataset=digits").content.decode()


def test_the_csv_has_the_columns_of_the_table(person, rehearse):
    run = rehearse(limits=(Limit(LATENCY, 9.0, "min"),))
    answer = person.get(reverse("run-candidates", args=[run.pk]), {"as": "csv"})
    lines = list(csv.DictReader(StringIO(answer.getvalue().decode())))
    assert len(lines) == 12
    assert all(float(line[VALID]) >= 60 and float(line[LATENCY]) <= 13 for line in lines)


def test_candidates_are_sorted_by_a_column_whatever_its_name(person, rehearse):
    run = rehearse()
    rows = (
        person.get(reverse("run-candidates", args=[run.pk]), {"sort": f"-{VALID}"}, headers={"HX-Request": "true"})
        .context["table"]
        .rows
    )
    values = [row.metrics[VALID] for row in rows]
    assert values == sorted(values, reverse=True)


def test_the_optimum_and_the_front_of_the_table_keep_to_the_limits(table):
    plan = drafts.with_table(drafts.first_plan(), "toy")
    assert optimum(plan) == 78
    plan = replace(plan, limits=(Limit(LATENCY, 3.0, "min"),))
    assert optimum(plan) == max(row[3] for row in ROWS if row[5] <= 3)
    front = [(one[LATENCY], one[VALID]) for one in known_front(plan, ((LATENCY, "min"), (VALID, "max")))]
    within = {(row[5], row[3]) for row in ROWS if row[5] <= 3}
    beaten = {one for one in within if any(o != one and o[0] <= one[0] and o[1] >= one[1] for o in within)}
    assert front == sorted(within - beaten)


def test_the_plane_is_of_the_objectives_where_there_are_several(rehearse):
    one = rehearse()
    assert plane(one).has_size
    both = rehearse(
        strategy="random", strategy_settings={}, objectives=(Objective(VALID, "max"), Objective(LATENCY, "min"))
    )
    assert not plane(both).has_size
    found = snapshot_of(both)
    assert (found["plane"]["x"], found["plane"]["y"]) == (LATENCY, VALID)
    assert found["plane"]["front"]
    assert all(LATENCY in point["metrics"] and point["seconds"] >= 0 for point in found["points"])


def test_a_trace_has_a_row_per_generation_with_the_sign_of_the_objective(rehearse):
    run = rehearse(strategy_settings={"population": 4, "elitism": 1})
    rows = trace_rows(run)
    assert [row["generation"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(60 <= row["mean"] <= row["best"] <= 78 for row in rows)
    titles = [line.title for line in trace_table(run)]
    assert titles[0] == "Best"
    assert traces.title("rung 12 epochs") == "Measured after 12 epochs"


def test_pages_stay_when_the_table_is_gone_and_say_so(person, rehearse):
    run = rehearse()
    writing.remove("toy")
    for address in (run.get_absolute_url(), run.winner.get_absolute_url()):
        answer = person.get(address)
        assert answer.status_code == 200
        assert "There is no table toy" in answer.content.decode()
    for address in ("/", "/searches/", f"{run.get_absolute_url()}snapshot.json"):
        assert person.get(address).status_code == 200
    copied = drafts.copy(run, run.owner)
    for step in ("space", "objectives", "budget", "review"):
        page = person.get(reverse("wizard", args=[copied.pk, step]), follow=True)
        assert page.redirect_chain[-1][0] == reverse("wizard", args=[copied.pk, "dataset"])
        assert "There is no table toy" in page.content.decode()


def test_one_click_starts_a_rehearsal_on_the_first_table_there_is(person, alice, table, monkeypatch):
    assert "Rehearse on Toy networks" not in person.get("/").content.decode()
    places.added().joinpath("toy.npz").rename(places.added() / "nasbench201.npz")
    assert "Rehearse on Toy networks" in person.get("/").content.decode()
    answer = person.post(reverse("demo"), {"on": "table"})
    run = Run.objects.get()
    assert answer.url == run.get_absolute_url()
    assert run.plan.is_rehearsal
    assert run.status == "queued"
    assert start_rehearsal(alice).plan.space.settings["table"] == "nasbench201"


@pytest.mark.parametrize("step", ["dataset", "space", "strategy", "objectives", "budget"])
def test_no_input_breaks_a_step(person, alice, table, step):
    run = drafts.new_rehearsal(alice, "toy")
    form = person.get(reverse("wizard", args=[run.pk, step])).context["form"]
    sent = {name: value for name in form.fields if (value := form[name].value()) not in (None, [])}
    odd = ("", "nan", "-1", "table:nowhere", "max:nowhere", "x" * 300, "1e999", "\0")
    for name, value in Random(step).sample(list(product(form.fields, odd)), 8):
        for page in ("wizard", "wizard-estimate"):
            answer = person.post(reverse(page, args=[run.pk, step]), {**sent, name: value, "go": step})
            assert answer.status_code in (200, 302), (name, value)


def test_a_trace_goes_by_evaluations_where_generations_do_not_follow_each_other(rehearse):
    run = rehearse(strategy="random", strategy_settings={})
    generations = [1, 2, 1, 2, 2]
    run.generations.bulk_create(
        run.generations.model(run=run, number=told, trace={"generation": generation, "best": -60.0 - told})
        for told, generation in enumerate(generations, start=1)
    )
    rows = trace_rows(run)
    assert [(row["told"], row["best"]) for row in rows] == [(told, 60.0 + told) for told in range(1, 6)]

"""The pages of races: a form that refuses in words, a page that says how strategies stand, and what is taken home."""

import csv
import io
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.urls import reverse

from nas.race.results import kept, results
from nas.race.running import lane as run_lane
from nas.rehearsal import on_table
from nas.sentences import Sentence
from searches import lanes, racing
from searches.consumers import NO_ACCESS, RaceConsumer
from searches.forms.race import PLAN
from searches.models import Race
from tests.searches.conftest import LATENCY, TEST, VALID

ANSWERS = {
    "table": "toy",
    "objective": f"max:{VALID}",
    "report": TEST,
    "strategies": ["genetic", "local_search"],
    "seeds": "3",
    "budget": "12",
    "first_seed": "5",
    "queue": "default",
    "name": "Two against chance",
}


@pytest.fixture
def race(table, alice):
    """A race that has not begun."""
    plan = replace(on_table(PLAN, "toy"), budget=12, seed=5)
    return racing.start("Two against chance", alice, plan, ("genetic", "local_search"), 3, "default")


@pytest.fixture
def over(race):
    """The same after every lane ran and was counted."""
    ended = []
    while lane := lanes.claim_next(race.pk, "w@here"):
        ended.append(kept(run_lane(lane.plan)))
        lanes.finish(lane, ended[-1])
    found = results(ended, race.contest.entrants, race.plan.objectives[0], race.plan.budget)
    racing.save_results(race, found, 0.1)
    racing.close(race, "")
    return Race.objects.get(pk=race.pk)


def text(answer):
    return " ".join(answer.content.decode().split())


def test_the_form_knows_the_columns_of_its_table_and_says_what_each_strategy_is(person, table):
    page = text(person.get(reverse("new-race"), {"table": "toy"}))
    assert f'value="max:{VALID}" selected' in page
    assert f'value="{TEST}" selected' in page
    assert "Breeds new networks from the best so far." in page
    assert 'value="random"' not in page
    other = text(person.get(reverse("new-race"), {"table": "digits_cells", "seeds": "7", "strategies": ["annealing"]}))
    assert VALID not in other
    assert 'name="seeds" value="7"' in other
    ticked = [box for box in other.split("<input") if 'name="strategies"' in box and " checked>" in box]
    assert ["annealing" in box for box in ticked] == [True]


def test_a_strategy_that_cannot_race_says_why_before_it_is_chosen_and_after(person, table):
    page = text(person.get(reverse("new-race"), {"table": "toy"}))
    card = page.split('id="strategy-asha"')[1].split("</label>")[0]
    assert "needs trainings of several lengths, and there is one length here" in card
    answer = person.post(reverse("new-race"), {**ANSWERS, "strategies": ["genetic", "asha"]})
    (problem,) = answer.context["form"].errors["strategies"]
    assert problem.startswith("ASHA: asha needs trainings")
    assert not Race.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seeds": "0"}, "seeds"),
        ({"seeds": "1001"}, "seeds"),
        ({"budget": "many"}, "budget"),
        ({"strategies": []}, "strategies"),
        ({"strategies": ["genetics"]}, "strategies"),
        ({"objective": "max:elsewhere"}, "objective"),
        ({"report": "elsewhere"}, "report"),
        ({"table": "nowhere"}, "table"),
        ({"seeds": "1000", "budget": "100000"}, "__all__"),
    ],
)
def test_answers_that_cannot_be_used_are_refused_at_their_field(person, table, changes, field):
    answer = person.post(reverse("new-race"), {**ANSWERS, **changes})
    assert field in answer.context["form"].errors
    assert 'id="problems"' in text(answer)
    assert not Race.objects.exists()


def test_a_started_race_is_what_was_asked_for(person, alice, table):
    answer = person.post(reverse("new-race"), ANSWERS)
    race = Race.objects.get()
    assert answer.url == race.get_absolute_url()
    assert (race.name, race.owner, race.plan.report) == ("Two against chance", alice, (TEST,))
    assert race.contest.entrants == ("genetic", "local_search", "random")
    assert race.contest.seeds == (5, 6, 7)
    assert race.plan.budget == 12


def test_an_objective_that_falls_and_no_report_can_race_too(person, table):
    person.post(reverse("new-race"), {**ANSWERS, "objective": f"min:{LATENCY}", "report": ""})
    race = Race.objects.get()
    assert (race.plan.objectives[0].goal, race.plan.report) == ("min", ())
    page = text(person.get(race.get_absolute_url()))
    assert 'id="chart-best"' in page
    assert 'id="chart-report"' not in page


def test_a_race_page_begins_with_nothing_and_waits_for_a_worker(person, race):
    page = text(person.get(race.get_absolute_url()))
    assert "0 / 9" in page
    assert "No lane is done yet." in page
    assert "No worker of the queue “default” is alive." in page
    assert reverse("race-report", args=[race.pk]) not in page
    assert person.get(reverse("race-report", args=[race.pk])).status_code == 404


def test_a_race_page_has_the_standings_that_were_computed_the_best_first(person, over):
    answer = person.get(over.get_absolute_url())
    marks = answer.context["page"].standings
    assert [mark for mark, _rows in marks] == [12, 9, 6, 3]
    for mark, rows in marks:
        means = [row.standing.best.mean for row in rows]
        assert means == sorted(means, reverse=True)
        assert {row.entrant.name for row in rows} == {"genetic", "local_search", "random"}
        assert f"After {mark} evaluations" in text(answer)
    last = next(row for row in marks[0][1] if row.entrant.name == "genetic")
    assert last.mean in text(answer)
    assert last.gain[0] in "+−"
    assert last.entrant.colour == "--race-1"
    assert "9 / 9" in text(answer)
    assert 'data-closed="yes"' in text(answer)


def test_the_parts_that_change_are_sent_alone(person, over):
    answer = person.get(over.get_absolute_url(), headers={"HX-Request": "true"})
    page = text(answer)
    assert "<html" not in page
    for part in ("title", "actions", "banner", "tiles", "standings"):
        assert f'id="race-{part}"' in page
    assert page.count('hx-swap-oob="true"') == 5


def test_curves_have_a_mean_and_a_band_for_each_strategy_and_column(person, over):
    data = person.get(reverse("race-curves", args=[over.pk])).json()
    assert data["lanes"] == 9
    assert data["evaluations"] == list(range(1, 13))
    assert [one["name"] for one in data["strategies"]] == ["genetic", "local_search", "random"]
    for one in data["strategies"]:
        for column in ("best", "report"):
            assert all(low <= high for low, high in zip(one[column]["low"], one[column]["high"], strict=True))
            assert len(one[column]["mean"]) == 12


def test_lanes_come_as_csv_with_a_line_wherever_something_changed(person, over):
    answer = person.get(reverse("race-lanes", args=[over.pk]))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    for lane in over.lanes.all():
        own = [row for row in rows if (row["strategy"], int(row["seed"])) == (lane.strategy, lane.seed)]
        again = run_lane(lane.plan)
        for row in own:
            at = int(row["evaluations"])
            assert (float(row["best"]), float(row["report"])) == (again.best[at - 1], again.report[at - 1])
        assert [int(row["evaluations"]) for row in own][-1] == 12


def test_a_lane_that_failed_is_told_with_its_reason(person, race):
    lanes.fail(lanes.claim_next(race.pk, "w@here"), Sentence("There is no table {name}.", {"name": "toy"}))
    page = text(person.get(race.get_absolute_url()))
    assert "1 lane failed." in page
    assert "Genetic, 5: There is no table toy." in page


def test_a_race_is_stopped_and_deleted_from_its_page_by_its_owner_alone(person, alice, race, django_user_model):
    stop, delete = (reverse(name, args=[race.pk]) for name in ("race-stop", "race-delete"))
    assert "Stop it first." in text(person.post(delete, follow=True))
    stranger = django_user_model.objects.create_user("bob", password="a builder's password")
    person.force_login(stranger)
    assert "race-dialog" not in text(person.get(race.get_absolute_url()))
    assert person.post(stop).status_code == 403
    assert person.post(delete).status_code == 403
    person.force_login(alice)
    assert "The race was stopped." in text(person.post(stop, follow=True))
    assert "was deleted" in text(person.post(delete, follow=True))
    assert not Race.objects.exists()


def test_the_list_shows_every_race_even_where_its_table_is_gone(person, over, tmp_path):
    assert "9 / 9" in text(person.get(reverse("races")))
    (tmp_path / "tables" / "toy.npz").unlink()
    page = text(person.get(reverse("races")))
    assert "Two against chance" in page
    assert "Genetic, Local search" in page
    assert "Standings" in text(person.get(over.get_absolute_url()))


def socket(race_id, user, after=0):
    talk = WebsocketCommunicator(RaceConsumer.as_asgi(), f"/ws/races/{race_id}/?after={after}")
    talk.scope["url_route"] = {"kwargs": {"race_id": race_id}}
    talk.scope["user"] = user
    return talk


@sync_to_async
def change(race):
    with transaction.atomic():
        lanes.changed(race.pk)


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_many_changes_are_few_messages_and_the_last_of_them_has_the_last_version(race, alice):
    talk = socket(race.pk, alice)
    assert (await talk.connect())[0]
    for _ in range(40):
        await change(race)
    heard = [await talk.receive_json_from(timeout=3)]
    while heard[-1]["seq"] < 40:
        heard.append(await talk.receive_json_from(timeout=3))
    assert len(heard) <= 4
    assert await talk.receive_nothing(timeout=0.2)
    await talk.disconnect()


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_strangers_and_unknown_races_are_turned_away(race, alice):
    for user, race_id in ((AnonymousUser(), race.pk), (alice, race.pk + 1)):
        talk = socket(race_id, user)
        await talk.connect()
        assert (await talk.receive_output())["code"] == NO_ACCESS

"""What the pages of a run read and say, without a browser."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

from nas.sentences import Sentence
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.rule import Rule
from searches import leases, lifecycle, snapshot
from searches.advance import advance
from searches.candidates import CandidateTable
from searches.comparison import compare
from searches.figures import duration, write
from searches.models import Evaluation, Run
from searches.queries import measurements, summary
from searches.snapshot import snapshot_of
from searches.story import story


@pytest.fixture
def pages(alice: Any, client: Client) -> Client:
    """A signed-in reader."""
    client.force_login(alice)
    return client


@pytest.fixture
def running(make_run: Any, worker: Any) -> Run:
    """A search with its first generation queued."""
    run: Run = make_run()
    lifecycle.start(run)
    advance(run.pk)
    run.refresh_from_db()
    return run


@pytest.fixture
def completed(running: Run, work: Any) -> Run:
    """A search that went through its final stage."""
    for _ in range(20):
        work(running, lambda candidate: _metrics(50 + candidate.number, candidate.parameters))
        running.refresh_from_db()
        if running.is_over:
            return running
    raise AssertionError(running.status)


def _metrics(accuracy: float, parameters: int) -> dict[str, float]:
    return {"accuracy": accuracy, "loss": 1.0, "f1": accuracy, "parameters": parameters}


def _fail(run: Run, cause: str = "oom") -> Evaluation:
    queued = run.evaluations.filter(status=Evaluation.Status.QUEUED).first()
    assert queued is not None
    mine = leases.claim(queued.pk, queued.attempt, "w@here")
    assert mine is not None
    leases.fail(mine, cause, Sentence("Out of memory at batch {batch}.", {"batch": 128}))  # type: ignore[arg-type]
    return mine


def test_the_page_of_a_run_without_any_result_renders(pages: Client, running: Run) -> None:
    page = pages.get(running.get_absolute_url()).content.decode()
    assert "nothing measured yet" in page
    assert "The first measured candidate will be drawn here." in page


def test_a_draft_leads_to_its_wizard(pages: Client, make_run: Any) -> None:
    draft = make_run()
    assert pages.get(draft.get_absolute_url()).url == reverse("wizard", args=[draft.pk, "review"])


def test_a_completed_run_shows_winner_and_comparison(pages: Client, completed: Run) -> None:
    page = pages.get(completed.get_absolute_url()).content.decode()
    assert completed.winner is not None
    assert f"candidate {completed.winner.number} won" in page
    reached = write("accuracy", 50 + completed.winner.number), write("accuracy", 50)
    assert "Accuracy on the test split: {}; the baseline reaches {}.".format(*reached) in page
    assert "Final stage: baseline against winner" in page
    assert f"{write('accuracy', 50 + completed.winner.number)} · a search" in page


def test_htmx_gets_only_the_parts_that_change(pages: Client, running: Run) -> None:
    part = pages.get(running.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert 'hx-swap-oob="true"' in part
    assert "<html" not in part


def test_a_failed_candidate_is_named_with_cause_and_sentence(pages: Client, running: Run) -> None:
    _fail(running)
    page = pages.get(running.get_absolute_url()).content.decode()
    assert "Out of memory at batch 128." in page
    assert any("Out of memory at batch 128." in line.text and line.tone == "bad" for line in story(running))


def test_a_failed_run_gives_the_reason_first(pages: Client, running: Run) -> None:
    while running.evaluations.filter(status=Evaluation.Status.QUEUED).exists():
        _fail(running)
        advance(running.pk)
    running.refresh_from_db()
    assert running.status == Run.Status.FAILED
    page = pages.get(running.get_absolute_url()).content.decode()
    assert page.index("No candidate could be measured") < page.index("fitness-title")


def test_the_snapshot_knows_every_point_and_the_last_event(running: Run, work: Any) -> None:
    _fail(running)
    work(running)
    found = snapshot_of(Run.objects.get(pk=running.pk))
    assert len(found["points"]) == len(measurements(running))
    assert sum(point["metrics"] is None for point in found["points"]) == 1
    assert found["seq"] == Run.objects.get(pk=running.pk).last_seq


def test_a_long_run_is_thinned_but_keeps_best_and_latest(
    running: Run, work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        work(running)
    for name, value in (("MOST_POINTS", 3), ("BEST_KEPT", 1), ("LATEST_KEPT", 1)):
        monkeypatch.setattr(snapshot, name, value)
    all_of_them = measurements(running)
    kept = snapshot.thin(running, all_of_them)
    best = max(all_of_them, key=lambda one: one.metrics["accuracy"])
    assert len(kept) < len(all_of_them)
    assert best in kept
    assert all_of_them[-1] in kept


def test_the_summary_counts_failed_candidates_as_evaluated(running: Run, work: Any) -> None:
    _fail(running)
    work(running)
    found = summary(running, measurements(running))
    assert found.failed == 1
    assert found.evaluated == len(measurements(running))
    assert found.value == max(one.metrics["accuracy"] for one in measurements(running) if not one.failed)


def test_candidates_are_sorted_by_number_not_by_text(running: Run, work: Any) -> None:
    work(running, lambda candidate: {"accuracy": [9.5, 10.0, 100.0, 9.0][candidate.number % 4]})
    values = [row.metrics.get("accuracy") for row in CandidateTable(running, {}).rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values[: len(known)] == known


@pytest.mark.parametrize(("language", "words"), [("en", "sampled"), ("zh-hans", "采样"), ("zh-hans", "sampled")])
def test_candidates_are_found_by_their_origin_in_the_readers_language(
    running: Run, work: Any, language: str, words: str
) -> None:
    work(running)
    with translation.override(language):
        found = {row.candidate.origin for row in CandidateTable(running, {"q": words}).rows}
    assert found == {"sampled"}


@pytest.mark.parametrize("query", [{"sort": "nonsense"}, {"page": "9999"}, {"state": "x"}, {"page": "x"}, {"q": "77"}])
def test_a_strange_query_still_gives_a_page(pages: Client, running: Run, query: dict[str, str]) -> None:
    address = reverse("run-candidates", args=[running.pk])
    assert pages.get(address, query, headers={"HX-Request": "true"}).status_code == 200


def test_the_csv_has_a_line_for_every_candidate(pages: Client, running: Run, work: Any) -> None:
    work(running)
    answer = pages.get(reverse("run-candidates", args=[running.pk]), {"as": "csv"})
    lines = list(csv.DictReader(StringIO(answer.getvalue().decode())))
    assert [int(line["candidate"]) for line in lines] == [one.number for one in running.candidates.all()]


def test_the_comparison_marks_the_better_mean_and_lists_each_seed(completed: Run) -> None:
    found = compare(completed)
    assert found is not None
    assert found.done == found.asked == 4
    assert [one.title for one in found.contestants] == ["Baseline", f"Candidate {completed.winner.number}"]
    accuracy = found.rows[0]
    baseline, winner = accuracy.cells
    assert winner is not None
    assert winner.better
    assert winner.spread
    assert not baseline.better
    assert len(accuracy.by_seed) == 2 * len(found.seeds)


def test_there_is_no_comparison_before_the_final_stage(running: Run) -> None:
    assert compare(running) is None


def test_files_of_the_winner_can_be_taken_and_nothing_else(pages: Client, completed: Run) -> None:
    exported = completed.evaluations.get(export=True)
    path = default_storage.save("runs/x/model.py", ContentFile(b"print(1)"))
    exported.artifacts = [{"name": "model.py", "path": path, "bytes": 8}]
    exported.save()
    answer = pages.get(reverse("run-file", args=[completed.pk, "model.py"]))
    assert answer.getvalue() == b"print(1)"
    assert "attachment" in answer["Content-Disposition"]
    assert pages.get(reverse("run-file", args=[completed.pk, "secrets.json"])).status_code == 404


def test_the_page_of_every_candidate_renders(pages: Client, completed: Run) -> None:
    for candidate in completed.candidates.all():
        assert pages.get(candidate.get_absolute_url()).status_code == 200


def test_buttons_change_the_run_and_say_so_when_somebody_was_first(pages: Client, running: Run) -> None:
    pages.post(reverse("run-pause", args=[running.pk]))
    running.refresh_from_db()
    assert running.status == Run.Status.PAUSED
    pages.post(reverse("run-resume", args=[running.pk]))
    again = pages.post(reverse("run-resume", args=[running.pk]), follow=True)
    assert "so this was not done" in again.content.decode()
    pages.post(reverse("run-stop", args=[running.pk]))
    running.refresh_from_db()
    assert running.status == Run.Status.CANCELLED


def test_finishing_early_trains_the_best_so_far(pages: Client, running: Run, work: Any) -> None:
    work(running)
    pages.post(reverse("run-finish", args=[running.pk]))
    work(running)
    advance(running.pk)
    running.refresh_from_db()
    assert running.stage == Run.Stage.FINAL


def test_only_the_owner_and_staff_may_change_a_run(pages: Client, running: Run) -> None:
    running.owner = get_user_model().objects.create_user("bob")
    running.save()
    page = pages.get(running.get_absolute_url()).content.decode()
    assert reverse("run-pause", args=[running.pk]) not in page
    assert pages.post(reverse("run-pause", args=[running.pk])).status_code == 403


def test_a_run_that_is_not_there_is_a_friendly_404(pages: Client) -> None:
    answer = pages.get(reverse("run", args=[999]))
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_durations_are_written_in_two_units() -> None:
    written = [duration(seconds) for seconds in (3.21, 59.6, 75, 3700, 200_000)]
    assert written == ["3.2 s", "1 min 0 s", "1 min 15 s", "1 h 1 min", "2 d 7 h"]


def test_the_story_tells_a_whole_run(completed: Run) -> None:
    texts = [line.text for line in story(completed)]
    assert texts[0] == "The search is complete."
    assert any(text.startswith("The final stage began") for text in texts)
    assert any("is the best so far" in text for text in texts) or len(texts) > 4


def test_the_page_of_a_candidate_tells_its_text_form_as_the_space_without_rules_reads_it(
    pages: Client, make_run: Any, worker: Any
) -> None:
    run: Run = make_run(
        space=SpaceSpec("nasbench201", {"cells": 1}, rules=(Rule("forbid", "*", "none"),)),
        limits=(),
    )
    lifecycle.start(run)
    advance(run.pk)
    candidate = run.candidates.exclude(space="baseline").earliest("number")
    page = pages.get(candidate.get_absolute_url())
    text = page.context["text"]
    assert escape(text) in page.content.decode()
    assert "none" not in text
    operations = [option for _, option in page.context["decisions"]]
    assert operations == [part.split("~")[0] for group in text.split("+") for part in group.strip("|").split("|")]


def test_a_space_without_a_text_form_shows_none(pages: Client, completed: Run) -> None:
    page = pages.get(completed.candidates.exclude(space="baseline").earliest("number").get_absolute_url())
    assert "Text form" not in page.content.decode()

"""The confusion matrix and the ROC curves of a finished search."""

import re

import pytest

from nas.events import Evidence
from searches import leases, lifecycle
from searches.advance import advance
from searches.evidence import evidence
from searches.models import Evaluation, Run

ROC = ((0.0, 0.0), (0.1, 0.9), (1.0, 1.0))


def confused(wrong: int) -> Evidence:
    """36 images of each class, of which `wrong` of class 3 are taken for an 8."""
    rows = [[36 if one == other else 0 for other in range(10)] for one in range(10)]
    rows[3][3], rows[3][8] = 36 - wrong, wrong
    return Evidence(tuple(map(tuple, rows)), ROC)


@pytest.fixture
def completed(make_run, worker):
    """A search whose winner takes some threes for eights, more with each seed, and its baseline more of them."""
    run = make_run(budget=4)
    lifecycle.start(run)
    advance(run.pk)
    for _ in range(20):
        for queued in list(run.evaluations.filter(status=Evaluation.Status.QUEUED).order_by("pk")):
            mine = leases.claim(queued.pk, queued.attempt, "w@here")
            metrics = {"accuracy": 50 + mine.candidate.number, "parameters": mine.candidate.parameters}
            final = mine.stage == Run.Stage.FINAL
            told = confused(9 if mine.candidate.is_baseline else 1 + mine.seed % 2) if final else None
            leases.measure(mine, metrics, [], evidence=told)
            advance(run.pk)
        run.refresh_from_db()
        if run.is_over:
            return run
    raise AssertionError(run.status)


def test_the_matrix_is_the_sum_over_the_seeds_of_the_winner(completed):
    seeds = [one.seed for one in completed.evaluations.filter(stage="final", candidate=completed.winner)]
    wrong = sum(1 + seed % 2 for seed in seeds)
    found = evidence(completed)
    assert (found.images, found.seeds) == (360 * len(seeds), len(seeds))
    three, eight = found.rows[3], found.rows[8]
    assert (three.name, three.cells[8].count, three.cells[8].is_right) == ("3", wrong, False)
    assert three.recall == pytest.approx(100 - 100 * wrong / (36 * len(seeds)))
    assert eight.precision == pytest.approx(100 * 36 * len(seeds) / (36 * len(seeds) + wrong))
    assert (three.precision, eight.recall) == (100, 100)


def test_the_page_shows_the_matrix_as_a_table_and_both_curves(completed, alice, client):
    client.force_login(alice)
    page = client.get(completed.get_absolute_url()).content.decode()
    section = page.split('id="run-evidence"')[1].split("</section>")[0]
    assert len(re.findall(r'class="right-one"', section)) == 10
    assert len(re.findall(r'class="wrong-one"', section)) == 1
    assert re.findall(r'<polyline class="curve-(\d)"', section) == ["1", "0"]
    assert "44,250 68,34 284,10" in section


def test_nothing_is_shown_before_the_first_final_training(make_run, worker, alice, client):
    run = make_run()
    lifecycle.start(run)
    client.force_login(alice)
    page = client.get(run.get_absolute_url()).content.decode()
    assert re.search(r'id="run-evidence"[^>]* hidden>', page)

"""The confusion matrix and the ROC curves of a finished search."""

import re
from dataclasses import replace

import pytest

from nas.confusion import classes_of
from nas.evaluation.protocol import Split
from nas.events import Evidence, Measured
from nas.markup import html
from nas.mistakes import mistakes, pictures
from searches import leases, lifecycle
from searches.advance import advance
from searches.evidence import evidence
from searches.finals import final_of
from searches.models import Evaluation, Run
from tests.searches.conftest import PLAN

ROC = ((0.0, 0.0), (0.1, 0.9), (1.0, 1.0))


def confused(wrong: int) -> Evidence:
    """36 images of each class, of which `wrong` of class 3 are taken for an 8."""
    rows = [[36 if one == other else 0 for other in range(10)] for one in range(10)]
    rows[3][3], rows[3][8] = 36 - wrong, wrong
    return Evidence(tuple(map(tuple, rows)), ROC)


@pytest.fixture
def complete(make_run, worker):
    """Return a maker of searches that are over; the keywords change the plan.

    A finalist takes some threes for eights, as many as its number and more with each seed, the baseline nine of them.
    """
    return lambda **changes: _through(make_run(budget=4, **changes))


def _through(run):
    lifecycle.start(run)
    advance(run.pk)
    for _ in range(20):
        for queued in list(run.evaluations.filter(status=Evaluation.Status.QUEUED).order_by("pk")):
            mine = leases.claim(queued.pk, queued.attempt, "w@here")
            number = mine.candidate.number
            metrics = {"accuracy": 50 + number, "valid_accuracy": 50 + number, "parameters": mine.candidate.parameters}
            told = confused(number + mine.seed if number else 9) if mine.stage == Run.Stage.FINAL else None
            leases.measure(mine, metrics, [], evidence=told)
            advance(run.pk)
        run.refresh_from_db()
        if run.is_over:
            return run
    raise AssertionError(run.status)


@pytest.fixture
def completed(complete):
    """A search with one finalist that is over."""
    return complete()


def test_the_matrix_is_the_sum_over_the_seeds_of_the_winner(completed):
    seeds = [one.seed for one in completed.evaluations.filter(stage="final", candidate=completed.winner)]
    wrong = sum(completed.winner.number + seed for seed in seeds)
    found = evidence(completed).matrices[0]
    assert (found.of.number, found.answers, found.trainings) == (completed.winner.number, 360 * len(seeds), len(seeds))
    three, eight = found.rows[3], found.rows[8]
    assert (three.name, three.cells[8].count, three.cells[8].is_right) == ("3", wrong, False)
    assert three.recall == pytest.approx(100 - 100 * wrong / (36 * len(seeds)))
    assert eight.precision == pytest.approx(100 * 36 * len(seeds) / (36 * len(seeds) + wrong))
    assert (three.precision, eight.recall) == (100, 100)


def section_of(page):
    return page.split('id="run-evidence"')[1].split("</section>")[0]


def test_the_page_shows_the_matrices_as_tables_and_both_curves(completed, alice, client):
    client.force_login(alice)
    section = section_of(client.get(completed.get_absolute_url()).content.decode())
    assert len(re.findall(r'class="right-one"', section)) == 2 * 10
    assert len(re.findall(r'class="wrong-one"', section)) == 2
    figure = section.split("<figure>")[1]
    assert re.findall(r'<polyline class="curve-(\d)"', figure.split("<figcaption")[0]) == ["1", "0"]
    assert "44,250 68,34 284,10" in figure


def test_of_several_finalists_each_is_one_choice_away_and_has_a_curve(complete, alice, client):
    run = complete(final_top=3)
    names = ["Candidate 4", "Baseline", "Candidate 3", "Candidate 2"]
    assert [one.of.title for one in evidence(run).matrices] == names
    assert [one.rows[3].cells[8].count for one in evidence(run).matrices] == [4 + 2 + 4 + 3, 18, 3 + 2 + 3 + 3, 9]
    client.force_login(alice)
    section = section_of(client.get(run.get_absolute_url()).content.decode())
    picked = re.findall(r'<input type="radio" name="confusion" id="confusion-(\d)"( checked)?>([\w ]+)', section)
    assert picked == [
        ("4", " checked", "Candidate 4 "),
        ("0", "", "Baseline"),
        ("3", "", names[2]),
        ("2", "", names[3]),
    ]
    assert section.count('<div class="tab">') == section.count("720 answers, the sum over 2 trainings") == 4
    assert 'aria-label="ROC curves of Candidate 4, Baseline, Candidate 3, Candidate 2"' in section
    drawn = section.split("<figure>")[1].split("<figcaption")[0]
    assert sorted(re.findall(r'<polyline class="curve-(\d)"', drawn)) == ["0", "1", "2", "3"]


def test_the_card_has_a_matrix_of_each_and_how_many_alarms_are_right(complete):
    final = final_of(complete(final_top=2))
    text = mistakes(final)
    assert "### Candidate 4 (winner), 2 trainings" in text
    assert "| 3 | 0 | 0 | 0 | 59 | 0 | 0 | 0 | 0 | 13 | 0 | 81.9 % | 100.0 % |" in text
    assert text.index("(winner)") < text.index("### Baseline") < text.index("### Candidate 3")
    assert "| Baseline | 9.0 % | 18.0 % | 45.0 % | 90.0 % | 91.1 % |" in text
    page = html(text, pictures(final))
    assert "<td>81.9 %</td><td>100.0 %</td>" in page
    assert '<h2>ROC curves</h2><figure><svg class="roc"' in page
    assert 'aria-label="ROC curves of Candidate 4 (winner), Baseline, Candidate 3"' in page
    assert re.findall(r'<polyline class="curve-(\d)" points="44', page) == ["2", "1", "0"]
    assert "</svg> Candidate 3</figcaption>" in page


def test_of_many_classes_the_card_has_the_most_frequent_mistakes(complete):
    final = final_of(complete())
    size = 30
    counts = [[5 if one == other else 0 for other in range(size)] for one in range(size)]
    counts[7][21], counts[2][9] = 5, 1
    for number in (final.winner, 0):
        final.measured[number] = [Measured({}, evidence=Evidence(tuple(map(tuple, counts)), ROC))]
    text = mistakes(final)
    assert "### Baseline, 1 training\n| True class | Taken for | Times | Recall of the class |" in text
    assert text.index("| 7 | 21 | 5 | 50.0 % |") < text.index("| 2 | 9 | 1 | 83.3 % |")


def test_classes_have_the_names_of_the_data_unless_those_are_gone(make_run, make_dataset):
    make_dataset()
    assert classes_of(make_run(split=Split("pets")).plan, 2) == ("cat", "dog & wolf")
    assert classes_of(make_run(split=Split("pets")).plan, 3) == ("0", "1", "2")
    assert classes_of(replace(PLAN, split=Split("lost")), 2) == ("0", "1")


def test_nothing_is_shown_before_the_first_final_training(make_run, worker, alice, client):
    run = make_run()
    lifecycle.start(run)
    client.force_login(alice)
    page = client.get(run.get_absolute_url()).content.decode()
    assert re.search(r'id="run-evidence"[^>]* hidden>', page)

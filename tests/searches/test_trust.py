"""How well proxies rank what was measured: on the run page, in words, and what happens to one that stops helping."""

from dataclasses import replace
from itertools import pairwise
from math import asin, pi
from random import Random

import pytest
from scipy.stats import kendalltau, spearmanr

from nas.objectives import Objective
from nas.policy import Policy
from searches import lifecycle
from searches.advance import advance
from searches.models import Event, Run
from searches.queries import Measurement, measurements
from searches.story import story
from searches.trust import interval, trust, watched

WATCHED = Policy(watch=("synflow", "snip"))


def candidate(number, accuracy, *, parameters=100, **metrics):
    known = {"accuracy": accuracy, "multiply_adds": 5, "epochs": 20, **metrics}
    return Measurement(number, number, 1, parameters, 5, known, seconds=1.0)


def lines(run, measured):
    return {one.figure.name: one for one in trust(run, measured)}


@pytest.fixture
def run(make_run):
    return make_run(policy=WATCHED)


def test_the_correlations_are_those_of_scipy_and_say_more_than_size_or_not(run):
    random = Random(1)
    accuracies = [random.uniform(80, 99) for _ in range(30)]
    measured = [
        candidate(n, value, synflow=value + random.gauss(0, 2), snip=-value, parameters=round(random.uniform(10, 99)))
        for n, value in enumerate(accuracies)
    ]
    found = lines(run, measured)
    assert list(found) == ["synflow", "snip", "parameters", "multiply_adds"]
    said = [one.metrics["synflow"] for one in measured]
    assert found["synflow"].spearman == pytest.approx(spearmanr(said, accuracies).statistic)
    assert found["synflow"].kendall == pytest.approx(kendalltau(said, accuracies).statistic)
    assert found["synflow"].low < found["synflow"].spearman < found["synflow"].high
    assert [one.verdict for one in found.values()] == ["better", "wrong", "size", "flat"]


def test_a_proxy_that_size_alone_matches_is_no_better(run):
    measured = [candidate(n, 80 + n, synflow=n, parameters=n) for n in range(12)]
    assert lines(run, measured)["synflow"].verdict == "no better"


def test_noise_does_not_help(run):
    random = Random(3)
    measured = [candidate(n, random.random(), synflow=random.random(), parameters=n) for n in range(40)]
    assert lines(run, measured)["synflow"].verdict == "nothing"


def test_seven_candidates_are_too_few_and_failed_ones_do_not_count(run):
    measured = [candidate(n, 80 + n, synflow=n) for n in range(7)]
    failed = replace(measured[0], metrics={})
    one = lines(run, [*measured, failed])["synflow"]
    assert (one.verdict, one.count, one.spearman) == ("few", 7, None)
    assert "7 of 8" in one.words


def test_only_those_with_most_training_are_compared_and_a_silent_proxy_is_left_out(run):
    low = [candidate(n, 100 - n, synflow=n, epochs=5) for n in range(20)]
    high = [candidate(n, n, synflow=n) for n in range(9)]
    found = lines(run, [*low, *high])
    assert (found["synflow"].count, found["synflow"].spearman) == (9, pytest.approx(1.0))
    assert (found["snip"].verdict, found["snip"].count) == ("few", 0)


def test_a_loss_that_falls_is_good(make_run):
    run = make_run(policy=WATCHED, objectives=(Objective("loss", "min"),))
    measured = [candidate(n, 50, loss=10 - n, synflow=n) for n in range(10)]
    assert lines(run, measured)["synflow"].spearman == pytest.approx(1.0)


def test_the_interval_covers_the_truth_about_19_times_in_20():
    hits, random = 0, Random(7)
    true = 6 / pi * asin(0.6 / 2)  # Spearman's of a bivariate normal with correlation 0.6
    for _ in range(400):
        pairs = []
        for _ in range(25):
            first = random.gauss(0, 1)
            pairs.append((first, 0.6 * first + 0.8 * random.gauss(0, 1)))
        low, high = interval(float(spearmanr(*zip(*pairs, strict=True)).statistic), 25)
        hits += low <= true <= high
    assert 0.92 < hits / 400 < 0.98


def test_no_proxy_watched_nothing_shown_and_scores_are_not_measured_against_themselves(run):
    assert watched(replace(run.plan, policy=Policy())) == ()
    assert watched(replace(run.plan, evaluator="score")) == ()
    assert watched(replace(run.plan, policy=Policy(proxy="depth")))[0] == "depth"


def test_the_run_page_shows_the_table_and_what_its_chart_draws(run, worker, work, client, alice):
    lifecycle.start(run)
    advance(run.pk)
    client.force_login(alice)
    assert "Too few candidates" in client.get(run.get_absolute_url()).content.decode()
    for _ in range(12):
        work(run, lambda one: {"accuracy": 50.0 + one.number, "synflow": float(one.number), "parameters": 9})
    page = client.get(run.get_absolute_url())
    assert "It helps more than the number of parameters alone." in page.content.decode()
    assert [one["name"] for one in page.context["snapshot"]["trust"]] == list(watched(run.plan))
    assert page.context["snapshot"]["points"][0]["metrics"]["synflow"] == 1.0


def test_a_proxy_that_stops_ranking_is_demoted_and_the_page_says_so(make_run, worker, work):
    run = make_run(policy=Policy(proxy="parameters", proxy_share=0.3), budget=50, limits=(), strategy="random")
    run.plan_json["strategy_settings"] = {}
    run.save()
    lifecycle.start(run)
    advance(run.pk)

    def judge(one):  # at first the large ones are the good ones, then the small ones
        sign = 1 if one.number <= 20 else -1
        return {"accuracy": float(sign * one.parameters), "parameters": one.parameters}

    for _ in range(60):
        run.refresh_from_db()
        if run.stage == Run.Stage.FINAL:
            break
        work(run, judge)
    told = list(Event.objects.filter(run=run, kind="proxy").order_by("seq").values_list("data__trusted", flat=True))
    assert told[:2] == [True, False]
    assert all(before != after for before, after in pairwise(told))
    texts = [line.text for line in story(run)]
    assert any("Parameters stopped ranking what is measured" in text for text in texts)
    assert any("it rejects proposals from now on" in text for text in texts)
    assert len(measurements(run)) == 50

"""Races: lanes on a table, how they stand, and the report."""

import json
from dataclasses import replace
from random import Random
from statistics import fmean, stdev

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from nas.__main__ import main
from nas.commandline import DEFAULTS
from nas.objectives import Objective
from nas.race.contest import Lane, Race
from nas.race.running import lane
from nas.race.standings import default_marks, evaluations_to, median_to, spread, standings
from nas.rehearsal import on_table

UP = Objective("accuracy", "max")


def a_table(folder, rows=64, name="small"):
    """Write a table of six binary decisions in which every 1 is worth a point, and a test column beside it."""
    choices = np.array([[row >> bit & 1 for bit in range(6)] for row in range(rows)], np.uint8)
    valid = choices.sum(1).astype(np.float32) + 50
    about = {
        "format": 1,
        "name": name,
        "decisions": [{"name": f"bit {bit}", "options": ["off", "on"]} for bit in range(6)],
        "metrics": {
            "toy.valid_accuracy.3ep": {"goal": "max", "unit": "%", "split": "valid", "epochs": 3},
            "toy.valid_accuracy.9ep": {"goal": "max", "unit": "%", "split": "valid", "epochs": 9},
            "toy.test_accuracy.3ep": {"goal": "max", "unit": "%", "split": "test", "epochs": 3},
            "toy.parameters": {"goal": "min", "unit": "count"},
        },
    }
    arrays = {
        "toy.valid_accuracy.3ep": valid,
        "toy.valid_accuracy.9ep": valid + 5,
        "toy.test_accuracy.3ep": valid - 1,
        "toy.parameters": 100 + choices.sum(1),
    }
    path = folder / f"{name}.npz"
    np.savez(path, about=np.frombuffer(json.dumps(about).encode(), np.uint8), choices=choices, **arrays)
    return path


def a_lane(strategy, seed, values):
    return Lane(strategy, seed, tuple(values), tuple(values), tuple(range(1, len(values) + 1)), 0.1)


def test_a_lane_keeps_the_best_so_far_and_reads_its_report(tmp_path):
    plan = on_table(
        replace(DEFAULTS, budget=40, strategy="random"), str(a_table(tmp_path)), objectives=["toy.valid_accuracy.3ep"]
    )
    found = lane(plan)
    assert list(found.best) == sorted(found.best)
    assert found.report == tuple(value - 1 for value in found.best)
    assert len(found.best) == 40
    assert found.epochs[-1] == 3 * 40


def test_a_lane_in_a_spent_space_repeats_its_end(tmp_path):
    plan = on_table(
        replace(DEFAULTS, budget=100, strategy="random"), str(a_table(tmp_path)), objectives=["toy.valid_accuracy.3ep"]
    )
    found = lane(plan)
    assert len(found.best) == 100
    assert found.best[-1] == 56
    assert found.epochs[-1] <= 3 * 64


def test_standings_are_means_errors_quantiles_and_a_rank_test():
    random = Random(3)
    fast = [a_lane("fast", seed, sorted(random.gauss(60, 1) for _ in range(8))) for seed in range(30)]
    slow = [a_lane("random", seed, sorted(random.gauss(58, 1) for _ in range(8))) for seed in range(30)]
    found = {one.strategy: one for one in standings([*fast, *slow], UP, [8])}
    ends, theirs = [one.best[7] for one in fast], [one.best[7] for one in slow]
    assert found["fast"].best.mean == pytest.approx(fmean(ends))
    assert found["fast"].best.error == pytest.approx(stdev(ends) / 30**0.5)
    assert found["fast"].best.low == pytest.approx(np.quantile(ends, 0.1))
    assert found["fast"].p_value == pytest.approx(mannwhitneyu(ends, theirs).pvalue)
    assert found["fast"].gain == pytest.approx(100 * (fmean(ends) / fmean(theirs) - 1))
    assert found["random"].gain is None


def test_a_gain_of_a_minimised_objective_is_a_fall():
    lanes = [a_lane("fast", seed, [1.0 + seed / 100]) for seed in range(3)]
    lanes += [a_lane("random", seed, [2.0 + seed / 100]) for seed in range(3)]
    found = standings(lanes, Objective("loss", "min"), [1])
    assert found[0].gain == pytest.approx(100 * 1 / 2.01)


def test_evaluations_to_a_value_and_their_median():
    lanes = [a_lane("fast", 0, [1, 2, 3]), a_lane("fast", 1, [3, 3, 3]), a_lane("fast", 2, [1, 1, 1])]
    assert [evaluations_to(one, 3, UP) for one in lanes] == [3, 1, None]
    assert median_to(lanes, 3, UP) == 3
    assert median_to(lanes, 4, UP) is None


def test_one_seed_has_no_error():
    assert spread([5.0]).error == 0


def test_marks_are_quarters_of_the_budget():
    assert default_marks(100) == (25, 50, 75, 100)
    assert default_marks(1) == (1,)


def test_random_races_always_and_last(tmp_path):
    plan = on_table(replace(DEFAULTS, budget=5), str(a_table(tmp_path)))
    race = Race(plan, ("random", "genetic", "genetic"), (1, 2))
    assert race.entrants == ("genetic", "random")
    assert race.starts == (("genetic", 1), ("random", 1), ("genetic", 2), ("random", 2))


def test_the_command_prints_standings_and_writes_a_page(tmp_path, capsys):
    report = tmp_path / "race.html"
    table = str(a_table(tmp_path))
    asked = ["--table", table, "--strategies", "genetic", "--seeds", "3", "--budget", "12", "--marks", "6,12"]
    code = main(["race", *asked, "--json", "--html", str(report), "--processes", "1"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [(one["strategy"], one["evaluations"]) for one in lines] == [
        ("genetic", 6), ("random", 6), ("genetic", 12), ("random", 12)
    ]  # fmt: skip
    html = report.read_text()
    assert "toy.valid_accuracy.9ep" in html
    assert "<script src" not in html
    assert "mutation_rate = " in html


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--strategies", "genetics"], "There is no strategy genetics; the nearest is genetic."),
        (["--strategies", ","], "--strategies names no strategy."),
        (["--strategies", "genetic", "--seeds", "0"], "seeds is 0; it must be between 1 and 10000."),
        (["--strategies", "genetic", "--marks", "99"], "--marks 99 must lie between 1 and the budget of 12."),
        (["--strategies", "genetic,random", "--set", "elitism=1"], "--set elitism is for one strategy"),
    ],
)
def test_a_race_that_cannot_work_is_refused(tmp_path, capsys, arguments, sentence):
    table = str(a_table(tmp_path))
    code = main(["race", "--table", table, "--budget", "12", "--html", str(tmp_path / "race.html"), *arguments])
    assert code == 2
    assert sentence in capsys.readouterr().err

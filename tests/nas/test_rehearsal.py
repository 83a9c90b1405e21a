"""A search on a table, as a script sees it: the lines that it prints, and what it refuses."""

import json
from dataclasses import replace

import pytest

from nas import plan as plans
from nas.__main__ import main
from nas.checks import check
from nas.commandline import DEFAULTS
from nas.race.running import lane
from nas.rehearsal import on_table
from nas.strategies.catalogue import STRATEGIES
from tests.nas.race.test_race import a_table


@pytest.fixture
def table(tmp_path):
    return str(a_table(tmp_path, rows=60))


def search(capsys, *options):
    code = main(["search", "--json", *options])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    return lines[:-1], lines[-1]


def test_lines_say_number_choices_and_scores_and_the_last_one_what_came_of_it(table, capsys):
    asked = ["--space", "table", "--table", table, "--metric", "toy.valid_accuracy.3ep", "--budget", "30"]
    lines, last = search(capsys, *asked, "--strategy", "genetic", "--seed", "7", "--report", "toy.test_accuracy.3ep")
    searched = [line for line in lines if line["stage"] == "search"]
    assert [line["number"] for line in searched] == list(range(1, 31))
    assert len({tuple(line["choices"]) for line in searched}) == 30
    for line in searched:
        assert line["scores"] == [-(50 + sum(line["choices"]))]
    best = min(line["scores"][0] for line in searched)
    assert last["best"]["metrics"] == {"toy.valid_accuracy.3ep": -best}
    assert 50 + sum(last["best"]["choices"]) == -best
    assert last["report"] == -best - 1
    assert last["evaluations"] == 30
    assert last["seconds"] >= 0


def test_the_same_seed_gives_the_same_lines(table, capsys):
    asked = ["--table", table, "--budget", "20", "--strategy", "genetic", "--seed", "3"]
    assert search(capsys, *asked)[0] == search(capsys, *asked)[0]


def test_architectures_that_the_table_lacks_are_never_asked(table, capsys):
    lines, last = search(capsys, "--table", table, "--budget", "100", "--strategy", "random")
    assert all(line["status"] == "measured" for line in lines)
    assert last["evaluations"] <= 60


def test_columns_are_found_where_nobody_names_them(table):
    plan = on_table(replace(DEFAULTS, budget=5), table)
    assert plan.objectives[0].metric == "toy.valid_accuracy.9ep"
    assert plan.report == ("toy.test_accuracy.3ep",)
    assert (plan.epochs, plan.final_epochs) == (9, 3)


def test_a_column_at_more_epochs_offers_the_lower_ones_as_fidelities(table):
    plan = on_table(DEFAULTS, table, objectives=["toy.valid_accuracy.9ep"])
    assert tuple(plans.terms(plan).fidelities) == (3, 9)


def test_a_lower_fidelity_reads_the_lower_column(table, capsys):
    asked = ["--table", table, "--metric", "toy.valid_accuracy.9ep", "--budget", "40", "--strategy", "asha"]
    lines, last = search(capsys, *asked)
    by_epochs = {line["metrics"]["epochs"] for line in lines if line["stage"] == "search"}
    assert by_epochs == {3, 9}
    for line in lines:
        if line["stage"] == "search":
            expected = 50 + sum(line["choices"]) + (5 if line["metrics"]["epochs"] == 9 else 0)
            assert line["metrics"]["toy.valid_accuracy.9ep"] == expected
    # The best is one that was measured at the top, whatever lower numbers say.
    assert last["best"]["metrics"]["toy.valid_accuracy.9ep"] >= 55


def test_rules_hold_on_a_table(table, capsys):
    lines, _ = search(capsys, "--table", table, "--budget", "8", "--rule", "tie: bit *", "--strategy", "random")
    assert {line["metrics"]["toy.valid_accuracy.9ep"] for line in lines} <= {55.0, 61.0}


def test_a_table_may_be_asked_for_as_an_evaluator(table, capsys):
    asked = ["--table", table, "--budget", "5", "--seed", "7"]
    assert search(capsys, "--evaluator", "table", *asked)[0] == search(capsys, *asked)[0]
    lines, _ = search(capsys, "--evaluator", "table", "--budget", "3")
    assert "digits.valid_accuracy.27ep" in lines[0]["metrics"]


def test_limits_on_columns_hold(table, capsys):
    lines, last = search(capsys, "--table", table, "--budget", "60", "--limit", "toy.parameters=103")
    broken = [line for line in lines if line["stage"] == "search" and line["scores"] is None]
    assert broken
    assert sum(last["best"]["choices"]) <= 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--metric", "toy.valid"], "There is no metric toy.valid; the nearest are toy.valid_accuracy.9ep, "),
        (["--report", "toy.tests"], "There is no metric toy.tests; the nearest are "),
        (["--strategy", "genetics"], "There is no strategy genetics; the nearest is genetic."),
        (["--set", "population=1"], "population is 1; it must be between 2 and 1000."),
        (["--set", "populations=5"], "There is no setting populations; the nearest is population."),
        (["--rule", "tie: bits *"], "bits *"),
        (["--metric", "toy.valid_accuracy.3ep", "--metric", "toy.parameters"], "works on one objective, not on 2"),
        (["--strategy", "asha", "--metric", "toy.valid_accuracy.3ep"], "asha"),
        (["--set", "policy.proxy=synflow"], "There is no proxy synflow; there are "),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(table, capsys, options, sentence):
    assert main(["search", "--table", table, "--json", *options]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert not said.out


def test_a_table_that_is_nowhere_is_refused(capsys):
    assert main(["search", "--table", "no_such_table"]) == 2
    assert "There is no table no_such_table; the nearest is " in capsys.readouterr().err


def test_a_report_without_a_table_is_refused(capsys):
    assert main(["search", "--report", "x"]) == 2
    assert "--report x needs a table" in capsys.readouterr().err


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_rehearses(table, name):
    plan = on_table(replace(DEFAULTS, strategy=name, budget=12), table, objectives=["toy.valid_accuracy.9ep"])
    check(plan)
    assert lane(plan).best[-1] >= 53


def test_list_names_every_strategy_with_its_settings(capsys):
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert set(listed["strategies"]) == set(STRATEGIES)
    assert listed["strategies"]["genetic"]["settings"]["population"]["low"] == 2
    assert set(listed["evaluators"]) == {"train", "table", "score", "supernet"}
    assert main(["list"]) == 0
    assert "population = " in capsys.readouterr().out

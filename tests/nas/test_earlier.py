"""A search that begins with what an earlier one printed, and the files that it refuses."""

import json
from dataclasses import replace

import pytest

from nas.__main__ import main
from nas.commandline import DEFAULTS
from nas.earlier import warm_from
from nas.objectives import Limit, Objective
from nas.plan import search_space
from nas.priors import Source
from nas.report import reached
from nas.sentences import Refused
from tests.nas.race.test_race import a_table

COUNT = len(search_space(DEFAULTS).decisions)


def line(number, first, accuracy, **metrics):
    """An evaluation whose first choices are these."""
    choices = [*first, *[0] * (COUNT - len(first))]
    return {
        "number": number, "stage": "search", "seed": 1, "choices": choices, "scores": [-accuracy],
        "status": "measured", "metrics": {"accuracy": accuracy, "epochs": 5.0, **metrics},
    }  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(*lines, name="earlier.jsonl"):
        file = tmp_path / name
        file.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines))
        return str(file)

    return write


def warm(*files, **changes):
    return warm_from(files, replace(DEFAULTS, limits=(), **changes))


def test_a_search_begins_with_the_best_of_an_earlier_one(tmp_path, capsys):
    asked = ["search", "--json", "--table", str(a_table(tmp_path, rows=60)), "--metric", "toy.valid_accuracy.3ep"]
    assert main([*asked, "--budget", "20", "--strategy", "random"]) == 0
    file = tmp_path / "earlier.jsonl"
    file.write_text(capsys.readouterr().out)
    first = [json.loads(text) for text in file.read_text().splitlines()]
    assert main([*asked, "--budget", "10", "--warm-start", str(file), "--set", "policy.warm_start=4"]) == 0
    then = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    best = min(line["scores"] for line in first if line.get("stage") == "search")
    assert then[0]["scores"] == best
    known = [line["choices"] for line in first if line.get("stage") == "search"]
    assert all(line["choices"] in known for line in then[:4])
    at = next(line["number"] for line in first if line.get("scores") == best)
    told = {"title": "earlier.jsonl", "best": -best[0], "evaluations": at, "reached": 1}
    assert then[-1]["warm_start"] == [told]
    assert "warm_start" not in first[-1]
    assert main([*[one for one in asked if one != "--json"], "--budget", "5", "--warm-start", str(file)]) == 0
    assert f"found after {at} evaluations, was reached after 1\n" in capsys.readouterr().out


def test_the_source_is_the_file_with_its_best_value_and_when_it_was_reached(written):
    found = warm(written(line(1, (0, 1, 2), 80.0), line(2, (1, 1, 1, 1), 90.0), line(3, (0, 1, 0, 1, 1), 85.0)))
    (source,) = found.sources
    assert (source.title, source.best, source.evaluations, source.run) == ("earlier.jsonl", 90.0, 2, 0)
    assert len(found.starts) == 3


def test_files_take_turns_and_failures_finals_and_last_lines_do_not_count(written):
    failed = {"number": 3, "stage": "search", "choices": [0], "status": "failed", "cause": "oom"}
    final = {"number": 1, "stage": "final", "choices": [0], "status": "measured", "metrics": {}}
    one = written(line(1, (0, 1, 2), 80.0), failed, final, {"best": {}, "evaluations": 2}, "", name="one")
    two = written(line(1, (1, 1, 1, 1), 70.0), name="two")
    assert [source.title for source in warm(one, two).sources] == ["one", "two"]
    assert len(warm(one, two).starts) == 2


def test_the_order_is_that_of_the_new_objective_among_the_longest_trainings(written):
    file = written(
        line(1, (0, 1, 2), 80.0, loss=0.1),
        line(2, (1, 1, 1, 1), 90.0, loss=0.5),
        line(3, (0, 1, 0, 1, 1), 99.0, epochs=2),
    )
    lower = warm(file, objectives=(Objective("loss", "min"),))
    assert lower.starts == warm(file).starts[::-1]
    assert len(lower.starts) == 2
    assert lower.sources[0].best == 0.1


def test_networks_that_a_proxy_scored_come_in_its_order_and_their_best_is_none_to_reach(written):
    choices, values = [(0, 1, 2), (1, 1, 1, 1), (0, 1, 0, 1, 1)], (5.0, 9.0, 7.0)
    trained = [line(*one) for one in zip((1, 2, 3), choices, values, strict=True)]
    scored = [one | {"metrics": {"synflow": value}} for one, value in zip(trained, values, strict=True)]
    found = warm(written(*scored))
    assert found.starts == warm(written(*trained)).starts
    assert not found.sources[0].comparable
    again = warm(written(*scored), evaluator="score", objectives=(Objective("synflow", "max"),))
    assert again.starts == found.starts
    assert again.sources[0].comparable


def test_a_search_warms_up_by_a_proxy(tmp_path, capsys):
    quick = ["search", "--json", "--final-epochs", "1", "--final-seeds", "1", "--strategy", "random"]
    assert main([*quick, "--evaluator", "score", "--objective", "naswot", "--budget", "6"]) == 0
    file = tmp_path / "scored.jsonl"
    file.write_text(capsys.readouterr().out)
    lines = [json.loads(text) for text in file.read_text().splitlines()]
    scored = [one for one in lines if one.get("stage") == "search" and one["status"] == "measured"]
    best = min(scored, key=lambda one: one["scores"])
    assert main([*quick, "--epochs", "1", "--budget", "1", "--warm-start", str(file)]) == 0
    then = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert then[0]["choices"] == best["choices"]
    assert then[-1]["warm_start"] == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "is not what `search --json` printed"),
        (["[1]"], "is not what `search --json` printed"),
        ([], "has no measured network"),
        ([{"best": {}}], "has no measured network"),
        ([line(1, (), 80.0) | {"choices": [0, 1]}], r"is of another space: \(0, 1\) are no choices of chain"),
        ([line(1, (-1,), 80.0)], "is of another space"),
        ([line(1, (999,), 80.0)], "is of another space"),
        ([line(1, (), 80.0) | {"choices": "abc"}], "choices cannot be 'abc'"),
        ([line(1, (), 80.0) | {"metrics": {}}], "does not tell the accuracy"),
    ],
)
def test_what_cannot_be_a_start_is_refused_with_a_sentence(written, lines, said):
    with pytest.raises(Refused, match=said):
        warm(written(*lines))


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"nowhere cannot be read: No such file"):
        warm(str(tmp_path / "nowhere"))
    (tmp_path / "picture").write_bytes(b"\x89PNG\xff")
    with pytest.raises(Refused, match="is not what"):
        warm(str(tmp_path / "picture"))


def test_what_breaks_a_limit_is_no_start(written):
    file = written(line(1, (0, 1, 2), 80.0, latency_ms=1.0), line(2, (1, 1, 1, 1), 90.0, latency_ms=9.0))
    assert len(warm_from([file], replace(DEFAULTS, limits=(Limit("latency_ms", 5.0),))).starts) == 1


@pytest.mark.parametrize(
    ("source", "at"),
    [
        (Source("a", 70.0, 9), 2),  # the first breaks the limit
        (Source("a", 70.5, 9), 3),
        (Source("a", 99.0, 9), None),
        (Source("a", 70.0, 9, comparable=False), None),
    ],
)
def test_the_best_of_an_earlier_search_is_reached_by_the_first_that_is_as_good_within_the_limits(source, at):
    plan = replace(DEFAULTS, limits=(Limit("latency_ms", 5.0),))
    values = [(90.0, 6.0), (70.0, 1.0), (71.0, 5.0), (72.0, 1.0)]
    measured = [(at, {"accuracy": one, "latency_ms": ms}) for at, (one, ms) in enumerate(values, start=1)]
    assert reached(plan, source, measured) == at


def test_a_search_by_gradient_is_no_teacher(written):
    with pytest.raises(Refused, match="is of a search by gradient"):
        warm(written({**line(1, (1,), 90.0), "alpha": {"edge 0-1": {"skip": 1.0}}}))

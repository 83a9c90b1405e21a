"""Who is compared in the final stage, who wins it, and what the difference means."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_ind

from nas import jobs, selection
from nas.__main__ import main
from nas.architecture import Architecture
from nas.checks import check
from nas.commandline import DEFAULTS
from nas.events import Evidence, Measured
from nas.final import Final
from nas.objectives import Limit
from nas.reference import HAND_MADE, NETWORKS, OWN, Reference, reference
from nas.sentences import Refused
from nas.significance import compared_by, verdict
from nas.spaces import moves
from nas.spaces.catalogue import SpaceSpec, build
from nas.spaces.graph import Task
from nas.strategies.protocol import dice
from tests.nas.evaluation.jobs import CHOICES, SMALL

SPACE = SpaceSpec("chain", SMALL)
PLAN = replace(DEFAULTS, space=SPACE, limits=())
QUICK = [
    "--budget",
    "3",
    "--epochs",
    "1",
    "--final-epochs",
    "1",
    "--final-seeds",
    "2",
    "--strategy",
    "random",
    "--json",
]


def proven(right):
    packed = np.packbits(np.array(right, bool)).tobytes()
    return Evidence(((1,),), ((0.0, 0.0),), base64.b64encode(packed).decode())


def test_the_finalists_are_the_best_different_architectures_within_the_limits():
    plan = replace(PLAN, final_top=2, limits=(Limit("parameters", 10),))
    rows = [(1, 90, 1), (2, 95, 11), (3, 94, 2), (4, 93, 3), (5, 92, 4)]
    measured = [(number, {"accuracy": float(value), "parameters": size}) for number, value, size in rows]
    same = {3: "a", 4: "a"}
    assert selection.finalists(plan, measured, lambda number: same.get(number, number)) == [3, 5]


def test_of_several_finalists_validation_decides_and_never_the_test_split():
    plan = replace(PLAN, final_top=2)
    first = [{"accuracy": 99.0, "valid_accuracy": 90.0}, {"accuracy": 99.0, "valid_accuracy": 91.0}]
    second = [{"accuracy": 80.0, "valid_accuracy": 92.0}, {"accuracy": 80.0, "valid_accuracy": 91.0}]
    assert selection.champion(plan, [("first", first), ("second", second)]) == "second"
    assert selection.champion(plan, [("first", first), ("second", [])]) == "first"
    assert selection.champion(plan, [("first", []), ("second", [])]) is None
    assert selection.champion(replace(PLAN, final_top=1), [("only", first)]) == "only"


def test_a_search_with_finalists_and_an_own_baseline_that_trains_as_long(capsys):
    own = ",".join(map(str, CHOICES))
    asked = ["--set", "space.min_layers=2", "--set", "space.max_layers=3", "--no-limits", "--final-top", "2"]
    assert main(["search", *QUICK, *asked, "--baseline", own, "--baseline-budget", "time"]) == 0
    *lines, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    final = [line for line in lines if line["stage"] == "final"]
    assert len(final) == 2 * 3
    assert [line["number"] for line in final[4:]] == [0, 0]
    assert all(line["choices"] == list(CHOICES) for line in final[4:])
    by_number = {each["number"]: each["test"]["valid_accuracy"] for each in last["finalists"]}
    assert last["best"]["number"] == max(by_number, key=by_number.get)
    assert last["test"] == next(e["test"] for e in last["finalists"] if e["number"] == last["best"]["number"])
    assert (last["baseline_network"], last["seeds"]) == (OWN, 2)
    assert last["significance"]["metric"] == "accuracy"
    assert last["significance"]["seeds"] == 2
    assert any("McNemar" in text for text in last["significance"]["says"])
    stages = {each["stage"]: each["hours"] for each in last["cost"]["by"]}
    assert stages["search"] > 0
    assert last["cost"]["device_hours"] == pytest.approx(sum(stages.values()), abs=2e-5)


def test_the_test_split_of_one_finalist_is_learned_around_and_of_several_validation_is_held_out():
    one = jobs.final_job(PLAN, Architecture("chain", CHOICES), seed=2, export=True, workdir="")
    several = jobs.final_job(
        replace(PLAN, final_top=2), Architecture("chain", CHOICES), seed=2, export=True, workdir=""
    )
    assert (one.holds_validation, several.holds_validation) == (False, True)
    assert jobs.final_trainings(replace(PLAN, final_top=2, final_seeds=3)) == 9


def test_a_baseline_is_read_from_a_name_choices_or_an_export(tmp_path):
    assert reference("resnet18", SPACE).spec == SpaceSpec("torchvision", {"network": "resnet18"})
    assert reference(" 1, 0,2 ", SPACE) == Reference(OWN, SPACE, (1, 0, 2))
    exported = tmp_path / "architecture.json"
    exported.write_text(json.dumps({"space": {"kind": "mlp", "settings": {}}, "choices": [1, 2], "key": "x"}))
    found = reference(str(exported), SPACE, "time")
    assert (found.space.kind, found.choices, found.budget) == ("mlp", (1, 2), "time")
    assert reference(exported.read_text(), SPACE).space.kind == "mlp"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("resnet81", "nearest is resnet18"),
        ("", "There is no baseline"),
        ("1,x", "There is no baseline 1,x"),
        ("nowhere.json", "cannot be read"),
        ("{", "no exported architecture"),
        ('{"space": {"kind": "chain"}, "choices": "all"}', "no exported architecture"),
        ("[" * 9999, "no exported architecture"),
    ],
)
def test_what_is_no_baseline_is_refused(text, said):
    with pytest.raises(Refused, match=said):
        reference(text, SPACE)


def test_a_baseline_that_does_not_fit_the_task_is_refused_before_the_run():
    with pytest.raises(Refused, match="are no architecture of the space chain"):
        check(replace(PLAN, baseline=Reference(OWN, SPACE, (9, 9))))
    with pytest.raises(Refused, match="needs images, not text data"):
        Reference("resnet18").check(Task((16,), 2, 100))
    with pytest.raises(Refused, match="nearest is"):
        Reference("resnet999").check(Task((1, 8, 8), 10))
    for name in (HAND_MADE, *NETWORKS):
        Reference(name).check(Task((1, 8, 8), 10))


def test_any_architecture_of_the_space_can_be_the_baseline():
    space = build(SPACE, Task((1, 8, 8), 10))
    for number in range(10):
        one = moves.sample(space, dice(3, number))
        own = Reference(OWN, SPACE, one.choices)
        assert own.graph(Task((1, 8, 8), 10)) == space.graph(one)


def test_the_verdict_is_that_of_scipy():
    ours, theirs = [90.0, 91.0, 92.5], [88.0, 89.5, 88.5]
    right = ([1] * 30 + [0] * 10, [1] * 20 + [0] * 15 + [1] * 5)
    found = verdict(PLAN, [{"accuracy": v} for v in ours], [{"accuracy": v} for v in theirs], tuple(map(proven, right)))
    assert found.welch == pytest.approx(ttest_ind(ours, theirs, equal_var=False).pvalue)
    assert (found.only_winner, found.only_baseline) == (10, 5)
    assert found.mcnemar == pytest.approx(binomtest(10, 15).pvalue)
    assert found.ahead == pytest.approx(2.5, abs=0.01)
    assert "So few seeds" in str(found.sentences[1])


def test_few_seeds_equal_seeds_and_missing_predictions_are_said_for_what_they_are():
    one, same = [{"accuracy": 90.0}], [{"accuracy": 90.0}] * 3
    assert verdict(PLAN, one, []) is None
    assert "One seed says nothing" in str(verdict(PLAN, one, one).sentences[0])
    assert verdict(PLAN, same, same).welch == 1.0
    assert verdict(PLAN, same, [{"accuracy": 80.0}] * 3).welch == 0.0
    assert verdict(PLAN, same, same, (proven([1, 0]), None)).mcnemar is None
    assert verdict(PLAN, same, same, (proven([1, 0]), proven([1, 0]))).mcnemar == 1.0


def test_the_first_objective_decides_where_it_is_a_quality():
    from nas.objectives import Objective

    assert compared_by(replace(PLAN, objectives=(Objective("f1", "max"),))) == "f1"
    assert compared_by(replace(PLAN, objectives=(Objective("parameters", "min"),))) == "accuracy"


def test_the_baseline_trains_as_long_as_the_winner_on_average():
    final = Final(replace(PLAN, baseline=Reference(budget="time")), {3: Architecture("chain", CHOICES)})
    assert final.seconds == 0
    for seconds in (10.0, 20.0, None):
        final.add(3, Measured({"accuracy": 1.0, "training_seconds": seconds}) if seconds else None)
    assert (final.winner, final.seconds) == (3, 15.0)
    assert replace(final, plan=PLAN).seconds == 0

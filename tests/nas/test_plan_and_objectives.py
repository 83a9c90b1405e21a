"""What a plan refuses, who wins, and which scores a strategy sees."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas import codec, jobs, pareto, plan, selection
from nas.architecture import Architecture
from nas.checks import check
from nas.commandline import plan_of
from nas.evaluation.protocol import Split, Training
from nas.objectives import Limit, Objective, scores
from nas.plan import Plan
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec
from nas.strategies.protocol import Failed, Scored

PLAN = Plan(Split("digits"), SpaceSpec("chain", {}), "genetic")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"budget": 0}, "budget is 0; it must be between 1 and 1000000."),
        ({"epochs": -1}, "epochs is -1"),
        (
            {"split": Split("digit")},
            "There is no dataset digit; the nearest are digits,",
        ),
        ({"split": Split("digits", valid_share=0.9)}, "valid_share is 0.9"),
        ({"space": SpaceSpec("chain", {"max_layers": 99})}, "max_layers is 99; it must be between 1 and 20."),
        ({"space": SpaceSpec("chian", {})}, "nearest is chain"),
        ({"limits": (Limit("parameters", 3.0),)}, "None of 1000 sampled architectures is allowed"),
        ({"strategy": "genetics"}, "nearest is genetic"),
        ({"strategy_settings": {"population": 1}}, "population is 1; it must be between 2 and 1000."),
        ({"training": Training(batch_size=0)}, "batch_size is 0; it must be between 2 and 4096."),
        ({"training": Training(optimizer="adamw")}, "learning_rate is 0.2; for AdamW it must be at most 0.1"),
        ({"training": Training(cutout=2.0)}, "cutout is 2.0; it must be between 0 and 1."),
        ({"objectives": (Objective("accuracy", "max"), Objective("loss", "min"))}, "genetic works on one objective"),
        ({"objectives": (Objective("beauty", "max"),)}, "There is no metric beauty"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_before_anything_starts(change, said):
    with pytest.raises(Refused, match=said.replace("(", r"\(")):
        check(replace(PLAN, **change))


def test_a_plan_in_order_passes():
    check(PLAN)
    check(replace(PLAN, strategy="random", objectives=(Objective("accuracy", "max"), Objective("parameters", "min"))))


def test_a_plan_stored_by_an_earlier_version_trains_as_it_did():
    before = {"batch_size": 64, "learning_rate": 0.1, "weight_decay": 0.0, "label_smoothing": 0.1, "augment": True}
    loaded = codec.load(Plan, {**codec.dump(PLAN), "training": before}).training
    assert (loaded.optimizer, loaded.schedule, loaded.gradient_clip, loaded.patience) == ("sgd", "one_cycle", 5.0, 0)
    assert (loaded.shift, loaded.flip, loaded.rotation, loaded.colour, loaded.cutout, loaded.mixup) == (
        *(0.125, True),
        *(0, 0, 0, 0),
    )


def test_a_broken_limit_is_told_as_a_failure():
    limited = replace(PLAN, limits=(Limit("latency_ms", 1.0),))
    one = Architecture("chain", ())
    assert isinstance(selection.outcome(limited, 1, one, 0, {"accuracy": 90.0, "latency_ms": 2.0}), Failed)
    assert selection.outcome(limited, 1, one, 0, {"accuracy": 90.0, "latency_ms": 0.5}) == Scored(1, one, 0, (-90.0,))
    assert isinstance(selection.outcome(limited, 1, one, 0, None), Failed)


def test_the_winner_keeps_to_the_limits():
    limited = replace(PLAN, limits=(Limit("parameters", 100.0),))
    rows = [(1, {"accuracy": 99.0, "parameters": 101}), (2, {"accuracy": 90.0, "parameters": 9})]
    assert selection.best(limited, rows) == 2
    assert selection.best(limited, rows[:1]) is None


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        ({"loss": 0.2, "parameters": 9}, {"loss": 0.2, "parameters": 8}, 2),
        ({"loss": 0.2, "parameters": 9}, {"loss": 0.3, "parameters": 8}, 1),
        ({"loss": 0.2, "parameters": 9, "multiply_adds": 5}, {"loss": 0.2, "parameters": 9, "multiply_adds": 4}, 2),
        ({"loss": 0.2, "parameters": 9, "epochs": 2}, {"loss": 0.2, "parameters": 99, "epochs": 3}, 2),
        ({"loss": 0.2}, {"loss": 0.2}, 1),
    ],
    ids=["fewer parameters", "objectives first", "then multiply-adds", "more epochs first", "then the earlier"],
)
def test_of_equally_good_networks_the_cheaper_wins(first, second, winner):
    two = replace(PLAN, objectives=(Objective("accuracy", "max"), Objective("loss", "min")))
    rows = [(1, {"accuracy": 90.0, **first}), (2, {"accuracy": 90.0, **second})]
    assert selection.best(two, rows) == winner


def test_no_final_seed_is_the_seed_of_the_search():
    assert PLAN.seed not in jobs.final_seeds(PLAN)
    assert len(set(jobs.final_seeds(PLAN))) == PLAN.final_seeds


def test_the_summary_is_mean_and_sample_deviation():
    about = selection.summary([{"accuracy": 90.0}, {"accuracy": 94.0}])["accuracy"]
    assert about == pytest.approx({"mean": 92.0, "sd": 8**0.5, "count": 2})


def test_scores_are_minimised():
    goals = (Objective("accuracy", "max"), Objective("parameters", "min"))
    assert scores(goals, (), {"accuracy": 90.0, "parameters": 5}) == (-90.0, 5)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2)), max_size=40))
def test_the_front_is_what_brute_force_finds(points):
    brute = {i for i, p in enumerate(points) if not any(pareto.dominates(q, p) for q in points)}
    assert set(pareto.front(points)) == brute


OPTIONS = {
    "dataset": "digits", "space": "chain", "strategy": "genetic", "budget": 24, "epochs": 5, "final_epochs": 9,
    "final_seeds": 2, "candidate_seconds": 60, "seed": 1, "split_seed": 0,
    "table": None, "report": [], "objective": [], "limit": [], "no_limits": False, "set": [], "rule": [],
    "warm_start": [], "evaluator": "train", "final_top": 1, "baseline": "hand_made", "baseline_budget": "epochs",
}  # fmt: skip


def test_the_command_line_sets_strategy_space_and_training():
    made = plan_of({**OPTIONS, "set": ["population=6", "space.max_layers=3", "training.batch_size=64"]})
    assert made.strategy_settings == {"population": "6"}
    assert made.space.settings == {"max_layers": "3"}
    assert made.training.batch_size == 64
    assert made.limits == plan.default_limits(made.task)
    check(made)


@pytest.mark.parametrize("bad", ["population", "data.x=1", "training.batchsize=3"])
def test_a_setting_that_is_not_one_is_refused(bad):
    with pytest.raises(Refused):
        plan_of({**OPTIONS, "set": [bad]})


@pytest.mark.parametrize("bad", ["parameters", "parameters=few", "beauty=3"])
def test_a_limit_that_is_not_one_is_refused(bad):
    with pytest.raises(Refused):
        plan_of({**OPTIONS, "limit": [bad]})


def test_transformers_are_trained_by_adamw_unless_another_optimiser_is_asked_for():
    def trained(space, *pairs):
        return plan_of({**OPTIONS, "space": space, "set": list(pairs)}).training

    assert (trained("transformer").optimizer, trained("transformer").learning_rate) == ("adamw", 0.002)
    slower = trained("transformer", "training.learning_rate=0.001")
    assert (slower.optimizer, slower.learning_rate) == ("adamw", 0.001)
    assert trained("transformer", "training.optimizer=sgd") == trained("chain") == Training()

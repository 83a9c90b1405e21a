import json
from random import Random

import numpy as np
import pytest

from nas import codec
from nas.spaces import moves
from nas.strategies.acquisition import Wish, whole
from nas.strategies.bayesian import Bayesian
from nas.strategies.distinct import Distinct
from nas.strategies.protocol import Failed, Scored, Terms
from tests.nas.strategies.places import ToySpace, nasbench_macro, needs_tables


def distance(architecture):
    """How many choices differ from the optimum, each weighing more than the one before."""
    return float(sum((index + 1) * (choice != 2) for index, choice in enumerate(architecture.choices)))


def searched(strategy, space, budget, *, value=distance, seed=0, seats=1):
    """Search with `seats` proposals in flight; a value of None is a failure. Returns what was measured, in order."""
    state, told, waiting = strategy.begin(seed, Terms(budget)), [], []
    while len(told) < budget:
        state, proposals = strategy.ask(space, state, min(seats, budget - len(told)) - len(waiting))
        waiting += proposals
        if not waiting:
            break
        one = waiting.pop(0)
        score = value(one.architecture)
        outcome = Failed(one.number, one.architecture)
        if score is not None:
            outcome = Scored(one.number, one.architecture, 0, (score,))
        state = strategy.tell(space, state, outcome)
        told.append((one.architecture, score))
    return told, state


@pytest.mark.parametrize("space", [ToySpace(6, 4), ToySpace(12, 4)], ids=["small", "large"])
@pytest.mark.parametrize("seats", [1, 8])
def test_it_finds_the_optimum_among_very_many(space, seats):
    told, _ = searched(Bayesian(), space, 60, seats=seats)
    assert min(score for _, score in told) == 0


def test_its_predictions_rank_what_is_measured_later():
    strategy = Bayesian()
    _, state = searched(strategy, ToySpace(12, 4), 30)
    assert strategy.trace(state)["predictor rank correlation"] > 0.5
    assert strategy.trace(strategy.begin(0, Terms(30))) == {}


def test_it_spends_a_small_space_wholly_and_then_stops():
    space = ToySpace(1, 3)
    told, state = searched(Bayesian(), space, 50)
    assert sorted(architecture.choices for architecture, _ in told) == [(0,), (1,), (2,)]
    assert Bayesian().ask(space, state, 1)[1] == []


def test_it_proposes_nothing_twice_while_outcomes_are_awaited():
    strategy, space = Bayesian(initial=4), ToySpace(3, 3)
    state, proposals = strategy.ask(space, strategy.begin(0, Terms(100)), 4)
    for one in proposals[:2]:
        state = strategy.tell(space, state, Scored(one.number, one.architecture, 0, (distance(one.architecture),)))
    state, more = strategy.ask(space, state, 100)
    assert len({one.architecture.choices for one in (*proposals, *more)}) == 27 == len(proposals) + len(more)


def test_what_the_rules_forbid_is_never_proposed():
    forbidden = frozenset((2, 2, 2, last) for last in range(4))
    told, _ = searched(Bayesian(), ToySpace(4, 4, forbidden), 60)
    assert not forbidden & {architecture.choices for architecture, _ in told}
    assert min(score for _, score in told) == 1.0


def test_it_learns_to_avoid_what_fails():
    def value(architecture):
        return None if architecture.choices[0] in (0, 1) else distance(architecture)

    told, _ = searched(Bayesian(), ToySpace(8, 4), 60, value=value)
    failed = [score is None for _, score in told]
    assert sum(failed[30:]) <= 3 < sum(failed[:30])


@pytest.mark.parametrize(
    "value",
    [lambda one: 1.0, lambda one: float(one.choices[0] == 2), lambda one: 1e12 * distance(one), lambda one: None],
    ids=["constant", "two values", "huge", "all fail"],
)
@pytest.mark.parametrize("space", [ToySpace(4, 4), ToySpace(20, 3)], ids=["small", "large"])
def test_it_survives_scores_that_say_little(value, space):
    told, state = searched(Bayesian(), space, 30, value=value)
    assert len({architecture.choices for architecture, _ in told}) == 30
    json.dumps(codec.dump(state), allow_nan=False)


def test_what_is_told_of_another_architecture_counts_for_that_one():
    strategy, space = Bayesian(), ToySpace(4, 4)
    state, (one,) = strategy.ask(space, strategy.begin(0, Terms(40)), 1)
    other = moves.mutate(space, one.architecture, 0, Random(0))
    state = strategy.tell(space, state, Scored(one.number, other, 0, (1.0,)))
    assert [seen.choices for seen in state.seen] == [other.choices]
    assert not state.flying


def test_the_same_log_gives_the_same_proposals_through_json():
    strategy, space = Bayesian(), ToySpace(10, 4)
    _, state = searched(strategy, space, 25)
    loaded = codec.load(strategy.state, json.loads(json.dumps(codec.dump(state))))
    assert strategy.ask(space, state, 3) == strategy.ask(space, loaded, 3)


class Believed:
    """A posterior that was made up: what it is asked about is mean and variance themselves."""

    size = 1

    def __call__(self, rows):
        return rows[:, 0], rows[:, 1]


def test_the_expected_improvement_is_the_mean_of_what_sampling_improves():
    cases = np.array([[0.0, 1.0], [1.0, 0.5], [-1.0, 0.01], [3.0, 4.0]])
    drawn = np.random.default_rng(0).standard_normal((200_000, 1)) * np.sqrt(cases[:, 1]) + cases[:, 0]
    sampled = np.maximum(0.5 - drawn, 0).mean(0)
    assert Wish(Believed(), 0.5, (), ()).gains(cases) == pytest.approx(sampled, abs=0.01)


def test_a_small_space_is_known_whole_and_a_large_one_is_not():
    assert {tuple(row) for row in whole(ToySpace(2, 3)).choices.tolist()} == {
        (a, b) for a in range(3) for b in range(3)
    }
    assert whole(ToySpace(8, 4)) is None


@needs_tables
def test_it_is_near_the_best_of_trained_networks_after_thirty():
    space, table = nasbench_macro()
    accuracies = table.values["cifar10.test_accuracy"]
    found = []
    for seed in range(3):
        told, _ = searched(
            Distinct(Bayesian()), space, 30, seed=seed, value=lambda one: -float(accuracies[table.row(one.choices)])
        )
        found.append(-min(score for _, score in told))
    at_random = Random(0)
    thirty = [max(at_random.sample(accuracies.tolist(), 30)) for _ in range(200)]
    assert np.mean(found) > np.quantile(thirty, 0.9)


@pytest.mark.parametrize(("budget", "first"), [(4, 2), (12, 3), (400, 16)])
def test_the_first_samples_are_a_quarter_of_the_budget_at_most(budget, first):
    strategy, space, origins = Bayesian(), ToySpace(), []
    state = strategy.begin(0, Terms(budget))
    for _ in range(first + 1):
        state, (one,) = strategy.ask(space, state, 1)
        state = strategy.tell(space, state, Scored(one.number, one.architecture, 0, (distance(one.architecture),)))
        origins.append(one.origin)
    assert origins == ["sampled"] * first + ["predicted"]

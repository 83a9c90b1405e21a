"""The rewards of a controller, and what REINFORCE learns from them."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.architecture import Architecture
from nas.sentences import Refused
from nas.strategies import policy
from nas.strategies.catalogue import build
from nas.strategies.ppo import Ppo
from nas.strategies.protocol import Failed, Scored, Terms
from nas.strategies.reinforce import Reinforce
from nas.strategies.rewards import Baseline, reward
from tests.nas.strategies.landscapes import GappySpace, Rugged, ToySpace, search
from tests.nas.strategies.places import nasbench201, needs_tables

SPACE = ToySpace(4, 3)
BOTH = pytest.mark.parametrize("kind", [Reinforce, Ppo])


def entropy(strategy, state):
    net = policy.controller(SPACE, strategy.hidden)
    steps = net.forward(policy.weights(state, net), np.zeros((1, 4), int))
    return net.entropies(steps).sum()


def chance(strategy, state, choices):
    net = policy.controller(SPACE, strategy.hidden)
    row = np.array([choices])
    return np.exp(net.log_probabilities(net.forward(policy.weights(state, net), row), row).sum())


def told(strategy, state, outcomes):
    for number, (choices, score) in enumerate(outcomes, start=1):
        architecture = Architecture("toy", choices)
        outcome = Failed(number, architecture) if score is None else Scored(number, architecture, 0, (score,))
        state = strategy.tell(SPACE, state, outcome)
    return state


@pytest.mark.parametrize(
    ("scores", "hard", "expected"),
    [
        ((-0.8, 160.0), False, 0.8 * 2**-0.07),
        ((-0.8, 40.0), False, 0.8 * 0.5**-0.07),
        ((-0.8, 40.0), True, 0.8),
        ((-0.8, 160.0), True, 0.4),
        ((2.0, 160.0), True, -4.0),
        ((-0.8, -160.0), True, 0.8),
        ((-0.8, -40.0), True, 0.4),
    ],
    ids=["soft beyond", "soft within", "hard within", "hard beyond", "a loss", "a gain within", "a gain beyond"],
)
def test_the_reward_is_that_of_mnasnet(scores, hard, expected):
    assert reward(scores, 80.0, -0.07, hard=hard) == pytest.approx(expected)


def test_twice_the_latency_costs_five_percent_of_accuracy():
    """The rule by which the paper chose its exponent."""
    assert reward((-0.8, 200.0), 100.0, -0.07, hard=False) == pytest.approx(0.95 * 0.8, rel=0.005)


@pytest.mark.parametrize(
    ("settings", "objectives", "said"),
    [
        ({}, 2, "With two objectives the target of the second one must be set; it is 0.0."),
        ({"target": 5}, 1, "The target is 5.0, but there is no second objective to hold to it."),
        ({"target": 5}, 3, "The reward is made of one or two objectives, not of 3; make the others limits."),
    ],
)
@pytest.mark.parametrize("name", ["reinforce", "ppo"])
def test_it_refuses_objectives_that_its_reward_cannot_weigh(name, settings, objectives, said):
    with pytest.raises(Refused) as refusal:
        build(name, settings).refuse(SPACE, Terms(10, objectives))
    assert str(refusal.value) == said


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=30), st.floats(0.01, 1000), st.floats(-1e4, 1e4))
def test_advantages_know_no_unit(rewards, scale, shift):
    one, other = Baseline(), Baseline()
    for value in rewards:
        one, other = one.after(value), other.after(scale * value + shift)
    if one.variance > 1e-3:
        found = [other.advantage(scale * value + shift) for value in rewards]
        assert found == pytest.approx([one.advantage(value) for value in rewards], abs=1e-3)


def test_the_baseline_is_the_mean_at_first_and_moves_on_later():
    baseline = Baseline()
    for value in (1.0, 2.0, 6.0):
        baseline = baseline.after(value)
    assert (baseline.mean, baseline.variance) == pytest.approx((3.0, np.var([1, 2, 6])))
    for _ in range(200):
        baseline = baseline.after(100.0)
    assert baseline.mean == pytest.approx(100.0, abs=0.01)


def test_a_failure_is_as_bad_as_the_worst_so_far():
    baseline = Baseline().after(None).after(3.0).after(-2.0).after(1.0)
    assert baseline.advantage(None) == baseline.advantage(-2.0) < 0
    assert baseline.after(None) == baseline.after(-2.0)


@BOTH
def test_what_did_well_becomes_likely_and_what_failed_unlikely(kind):
    strategy = kind(batch=4, imitation=0.0, entropy=0.0, learning_rate=0.05)
    before = strategy.begin(0, Terms(10))
    good, bad = (0, 1, 2, 0), (2, 2, 1, 1)
    after = told(strategy, before, [(good, -1.0), (bad, None), (good, -1.0), (bad, 0.0)])
    assert after.updates == 1
    assert after.batch == ()
    assert chance(strategy, after, good) > 1.2 * chance(strategy, before, good)
    assert chance(strategy, after, bad) < chance(strategy, before, bad) / 1.2


@BOTH
def test_the_best_are_imitated_although_rewards_are_even(kind):
    strategy = kind(batch=4, elite=1, entropy=0.0, learning_rate=0.05)
    before = strategy.begin(0, Terms(10))
    best, last = (0, 1, 2, 0), (1, 1, 1, 1)
    after = told(strategy, before, [(best, 1.0), (last, 1.0)] * 2)
    assert [one.choices for one in after.best] == [best]
    assert chance(strategy, after, best) > 1.2 * chance(strategy, before, best)
    alone = replace(strategy, imitation=0.0)
    assert chance(alone, told(alone, before, [(best, 1.0), (last, 1.0)] * 2), best) == chance(strategy, before, best)


@BOTH
def test_the_entropy_bonus_keeps_the_policy_undecided(kind):
    def after(bonus):
        strategy = kind(batch=4, elite=0, entropy=bonus)
        outcomes = [((0, 1, 2, 0), -1.0), ((1, 1, 1, 1), 0.0)] * 20
        return entropy(strategy, told(strategy, strategy.begin(1, Terms(100)), outcomes))

    assert after(5.0) > after(0.0) + 0.2
    assert after(5.0) == pytest.approx(4 * log(3), rel=0.1)


@BOTH
def test_the_trace_tells_the_entropy_and_the_baseline(kind):
    strategy = kind(batch=2)
    state = strategy.begin(1, Terms(10))
    assert strategy.trace(state) == {}
    trace = strategy.trace(told(strategy, state, [((0, 0, 0, 0), -3.0), ((1, 1, 1, 1), -5.0)]))
    assert trace["baseline reward"] == pytest.approx(4.0)
    assert trace["policy entropy"] == pytest.approx(4 * log(3), rel=0.01)


@BOTH
def test_a_policy_that_is_sure_still_proposes_what_is_new_and_allowed(kind):
    strategy, space = kind(batch=1, entropy=0.0, learning_rate=0.3), GappySpace(6, 3)
    asked = search(strategy, space, seed=0, budget=20)
    assert len({one.architecture for one in asked}) == 20
    assert not any(space.complaint(one.architecture) for one in asked)


@BOTH
def test_scores_of_another_unit_make_the_same_search(kind):
    rugged = Rugged(4, 3, 1)
    in_units = [
        search(kind(), SPACE, seed=3, budget=40, value=lambda it, unit=unit: unit * rugged(it)) for unit in (1, 1024)
    ]
    assert in_units[0] == in_units[1]


def test_two_objectives_lead_to_the_target():
    """The sum of the choices is what should be high; the number of ones and twos is what it costs."""
    strategy, space = Reinforce(target=3.0, constraint="hard"), ToySpace(8, 3)
    state = strategy.begin(0, Terms(200, 2))
    costs = []
    for _ in range(200):
        state, (one,) = strategy.ask(space, state, 1)
        choices = one.architecture.choices
        costs.append(sum(choice > 0 for choice in choices))
        scores = (-float(1 + sum(choices)), max(costs[-1], 0.5))
        state = strategy.tell(space, state, Scored(one.number, one.architecture, 0, scores))
    assert np.mean(costs[:20]) > 4.5
    assert all(one.reward == pytest.approx(7.0) for one in state.best[:1])


@needs_tables
@pytest.mark.parametrize("name", ["reinforce", "ppo"])
def test_it_does_on_nasbench201_in_150_evaluations_what_random_needs_500_for(name):
    space, table = nasbench201()

    def accuracy(architecture, split="valid"):
        return table.value(f"cifar100.{split}_accuracy.12ep", table.row(architecture.choices))

    found = []
    for seed in range(8):
        asked = search(build(name, {}), space, seed=seed, budget=150, value=lambda it: -accuracy(it))
        best = max((one.architecture for one in asked), key=accuracy)
        found.append(accuracy(best, "test"))
    assert np.mean(found) > 60.03

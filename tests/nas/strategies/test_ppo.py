"""The clipped surrogate of proximal policy optimisation."""

import numpy as np
import pytest
import torch

from nas.architecture import Architecture
from nas.strategies import policy
from nas.strategies.ppo import Ppo, slopes
from nas.strategies.protocol import Scored, Terms
from nas.strategies.reinforce import Reinforce
from tests.nas.strategies.landscapes import ToySpace

SPACE = ToySpace(4, 3)
OUTCOMES = [((0, 1, 2, 0), -1.0), ((1, 1, 1, 1), 0.0), ((2, 0, 1, 2), -3.0), ((0, 0, 0, 0), 2.0)]


def told(strategy, outcomes=OUTCOMES):
    state = strategy.begin(4, Terms(100))
    for number, (choices, score) in enumerate(outcomes, start=1):
        state = strategy.tell(SPACE, state, Scored(number, Architecture("toy", choices), 0, (score,)))
    return state


def chances(state, hidden=32):
    net = policy.controller(SPACE, hidden)
    rows = np.array([choices for choices, _ in OUTCOMES])
    return np.exp(net.log_probabilities(net.forward(policy.weights(state, net), rows), rows).sum(axis=1))


def test_the_slope_is_that_of_the_clipped_surrogate():
    logs = torch.tensor([-0.5, -0.1, 0.0, 0.1, 0.5], dtype=torch.float64).repeat(2).requires_grad_()
    advantages = torch.tensor([2.0, -1.5], dtype=torch.float64).repeat_interleave(5)
    ratio = logs.exp()
    torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages).sum().backward()
    found = slopes(np.exp(logs.detach().numpy()), advantages.numpy(), 0.2)
    assert found == pytest.approx(logs.grad.numpy())


def test_one_step_per_batch_is_reinforce():
    same = {"batch": 4, "learning_rate": 0.02, "entropy": 0.1}
    assert told(Ppo(epochs=1, **same)) == told(Reinforce(**same))


def test_clipping_keeps_the_policy_close_to_the_one_before():
    far = {"batch": 4, "epochs": 30, "entropy": 0.0, "imitation": 0.0}
    strategy = Ppo(**far)
    before = chances(strategy.begin(4, Terms(100)))
    moved = [np.abs(np.log(chances(told(Ppo(clip=clip, **far))) / before)).max() for clip in (0.05, 1.0)]
    assert moved[0] < moved[1] / 1.5

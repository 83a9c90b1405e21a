"""The controller's arithmetic, held to torch and to counting."""

from itertools import product
from random import Random

import numpy as np
import pytest
import torch

from nas.strategies.arrays import packed, unpacked
from nas.strategies.controller import Controller

NET = Controller((3, 1, 4, 2), 7)
FLAT = np.random.default_rng(0).normal(0, 0.7, NET.length)
CHOICES = np.stack([np.random.default_rng(1).integers(0, size, 6) for size in NET.sizes], axis=1)
EVERY = np.array(list(product(*map(range, NET.sizes))))


def told_by_torch(flat):
    """Return log probabilities and entropies (n, decisions) of the same network, written with torch."""
    weights = NET.views(flat)
    state = cell = torch.zeros(len(CHOICES), NET.hidden, dtype=torch.float64)
    token, start, logs, entropies = torch.full((len(CHOICES),), -1), 0, [], []
    for index, size in enumerate(NET.sizes):
        gates = torch.cat([weights.embedding[token], state], dim=1) @ weights.gates + weights.bias
        admit, keep, show, candidate = gates.split(NET.hidden, dim=1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(admit) * torch.tanh(candidate)
        state = torch.sigmoid(show) * torch.tanh(cell)
        logits = state @ weights.output[start : start + size].T + weights.preference[start : start + size]
        chances = torch.distributions.Categorical(logits=logits)
        choice = torch.tensor(CHOICES[:, index])
        logs.append(chances.log_prob(choice))
        entropies.append(chances.entropy())
        token, start = start + choice, start + size
    return torch.stack(logs, dim=1), torch.stack(entropies, dim=1)


def test_log_probabilities_and_entropies_equal_those_of_torch():
    logs, entropies = told_by_torch(torch.tensor(FLAT))
    steps = NET.forward(FLAT, CHOICES)
    assert NET.log_probabilities(steps, CHOICES) == pytest.approx(logs.numpy(), abs=1e-12)
    assert NET.entropies(steps) == pytest.approx(entropies.numpy(), abs=1e-12)


def test_the_gradient_equals_that_of_torch():
    random = np.random.default_rng(2)
    push, spread = random.normal(size=CHOICES.shape), random.normal(size=CHOICES.shape)
    flat = torch.tensor(FLAT, requires_grad=True)
    logs, entropies = told_by_torch(flat)
    (torch.tensor(push) * logs + torch.tensor(spread) * entropies).sum().backward()
    found = NET.gradient(FLAT, NET.forward(FLAT, CHOICES), CHOICES, push, spread)
    assert found == pytest.approx(flat.grad.numpy(), abs=1e-10)


def test_the_probabilities_of_all_sequences_sum_up_to_one():
    logs = NET.log_probabilities(NET.forward(FLAT, EVERY), EVERY).sum(axis=1)
    assert np.exp(logs).sum() == pytest.approx(1)


def test_it_samples_as_often_as_the_probabilities_say():
    random = Random(3)
    drawn = [tuple(row) for _ in range(400) for row in NET.sample(FLAT, random, (1.0,) * 10).tolist()]
    chances = np.exp(NET.log_probabilities(NET.forward(FLAT, EVERY), EVERY).sum(axis=1))
    shares = np.array([drawn.count(tuple(row)) / 4000 for row in EVERY.tolist()])
    assert np.abs(shares - chances).max() < 4 * np.sqrt(0.25 / 4000)
    assert np.corrcoef(shares, chances)[0, 1] > 0.98


def test_heat_makes_samples_uniform():
    sharp = FLAT * 3
    drawn = [NET.sample(sharp, Random(seed), (1.0, 1e6)).tolist() for seed in range(300)]
    cool, hot = ({tuple(pair[which]) for pair in drawn} for which in (0, 1))
    assert len(cool) < len(hot) == len(EVERY)


def test_it_begins_close_to_uniform():
    steps = NET.forward(NET.initial(Random(1)), EVERY)
    assert NET.entropies(steps).sum(axis=1).mean() == pytest.approx(np.log(len(EVERY)), rel=0.01)


def test_the_weights_survive_the_state_bit_by_bit():
    flat = NET.initial(Random(5))
    assert (unpacked(packed(flat), flat.shape) == flat).all()
    assert packed(unpacked(packed(FLAT), FLAT.shape)) == packed(FLAT)

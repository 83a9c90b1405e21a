"""The controller that proposes networks choice by choice: an LSTM with a softmax per decision.

Zoph and Le, "Neural architecture search with reinforcement learning", ICLR 2017, section 3.2; Pham et al., "Efficient
neural architecture search via parameter sharing", ICML 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import prod
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
INITIAL = 0.1


class Weights(NamedTuple):
    """Views into one flat vector; a token is one option of one decision, the last token starts every sequence."""

    embedding: Floats  # (tokens + 1, hidden)
    gates: Floats  # (2 hidden, 4 hidden): input above state; input, forget, output gate and candidate side by side
    bias: Floats  # (4 hidden,)
    output: Floats  # (tokens, hidden)
    preference: Floats  # (tokens,)


@dataclass(frozen=True, slots=True)
class Step:
    """What one decision's forward step leaves for the way back; rows are sequences."""

    token: NDArray[np.intp]
    entering: Floats
    cell: Floats
    activated: Floats
    new_cell: Floats
    state: Floats
    probabilities: Floats


@dataclass(frozen=True)
class Controller:
    """An LSTM over decisions with `sizes` options; weights come in and gradients go out as one flat vector."""

    sizes: tuple[int, ...]
    hidden: int

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of `Weights`."""
        tokens, hidden = sum(self.sizes), self.hidden
        return ((tokens + 1, hidden), (2 * hidden, 4 * hidden), (4 * hidden,), (tokens, hidden), (tokens,))

    @property
    def length(self) -> int:
        """How many weights there are."""
        return sum(prod(shape) for shape in self.shapes)

    @cached_property
    def _bounds(self) -> tuple[tuple[int, int], ...]:
        return tuple(pairwise(accumulate(self.sizes, initial=0)))

    def initial(self, random: Random) -> Floats:
        """Draw small weights: a policy close to uniform."""
        source = np.random.default_rng(random.getrandbits(64))
        return source.uniform(-INITIAL, INITIAL, self.length).astype(np.float32).astype(np.float64)

    def views(self, flat: Floats) -> Weights:
        """Name the parts of a flat vector."""
        parts, start = [], 0
        for shape in self.shapes:
            parts.append(flat[start : start + prod(shape)].reshape(shape))
            start += prod(shape)
        return Weights(*parts)

    def sample(self, flat: Floats, random: Random, temperatures: Sequence[float] = (1.0,)) -> NDArray[np.intp]:
        """Draw a sequence of choices per temperature, (n, decisions); a higher one draws closer to uniform."""
        weights, heat = self.views(flat), np.array(temperatures)[:, None]
        state = cell = np.zeros((len(heat), self.hidden))
        token, choices = np.full(len(heat), -1), np.zeros((len(heat), len(self.sizes)), np.intp)
        for index, (start, end) in enumerate(self._bounds):
            step = self._step(weights, token, state, cell, (start, end), heat)
            state, cell = step.state, step.new_cell
            thrown = np.array([[random.random()] for _ in temperatures])
            below = np.cumsum(step.probabilities, axis=1) < thrown
            choices[:, index] = np.minimum(below.sum(axis=1), end - start - 1)
            token = start + choices[:, index]
        return choices

    def forward(self, flat: Floats, choices: NDArray[np.intp]) -> list[Step]:
        """Run sequences of choices (n, decisions) through the network."""
        weights = self.views(flat)
        state = cell = np.zeros((len(choices), self.hidden))
        token = np.full(len(choices), -1)
        steps = []
        for index, (start, end) in enumerate(self._bounds):
            steps.append(self._step(weights, token, state, cell, (start, end), np.ones(1)))
            state, cell = steps[-1].state, steps[-1].new_cell
            token = start + choices[:, index]
        return steps

    def _step(
        self,
        weights: Weights,
        token: NDArray[np.intp],
        state: Floats,
        cell: Floats,
        bounds: tuple[int, int],
        temperature: Floats,
    ) -> Step:
        hidden, (start, end) = self.hidden, bounds
        entering = np.concatenate([weights.embedding[token], state], axis=1)
        activated = entering @ weights.gates + weights.bias
        activated[:, : 3 * hidden] = 0.5 + 0.5 * np.tanh(0.5 * activated[:, : 3 * hidden])
        activated[:, 3 * hidden :] = np.tanh(activated[:, 3 * hidden :])
        admit, keep, show, candidate = np.split(activated, 4, axis=1)
        new_cell = keep * cell + admit * candidate
        new_state = show * np.tanh(new_cell)
        logits = (new_state @ weights.output[start:end].T + weights.preference[start:end]) / temperature
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Step(token, entering, cell, activated, new_cell, new_state, odds / odds.sum(axis=1, keepdims=True))

    def log_probabilities(self, steps: Sequence[Step], choices: NDArray[np.intp]) -> Floats:
        """Return the log probability of each choice, (n, decisions)."""
        rows = np.arange(len(choices))
        picked = [step.probabilities[rows, choices[:, index]] for index, step in enumerate(steps)]
        return np.log(np.maximum(np.stack(picked, axis=1), 1e-300))

    def entropies(self, steps: Sequence[Step]) -> Floats:
        """Return the entropy in nats of each decision given the ones before, (n, decisions)."""
        return np.stack([-np.sum(_plogp(step.probabilities), axis=1) for step in steps], axis=1)

    def gradient(
        self, flat: Floats, steps: Sequence[Step], choices: NDArray[np.intp], push: Floats, spread: Floats
    ) -> Floats:
        """Return the gradient of sum(push * log probability + spread * entropy), both (n, decisions), through time."""
        weights, total = self.views(flat), np.zeros(self.length)
        found, hidden, rows = self.views(total), self.hidden, np.arange(len(choices))
        to_state = to_cell = np.zeros((len(choices), hidden))
        for index in reversed(range(len(steps))):
            step, (start, end) = steps[index], self._bounds[index]
            chances = step.probabilities
            to_logits = -push[:, index, None] * chances
            to_logits[rows, choices[:, index]] += push[:, index]
            entropy = -np.sum(_plogp(chances), axis=1, keepdims=True)
            to_logits -= spread[:, index, None] * (_plogp(chances) + chances * entropy)
            found.output[start:end] += to_logits.T @ step.state
            found.preference[start:end] += to_logits.sum(axis=0)
            to_state = to_state + to_logits @ weights.output[start:end]
            to_entering, to_cell = self._back(step, weights, found, to_state, to_cell)
            np.add.at(found.embedding, step.token, to_entering[:, :hidden])
            to_state = to_entering[:, hidden:]
        return total

    def _back(
        self, step: Step, weights: Weights, found: Weights, to_state: Floats, to_cell: Floats
    ) -> tuple[Floats, Floats]:
        admit, keep, show, candidate = np.split(step.activated, 4, axis=1)
        lit = np.tanh(step.new_cell)
        to_cell = to_cell + to_state * show * (1 - lit**2)
        to_gates = np.concatenate(
            [
                to_cell * candidate * admit * (1 - admit),
                to_cell * step.cell * keep * (1 - keep),
                to_state * lit * show * (1 - show),
                to_cell * admit * (1 - candidate**2),
            ],
            axis=1,
        )
        found.gates[:] += step.entering.T @ to_gates
        found.bias[:] += to_gates.sum(axis=0)
        return to_gates @ weights.gates.T, to_cell * keep


def _plogp(chances: Floats) -> Floats:
    return chances * np.log(np.maximum(chances, 1e-300))

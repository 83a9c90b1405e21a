"""A controller while it learns: its weights in the state, what it drew, and the batch of its next update."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Architecture
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.arrays import packed, unpacked
from nas.strategies.controller import Controller, Floats, Step
from nas.strategies.protocol import Outcome, Proposal, dice
from nas.strategies.rewards import Baseline

HEATS = tuple(1.2**tries for tries in range(24))
# Adam's first and second decay, and its guard against a division by zero.
DECAYS, TINY = (0.9, 0.999), 1e-8


@dataclass(frozen=True, slots=True)
class Rewarded:
    """Choices that were measured and their reward; None where they failed."""

    choices: tuple[int, ...]
    reward: float | None


@dataclass(frozen=True, slots=True)
class PolicyState:
    """`weights` and `moments` (Adam's two) are arrays as text, empty before the first of Adam's `steps`.

    `batch` waits for the next update; `best` are the best networks so far, the best first; `seen` lists the keys of
    what was proposed. `entropy` is of the policy at the latest update, in nats per network.
    """

    seed: int
    asked: int = 0
    updates: int = 0
    steps: int = 0
    weights: str = ""
    moments: str = ""
    batch: tuple[Rewarded, ...] = ()
    best: tuple[Rewarded, ...] = ()
    baseline: Baseline = field(default_factory=Baseline)
    entropy: float | None = None
    seen: str = ""


def controller(space: SearchSpace, hidden: int) -> Controller:
    """Return the controller of a space."""
    return Controller(tuple(len(decision.options) for decision in space.decisions), hidden)


def weights(state: PolicyState, net: Controller) -> Floats:
    """Return the controller's weights, drawn from the seed before its first update."""
    return unpacked(state.weights, (net.length,)) if state.weights else net.initial(dice(state.seed, 0))


def ask(space: SearchSpace, state: PolicyState, count: int, hidden: int) -> tuple[PolicyState, list[Proposal]]:
    """Draw `count` networks from the policy as it is; it never waits for outcomes."""
    net = controller(space, hidden)
    flat = weights(state, net)
    proposals = []
    for _ in range(count):
        number = state.asked + 1
        architecture = _drawn(space, state, net, flat, dice(state.seed, number))
        proposals.append(Proposal(number, architecture, "sampled", state.updates + 1))
        state = replace(state, asked=number, seen=f"{state.seen}{architecture.key} ")
    return state, proposals


def _drawn(space: SearchSpace, state: PolicyState, net: Controller, flat: Floats, random: Random) -> Architecture:
    # What the policy is sure of has been measured, or is not allowed: each draw is closer to uniform than the last.
    for choices in net.sample(flat, random, HEATS).tolist():
        architecture = space.canonical(Architecture(space.name, tuple(choices)))
        if architecture.key not in state.seen and not space.complaint(architecture):
            return architecture
    return moves.sample(space, random)


def collected(state: PolicyState, outcome: Outcome, reward: float | None, elite: int) -> PolicyState:
    """Return the state with an outcome in its batch, its baseline and, where it is one of the best, its elite."""
    told = Rewarded(outcome.architecture.choices, reward)
    best = state.best
    if reward is not None and all(other.choices != told.choices for other in best):
        best = tuple(sorted((*best, told), key=lambda one: -(one.reward or 0.0))[:elite])
    return replace(state, batch=(*state.batch, told), best=best, baseline=state.baseline.after(reward))


def advantages(state: PolicyState) -> Floats:
    """Return how much better than usual each network of the batch did, (n,)."""
    return np.array([state.baseline.advantage(one.reward) for one in state.batch])


def gradient(
    state: PolicyState,
    net: Controller,
    flat: Floats,
    push: Floats,
    steps: Sequence[Step],
    *,
    entropy: float,
    imitation: float,
) -> Floats:
    """Return the mean over the batch of push (n,) times the gradient of log probability, plus that of the bonuses.

    These are the policy's entropy, and the mean log probability of the best networks (Abolafia et al., 2018).
    """
    choices = table(state.batch)
    by_choice = np.broadcast_to(push[:, None] / len(choices), choices.shape)
    total = net.gradient(flat, steps, choices, by_choice, np.full(choices.shape, entropy / len(choices)))
    if state.best and imitation:
        best = table(state.best)
        by_choice = np.full(best.shape, imitation / len(best))
        total += net.gradient(flat, net.forward(flat, best), best, by_choice, np.zeros(best.shape))
    return total


def table(rows: tuple[Rewarded, ...]) -> NDArray[np.intp]:
    """Return the choices of networks, (n, decisions)."""
    return np.array([one.choices for one in rows], np.intp)


def climbed(state: PolicyState, flat: Floats, uphill: Floats, rate: float) -> PolicyState:
    """Return the state after one step of Adam uphill (Kingma and Ba, ICLR 2015, algorithm 1)."""
    first, second = unpacked(state.moments, (2, len(flat))) if state.moments else np.zeros((2, len(flat)))
    step = state.steps + 1
    first = DECAYS[0] * first + (1 - DECAYS[0]) * uphill
    second = DECAYS[1] * second + (1 - DECAYS[1]) * uphill**2
    even = np.sqrt(second / (1 - DECAYS[1] ** step)) + TINY
    moved = flat + rate * first / (1 - DECAYS[0] ** step) / even
    return replace(state, steps=step, weights=packed(moved), moments=packed(np.stack([first, second])))


def settled(state: PolicyState, entropies: Floats) -> PolicyState:
    """Return the state after an update: the batch is used up; entropies are (n, decisions)."""
    return replace(state, batch=(), updates=state.updates + 1, entropy=float(entropies.sum(axis=1).mean()))


def trace(state: PolicyState) -> dict[str, float]:
    """Return the policy's entropy in nats and the moving average of its rewards, once it has learned."""
    if state.entropy is None or state.baseline.mean is None:
        return {}
    return {"policy entropy": state.entropy, "baseline reward": state.baseline.mean}

"""Proximal policy optimisation: each batch is learned from several times, but the policy moves only so far.

Schulman et al., "Proximal policy optimization algorithms", 2017, equation 7; for networks, with the reward that weighs
accuracy against latency: Tan et al., "MnasNet", CVPR 2019.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies import policy, rewards
from nas.strategies.controller import Floats
from nas.strategies.policy import PolicyState
from nas.strategies.protocol import Outcome, Proposal, Scored, Terms, dice


@dataclass(frozen=True)
class Ppo:
    """Some steps of gradient ascent on the clipped surrogate per batch of outcomes, and on the best networks so far.

    The latter is priority queue training: Abolafia et al., "Neural program synthesis with priority queue training",
    2018, equation 6.
    """

    batch: int = setting(4, low=1, high=1000, help="Outcomes per update of the controller.")
    epochs: int = setting(3, low=1, high=100, help="Steps of Adam per update.")
    clip: float = setting(0.2, low=0.01, high=1, help="How far the odds of a network may move in an update.")
    learning_rate: float = setting(0.02, low=1e-5, high=1, help="Step of Adam; high, for the updates are few.")
    entropy: float = setting(0.1, low=0, high=10, help="Bonus for an undecided policy, per nat.")
    elite: int = setting(5, low=0, high=100, help="Best networks so far that the controller also learns to repeat.")
    imitation: float = setting(2.0, low=0, high=100, help="Weight of those; 0 leaves the rewards alone.")
    hidden: int = setting(32, low=4, high=256, help="Units of the controller's LSTM; 100 in NASNet.")
    target: float = setting(0.0, low=0, help="What the second objective should be, in its unit; 0 for one objective.")
    exponent: float = setting(
        -0.07, low=-10, high=0, help="How a cost beside the target counts: (cost / target) ^ this."
    )
    constraint: str = setting(
        "soft", options=("soft", "hard"), help="Soft rewards a cost below the target too; hard only punishes above it."
    )

    state = PolicyState
    many_objectives = True

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """Two objectives need a target, more are not taken."""
        rewards.refuse(self.target, terms)
        moves.sample(space, dice(0, 0))

    def begin(self, seed: int, terms: Terms) -> PolicyState:
        """Before the first update every network is about as likely."""
        return PolicyState(seed)

    def ask(self, space: SearchSpace, state: PolicyState, count: int) -> tuple[PolicyState, list[Proposal]]:
        """Draw networks from the policy."""
        return policy.ask(space, state, count, self.hidden)

    def tell(self, space: SearchSpace, state: PolicyState, outcome: Outcome) -> PolicyState:
        """Collect the reward; a full batch updates the controller."""
        reward = None
        if isinstance(outcome, Scored):
            reward = rewards.reward(outcome.scores, self.target, self.exponent, hard=self.constraint == "hard")
        state = policy.collected(state, outcome, reward, self.elite)
        return self._updated(space, state) if len(state.batch) >= self.batch else state

    def trace(self, state: PolicyState) -> Mapping[str, float]:
        """The entropy of the policy, which falls as it makes up its mind, and the reward it takes as usual."""
        return policy.trace(state)

    def _updated(self, space: SearchSpace, state: PolicyState) -> PolicyState:
        net = policy.controller(space, self.hidden)
        choices, advantages = policy.table(state.batch), policy.advantages(state)
        flat = policy.weights(state, net)
        steps = net.forward(flat, choices)
        entropies, before = net.entropies(steps), net.log_probabilities(steps, choices).sum(axis=1)
        for _ in range(self.epochs):
            ratio = np.exp(net.log_probabilities(steps, choices).sum(axis=1) - before)
            push = slopes(ratio, advantages, self.clip)
            uphill = policy.gradient(state, net, flat, push, steps, entropy=self.entropy, imitation=self.imitation)
            state = policy.climbed(state, flat, uphill, self.learning_rate)
            flat = policy.weights(state, net)
            steps = net.forward(flat, choices)
        return policy.settled(state, entropies)


def slopes(ratio: Floats, advantages: Floats, clip: float) -> Floats:
    """Return the slope of min(r A, clip(r, 1 - c, 1 + c) A) by the log probability: r A, or 0 where it is clipped."""
    moving = np.where(advantages > 0, ratio <= 1 + clip, ratio >= 1 - clip)
    return np.where(moving, ratio * advantages, 0.0)

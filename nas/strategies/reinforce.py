"""Reinforcement learning: a controller is pushed towards the networks that did better than usual.

Williams, "Simple statistical gradient-following algorithms", Machine Learning, 1992; for networks: Zoph and Le, "Neural
architecture search with reinforcement learning", ICLR 2017, equation 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies import policy, rewards
from nas.strategies.policy import PolicyState
from nas.strategies.protocol import Outcome, Proposal, Scored, Terms, dice


@dataclass(frozen=True)
class Reinforce:
    """One step of gradient ascent per batch of outcomes, also on the likelihood of the best networks so far.

    The latter is priority queue training: Abolafia et al., "Neural program synthesis with priority queue training",
    2018, equation 6.
    """

    batch: int = setting(2, low=1, high=1000, help="Outcomes per update of the controller.")
    learning_rate: float = setting(0.02, low=1e-5, high=1, help="Step of Adam; high, for the updates are few.")
    entropy: float = setting(0.2, low=0, high=10, help="Bonus for an undecided policy, per nat.")
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
        flat = policy.weights(state, net)
        steps = net.forward(flat, policy.table(state.batch))
        push = policy.advantages(state)
        uphill = policy.gradient(state, net, flat, push, steps, entropy=self.entropy, imitation=self.imitation)
        return policy.settled(policy.climbed(state, flat, uphill, self.learning_rate), net.entropies(steps))

"""GDAS: Dong and Yang, "Searching for a Robust Neural Architecture in Four GPU Hours", CVPR 2019.

Each step draws one operation for every edge, by the Gumbel-max trick, and computes only that one (section 3): it costs
about what a step of a single network does. Backwards, the draw is taken for its softmax at a temperature, so that the
gradient of the drawn operation's weight reaches all of alpha; the other operations, not computed, send none.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from nas.evaluation.batches import Batch
from nas.evaluation.relaxed.descent import Learner, Losses, gumbel
from nas.evaluation.relaxed.relaxation import Edges
from nas.evaluation.relaxed.supernet import Mixture
from nas.gradient import Gdas

START = 1e-3


class GdasMethod(nn.Module):
    """Alpha (edges, options), the logits of a categorical distribution per edge."""

    halves = True

    def __init__(self, edges: Edges, settings: Gdas, draw: Generator) -> None:
        super().__init__()
        self.settings = settings
        self.alpha = nn.Parameter(START * torch.randn(len(edges.names), len(edges.options), generator=draw))
        self.temperature = settings.first_temperature

    def begin_epoch(self, progress: float) -> None:
        """Let the temperature fall in a straight line."""
        first, last = self.settings.first_temperature, self.settings.last_temperature
        self.temperature = first + (last - first) * progress

    def probabilities(self) -> Tensor:
        """Return the probability of each operation."""
        return self.alpha.softmax(1)

    def strengths(self) -> Tensor:
        """Return the probability of each operation."""
        return self.probabilities()

    def trace(self) -> dict[str, float]:
        """Return the temperature."""
        return {"temperature": self.temperature}

    def step(self, learner: Learner, batch: Batch, held: Batch, draw: Generator) -> Losses:
        """Algorithm 1: the weights by one draw on their half, then alpha by another on the other half."""
        seen = learner.descend(learner.loss(batch, self.sampled(draw)), learner.weights)
        return Losses(seen, learner.descend(learner.loss(held, self.sampled(draw)), learner.alpha))

    def sampled(self, draw: Generator) -> Mixture:
        """Draw one-hot weights whose gradient is that of the softmax: hard + soft - soft without its gradient."""
        soft = ((self.alpha.log_softmax(1) + gumbel(self.alpha, draw)) / self.temperature).softmax(1)
        drawn = soft.argmax(1)
        hard = functional.one_hot(drawn, soft.shape[1]).to(soft)
        return Mixture(hard + soft - soft.detach(), only=tuple(drawn.tolist()))

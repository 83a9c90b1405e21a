"""SNAS: Xie, Zheng, Liu and Lin, "SNAS: Stochastic Neural Architecture Search", ICLR 2019.

An architecture is drawn from the distribution that alpha describes, and its expected loss is minimised. The draw is
relaxed to a concrete distribution, so that the gradient passes through it (section 2.2); as its temperature falls,
samples become one-hot, and the mixture becomes the architecture that will be derived. Weights and alpha learn from the
same loss on the same images: there is no bilevel problem and no second half of the data.
"""

import torch
from torch import Generator, Tensor, nn

from nas.evaluation.batches import Batch
from nas.evaluation.relaxed.descent import Learner, Losses, gumbel
from nas.evaluation.relaxed.relaxation import Edges
from nas.evaluation.relaxed.supernet import Mixture
from nas.gradient import Snas

START = 1e-3


class SnasMethod(nn.Module):
    """Alpha (edges, options), the logits of a categorical distribution per edge."""

    halves = False

    def __init__(self, edges: Edges, settings: Snas, draw: Generator) -> None:
        super().__init__()
        self.settings = settings
        self.alpha = nn.Parameter(START * torch.randn(len(edges.names), len(edges.options), generator=draw))
        self.temperature = settings.first_temperature

    def begin_epoch(self, progress: float) -> None:
        """Let the temperature fall from the first to the last, by the same factor each epoch."""
        first, last = self.settings.first_temperature, self.settings.last_temperature
        self.temperature = first * (last / first) ** progress

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
        """Draw one architecture, and move weights and alpha by one and the same loss."""
        seen = learner.descend(learner.loss(batch, self.sampled(draw)), learner.weights, learner.alpha)
        return Losses(seen, seen)

    def sampled(self, draw: Generator) -> Mixture:
        """Z = softmax((log alpha + G) / temperature), with G of the Gumbel distribution."""
        noisy = self.alpha.log_softmax(1) + gumbel(self.alpha, draw)
        return Mixture((noisy / self.temperature).softmax(1))

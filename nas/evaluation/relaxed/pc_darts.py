"""PC-DARTS: Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search", ICLR 2020.

One of K parts of the channels passes through the mixture, the others around it (equation 2): K times less memory, so
larger batches, and operations without weights lose their early advantage. As which channels pass changes from step to
step, edges are weighed too (edge normalisation, equation 3), and these weights, beta, take part in what is derived.
For the first epochs only the shared weights learn (section 4), which `Learner` sees to.
"""

import torch
from torch import Generator, Tensor, nn

from nas.evaluation.batches import Batch
from nas.evaluation.relaxed.descent import Learner, Losses
from nas.evaluation.relaxed.relaxation import Edges
from nas.evaluation.relaxed.supernet import Mixture
from nas.gradient import PcDarts

START = 1e-3


class PcDartsMethod(nn.Module):
    """Alpha (edges, options) and beta (edges)."""

    halves = True

    def __init__(self, edges: Edges, settings: PcDarts, draw: Generator) -> None:
        super().__init__()
        self.settings = settings
        self.alpha = nn.Parameter(START * torch.randn(len(edges.names), len(edges.options), generator=draw))
        self.beta = nn.Parameter(START * torch.randn(len(edges.names), generator=draw))
        ends = list(zip(edges.cells, edges.targets, strict=True))
        self._into = [[edge for edge, other in enumerate(ends) if other == end] for end in dict.fromkeys(ends)]

    def begin_epoch(self, progress: float) -> None:
        """Nothing changes over the search."""

    def probabilities(self) -> Tensor:
        """Return the softmax of alpha."""
        return self.alpha.softmax(1)

    def normalised(self) -> Tensor:
        """Return the softmax of beta over the edges into one node (equation 3), (edges)."""
        shares = [self.beta[edges].softmax(0) for edges in self._into]
        return torch.cat(shares)

    def strengths(self) -> Tensor:
        """Return the operation's weight times its edge's (section 3.3)."""
        return self.probabilities() * self.normalised()[:, None]

    def trace(self) -> dict[str, float]:
        """There is nothing but alpha and beta."""
        return {}

    def step(self, learner: Learner, batch: Batch, held: Batch, draw: Generator) -> Losses:
        """As DARTS in first order."""
        seen = learner.descend(learner.loss(held, self._mixture()), learner.alpha)
        return Losses(learner.descend(learner.loss(batch, self._mixture()), learner.weights), seen)

    def _mixture(self) -> Mixture:
        return Mixture(self.probabilities(), edges=self.normalised())

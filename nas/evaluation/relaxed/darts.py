"""DARTS: Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019.

An edge is the mixture of all its operations, weighed by a softmax over alpha (equation 2). Alpha minimises the
validation loss of the weights that alpha itself makes best (equations 3 and 4), which are approximated by the weights
after a single step of training (equation 6), or, in first order, by the weights as they are.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor, nn

from nas.evaluation.batches import Batch
from nas.evaluation.relaxed.descent import Learner, Losses
from nas.evaluation.relaxed.relaxation import Edges
from nas.evaluation.relaxed.supernet import Mixture
from nas.gradient import Darts

START = 1e-3  # spread of alpha at first: all operations begin nearly equal
NEARBY = 0.01  # how far the finite difference reaches, as a footnote of the paper has it


class DartsMethod(nn.Module):
    """Alpha (edges, options)."""

    halves = True

    def __init__(self, edges: Edges, settings: Darts, draw: Generator) -> None:
        super().__init__()
        self.settings = settings
        self.alpha = nn.Parameter(START * torch.randn(len(edges.names), len(edges.options), generator=draw))

    def begin_epoch(self, progress: float) -> None:
        """Nothing changes over the search."""

    def probabilities(self) -> Tensor:
        """Return the softmax of alpha."""
        return self.alpha.softmax(1)

    def strengths(self) -> Tensor:
        """Return the softmax of alpha."""
        return self.probabilities()

    def trace(self) -> dict[str, float]:
        """There is nothing but alpha."""
        return {}

    def step(self, learner: Learner, batch: Batch, held: Batch, draw: Generator) -> Losses:
        """Algorithm 1: first alpha, then the weights."""
        if self.settings.order == "first" or learner.resting:
            seen = learner.descend(learner.loss(held, self._mixture()), learner.alpha)
        else:
            seen = self._second_order(learner, batch, held)
        return Losses(learner.descend(learner.loss(batch, self._mixture()), learner.weights), seen)

    def _mixture(self) -> Mixture:
        return Mixture(self.probabilities())  # equation 2

    def _second_order(self, learner: Learner, batch: Batch, held: Batch) -> Tensor:
        (group,) = learner.weights.param_groups
        loss, gradient = unrolled(
            lambda: learner.loss(batch, self._mixture()),
            lambda: learner.loss(held, self._mixture()),
            group["params"],
            [self.alpha],
            group["lr"],
        )
        learner.follow(learner.alpha, gradient)
        return loss


def unrolled(
    train_loss: Callable[[], Tensor],
    valid_loss: Callable[[], Tensor],
    weights: Sequence[Tensor],
    alpha: Sequence[Tensor],
    rate: float,
) -> tuple[Tensor, list[Tensor]]:
    """Return the validation loss after one step of the weights, and its gradient with respect to alpha.

    Equation 7, its second derivative replaced by the finite difference of equation 8. The weights are moved in place
    and put back.
    """
    before = [weight.detach().clone() for weight in weights]
    step = torch.autograd.grad(train_loss(), weights, materialize_grads=True)
    _shift(weights, before, step, -rate)  # w' of equation 6
    loss = valid_loss()
    found = torch.autograd.grad(loss, [*alpha, *weights], materialize_grads=True)
    direct, towards = found[: len(alpha)], found[len(alpha) :]
    near = NEARBY / max(float(torch.stack([one.norm() for one in towards]).norm()), 1e-12)
    sides = []
    for away in (near, -near):
        _shift(weights, before, towards, away)
        sides.append(torch.autograd.grad(train_loss(), alpha, materialize_grads=True))
    _shift(weights, before, towards, 0.0)
    return loss.detach(), [
        gradient - rate * (above - under) / (2 * near) for gradient, above, under in zip(direct, *sides, strict=True)
    ]


@torch.no_grad()
def _shift(weights: Sequence[Tensor], before: Sequence[Tensor], by: Sequence[Tensor], times: float) -> None:
    for weight, was, change in zip(weights, before, by, strict=True):
        weight.copy_(was + times * change)

"""Two descents side by side: the weights that all architectures share, and alpha."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi

import torch
from torch import Generator, Tensor, nn, optim
from torch.nn import functional

from nas.evaluation.batches import Batch
from nas.evaluation.relaxed.supernet import Mixture, Supernet
from nas.gradient import Descent

MOMENTUM = 0.9
LARGEST_GRADIENT = 5.0
ALPHA_BETAS = (0.5, 0.999)


@dataclass(frozen=True)
class Losses:
    """What a step saw: the loss of the weights' batch, and that of alpha's."""

    weights: Tensor
    alpha: Tensor


@dataclass
class Learner:
    """The supernet and the optimisers of its weights and of alpha; while that one is resting, only the weights move."""

    supernet: Supernet
    weights: optim.SGD
    alpha: optim.Adam
    resting: bool = False

    @classmethod
    def of(cls, supernet: Supernet, method: nn.Module, settings: Descent, steps: int) -> "Learner":
        """Return it with the optimisers of DARTS, section 3.1; alpha takes so many steps."""
        trained = [parameter for parameter in supernet.parameters() if parameter.requires_grad]
        return cls(
            supernet,
            optim.SGD(trained, settings.learning_rate, MOMENTUM, weight_decay=settings.weight_decay),
            optim.Adam(
                method.parameters(),
                settings.alpha_rate(steps),
                ALPHA_BETAS,
                weight_decay=settings.alpha_weight_decay,
            ),
        )

    def loss(self, batch: Batch, mixture: Mixture) -> Tensor:
        """Return the mean cross-entropy of a batch under a mixture."""
        images, labels = batch
        return functional.cross_entropy(self.supernet(images, mixture), labels)

    def descend(self, loss: Tensor, *optimizers: optim.Optimizer) -> Tensor:
        """Move what the optimisers hold down the gradient of a loss, and return that loss; nothing else is touched.

        A weight that the loss does not know stays as it is. The gradient of the weights is clipped.
        """
        optimizers = tuple(one for one in optimizers if not self._rests(one))
        if not optimizers:
            return loss.detach()
        held = [_parameters(optimizer) for optimizer in optimizers]
        found = torch.autograd.grad(loss, [one for some in held for one in some], allow_unused=True)
        gradients = iter(found)
        for optimizer, parameters in zip(optimizers, held, strict=True):
            self.follow(optimizer, [next(gradients) for _ in parameters])
        return loss.detach()

    def _rests(self, optimizer: optim.Optimizer) -> bool:
        return self.resting and optimizer is self.alpha

    def follow(self, optimizer: optim.Optimizer, gradients: Sequence[Tensor | None]) -> None:
        """Step along gradients, one for each parameter of the optimiser."""
        for parameter, gradient in zip(_parameters(optimizer), gradients, strict=True):
            parameter.grad = gradient
        if optimizer is self.weights:
            nn.utils.clip_grad_norm_(_parameters(optimizer), LARGEST_GRADIENT)
        optimizer.step()
        optimizer.zero_grad()


def cosine(first: float, last: float, progress: float) -> float:
    """Return the learning rate at a share of the search: half a cosine from the first to the last."""
    return last + (first - last) * (1 + cos(pi * progress)) / 2


def gumbel(like: Tensor, draw: Generator) -> Tensor:
    """Return standard Gumbel noise of the shape of `like`, drawn on the CPU, so that a seed means the same anywhere."""
    return -torch.empty(like.shape).exponential_(generator=draw).log().to(like.device)


def _parameters(optimizer: optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]

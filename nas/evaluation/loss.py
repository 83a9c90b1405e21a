"""What a network is trained to bring down."""

from torch import Tensor
from torch.nn import functional


def loss(outputs: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of logits (batch, classes) for classes, the mean squared error (batch, 1) for numbers.

    `smoothing` is the share of a class's label spread over all classes.
    """
    if labels.is_floating_point():
        return functional.mse_loss(outputs.squeeze(1), labels)
    return functional.cross_entropy(outputs, labels, label_smoothing=smoothing)

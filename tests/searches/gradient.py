"""What a search by gradient says, epoch by epoch."""

from nas.architecture import Architecture
from nas.events import EpochSearched

GOOD, SKIPS = (3, 2, 3, 1, 2, 3), (1, 1, 1, 1, 1, 3)


def epoch(number, choices=GOOD, collapse=0.0, accuracy=40.0):
    """An epoch as a supernet tells it."""
    costs = {"parameters": 100.0 + number, "multiply_adds": 2000.0, "depth": 9.0}
    metrics = {"accuracy": accuracy + number, "loss": 1.5, "training_seconds": 2.0 * number, "epochs": number, **costs}
    trace = {"train_loss": 2.0, "alpha_loss": 2.1, "valid_loss": 1.5, "entropy": 1.6, "collapse": collapse}
    alpha = {"edge 0-1": {"none": 0.1, "skip_connect": 0.9}}
    return EpochSearched(number, 4, Architecture("nasbench201", choices), metrics, trace, alpha)

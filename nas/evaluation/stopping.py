"""When a training is hopeless: its curve beside the curves of those that were trained before it.

The median rule is that of Golovin et al., "Google Vizier", KDD 2017, section 3.2.2; the extrapolation that of Baker et
al., "Accelerating neural architecture search using performance prediction", ICLR workshop 2018: a regression from
the beginning of a curve to its end, learned from the curves that are complete.
"""

from collections.abc import Sequence
from statistics import fmean, median

import numpy as np

from nas.events import EpochEnded
from nas.policy import Policy

FEWEST_PEERS = 5
MOST_PEERS = 100
SURE = 2.0  # standard deviations of the prediction
Curve = Sequence[float]


def accuracies(curve: Sequence[EpochEnded]) -> tuple[float, ...]:
    """Return what a learning curve is compared by: the validation accuracy of each epoch, of numbers minus the loss."""
    found = tuple(point.valid_accuracy for point in curve if point.valid_accuracy is not None)
    return found or tuple(-point.valid_loss for point in curve if point.valid_loss is not None)


def has_stalled(curve: Sequence[EpochEnded], patience: int) -> bool:
    """Tell whether the validation loss has been no lower than before for `patience` epochs; 0: it never counts."""
    losses = [point.valid_loss for point in curve if point.valid_loss is not None]
    if not patience or len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience])


def is_hopeless(policy: Policy, curve: Curve, peers: Sequence[Curve], epochs: int) -> bool:
    """Tell whether to stop before `epochs`, after the last point of `curve`, accuracies by epoch.

    It is compared with those `peers` that went on for as long; fewer than 5 of them tell nothing.
    """
    at = len(curve)
    # A peer that was trained on, on a higher rung, is compared by where it was at the end of this one.
    compared = [peer[:epochs] for peer in peers if len(peer) >= epochs]
    if policy.stopping == "none" or at < policy.grace or at >= epochs or len(compared) < FEWEST_PEERS:
        return False
    if policy.stopping == "median":
        return max(curve) < median(fmean(peer[:at]) for peer in compared)
    return _predicted_best(curve, compared) < max(peer[-1] for peer in compared)


def _predicted_best(curve: Curve, peers: Sequence[Curve]) -> float:
    """Return the end of the curve that is still plausible: the prediction and twice its error."""
    at = len(curve)
    begun = np.array([_features(peer[:at]) for peer in peers])
    ends = np.array([peer[-1] for peer in peers])
    scale = begun.std(axis=0) + 1e-9
    inputs = np.column_stack([np.ones(len(peers)), (begun - begun.mean(axis=0)) / scale])
    # A little ridge: with few curves the features nearly repeat each other.
    penalty = np.diag([0.0, *[0.1] * begun.shape[1]])
    weights = np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ ends)
    freedom = max(1, len(peers) - inputs.shape[1])
    error = float(np.sqrt(np.sum((ends - inputs @ weights) ** 2) / freedom))
    here = np.concatenate([[1.0], (_features(curve) - begun.mean(axis=0)) / scale])
    return float(here @ weights) + SURE * error


def _features(curve: Curve) -> np.ndarray:
    """Describe the beginning of a curve: where it is, how it rose lately, its best."""
    before = curve[max(0, len(curve) - 3)]
    return np.array([curve[-1], curve[-1] - before, max(curve)])

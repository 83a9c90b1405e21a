"""Classification metrics from logits and labels, in percent but for the loss."""

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import (
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
    top_k_accuracy_score,
)
from torch import Tensor
from torch.nn import functional

from nas.events import Evidence

CALIBRATION_BINS = 15
MOST_CLASSES = 200  # beyond them a confusion matrix is no picture
ROC_POINTS = 101


def validation_metrics(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Return accuracy and loss."""
    right = int((logits.argmax(1) == labels).sum())
    return {"accuracy": 100 * right / len(labels), "loss": float(functional.cross_entropy(logits, labels))}


def test_metrics(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Return also precision, recall, F1 and one-vs-rest ROC AUC, each the mean over the classes, and calibration error.

    Of more than five classes also how often the true one is among the five likeliest.
    """
    truth, picked, chances = _arrays(logits, labels)
    precision, recall, f1, _ = precision_recall_fscore_support(truth, picked, average="macro", zero_division=0)
    area = roc_auc_score(truth, chances, multi_class="ovr", average="macro")
    shares = {"precision": precision, "recall": recall, "f1": f1, "roc_auc": area}
    if chances.shape[1] > 5:
        shares["top5_accuracy"] = top_k_accuracy_score(truth, chances, k=5, labels=range(chances.shape[1]))
    shares["calibration_error"] = _calibration_error(chances.max(axis=1), picked == truth)
    return validation_metrics(logits, labels) | {name: 100 * float(value) for name, value in shares.items()}


def evidence(logits: Tensor, labels: Tensor) -> Evidence | None:
    """Return confusion matrix and pooled ROC curve, None of so many classes that nobody could read them."""
    truth, picked, chances = _arrays(logits, labels)
    classes = chances.shape[1]
    if classes > MOST_CLASSES:
        return None
    counts = confusion_matrix(truth, picked, labels=range(classes))
    false, true, _ = roc_curve((truth[:, None] == range(classes)).ravel(), chances.ravel())
    # Points at even distances along the curve: most of it is at the left edge.
    along = np.concatenate([[0.0], np.cumsum(np.diff(false) + np.diff(true))])
    at = np.linspace(0, along[-1], ROC_POINTS)
    points = zip(np.interp(at, along, false), np.interp(at, along, true), strict=True)
    return Evidence(
        tuple(tuple(int(count) for count in row) for row in counts),
        tuple((round(float(x), 5), round(float(y), 5)) for x, y in points),
    )


def _arrays(logits: Tensor, labels: Tensor) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return labels, picks and probabilities, in double precision: they must sum to one closer than float32 does."""
    chances = torch.softmax(logits.double(), 1)
    return labels.cpu().numpy(), logits.argmax(1).cpu().numpy(), chances.cpu().numpy()


def _calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the mean distance of confidence from accuracy (Guo et al., ICML 2017, equation 3)."""
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return float(np.abs(np.bincount(bins, right - confidence)).sum() / len(right))

"""What answers are worth against the truth: metrics of classes, in percent, and of numbers, in their own unit."""

import base64
from collections.abc import Callable, Collection
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    mean_absolute_error,
    precision_score,
    r2_score,
    recall_score,
    roc_auc_score,
    roc_curve,
    root_mean_squared_error,
    top_k_accuracy_score,
)
from torch import Tensor

from nas.evaluation.loss import loss
from nas.events import Evidence

CALIBRATION_BINS = 15
MOST_CLASSES = 200  # beyond them a confusion matrix is no picture
ROC_POINTS = 101
MACRO = {"average": "macro", "zero_division": 0}


class Answers:
    """Logits of the test, validation or training part beside its labels, as arrays that scikit-learn reads."""

    def __init__(self, logits: Tensor, labels: Tensor) -> None:
        self.truth: NDArray[np.intp] = labels.cpu().numpy()
        self.picked: NDArray[np.intp] = logits.argmax(1).cpu().numpy()
        self._logits = logits

    @cached_property
    def chances(self) -> NDArray[np.float64]:
        """Probabilities, in double precision: they must sum to one closer than float32 does."""
        return torch.softmax(self._logits.double(), 1).cpu().numpy()

    @property
    def classes(self) -> range:
        """All of them, also those that nobody answered."""
        return range(self._logits.shape[1])


def _roc_auc(answers: Answers) -> float:
    """Return the mean over the classes, each against the rest; a class that no label has, or every, has no curve."""
    truth = answers.truth[:, None] == np.array(answers.classes)
    able = truth.any(axis=0) & ~truth.all(axis=0)
    return float(roc_auc_score(truth[:, able], answers.chances[:, able], average="macro")) if able.any() else 0.5


def _calibration_error(answers: Answers) -> float:
    """Return the mean distance of confidence from accuracy (Guo et al., ICML 2017, equation 3)."""
    confidence, right = answers.chances.max(axis=1), answers.picked == answers.truth
    accuracy, sure = calibration_curve(right, confidence, n_bins=CALIBRATION_BINS)
    inner = np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1]
    counts = np.bincount(np.searchsorted(inner, confidence), minlength=CALIBRATION_BINS)
    return float(np.average(np.abs(accuracy - sure), weights=counts[counts > 0]))


OF_CLASSES: dict[str, Callable[[Answers], float]] = {
    "accuracy": lambda a: accuracy_score(a.truth, a.picked),
    "top5_accuracy": lambda a: top_k_accuracy_score(a.truth, a.chances, k=5, labels=a.classes),
    "precision": lambda a: precision_score(a.truth, a.picked, labels=a.classes, **MACRO),
    "recall": lambda a: recall_score(a.truth, a.picked, labels=a.classes, **MACRO),
    "f1": lambda a: f1_score(a.truth, a.picked, labels=a.classes, **MACRO),
    "roc_auc": _roc_auc,
    "calibration_error": _calibration_error,
}
OF_NUMBERS: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], float]] = {
    "rmse": root_mean_squared_error,
    "mae": mean_absolute_error,
    "r2": r2_score,
}


def validation_metrics(outputs: Tensor, labels: Tensor) -> dict[str, float]:
    """Return accuracy, of classes, and loss, which every epoch is measured by: on the device, without a copy."""
    found = {"loss": float(loss(outputs, labels))}
    if labels.is_floating_point():
        return found
    right = int((outputs.argmax(1) == labels).sum())
    return {"accuracy": 100 * right / len(labels)} | found


def class_metrics(logits: Tensor, labels: Tensor, names: Collection[str] = OF_CLASSES) -> dict[str, float]:
    """Return those of `names` that classes have, in percent; precision, recall, F1 and ROC AUC are means over them."""
    answers = Answers(logits, labels)
    able = [name for name in OF_CLASSES if name in names and (name != "top5_accuracy" or len(answers.classes) > 5)]
    return {name: 100 * float(OF_CLASSES[name](answers)) for name in able}


def number_metrics(
    predicted: NDArray[np.float64], truth: NDArray[np.float64], names: Collection[str] = OF_NUMBERS
) -> dict[str, float]:
    """Return those of `names` that numbers have, in the unit of the target; R² has none."""
    return {name: float(measure(truth, predicted)) for name, measure in OF_NUMBERS.items() if name in names}


def quality_metrics(
    outputs: Tensor, labels: Tensor, names: Collection[str] = (*OF_CLASSES, *OF_NUMBERS), unit: float = 1.0
) -> dict[str, float]:
    """Return those of `names` that the task has; `unit` is what a standardised number has to be multiplied by."""
    if not labels.is_floating_point():
        return class_metrics(outputs, labels, names)
    told, truth = (unit * some.double().flatten().cpu().numpy() for some in (outputs, labels))
    return number_metrics(told, truth, names)


def test_metrics(outputs: Tensor, labels: Tensor, unit: float = 1.0) -> dict[str, float]:  # noqa: PT028 it is no test
    """Return every metric of classes, or of numbers, and the loss."""
    return validation_metrics(outputs, labels) | quality_metrics(outputs, labels, unit=unit)


def evidence(logits: Tensor, labels: Tensor) -> Evidence | None:
    """Return confusion matrix and pooled ROC curve, None of numbers and of more classes than anybody could read."""
    if labels.is_floating_point():
        return None
    answers = Answers(logits, labels)
    classes, chances = answers.classes, answers.chances
    if len(classes) > MOST_CLASSES:
        return None
    counts = confusion_matrix(answers.truth, answers.picked, labels=classes)
    false, true, _ = roc_curve((answers.truth[:, None] == np.array(classes)).ravel(), chances.ravel())
    # Points at even distances along the curve: most of it is at the left edge.
    along = np.concatenate([[0.0], np.cumsum(np.diff(false) + np.diff(true))])
    at = np.linspace(0, along[-1], ROC_POINTS)
    points = zip(np.interp(at, along, false), np.interp(at, along, true), strict=True)
    return Evidence(
        tuple(tuple(int(count) for count in row) for row in counts),
        tuple((round(float(x), 5), round(float(y), 5)) for x, y in points),
        base64.b64encode(np.packbits(answers.picked == answers.truth).tobytes()).decode(),
    )

"""Classification metrics from logits and labels, in percent but for the loss."""

import torch
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score
from torch import Tensor
from torch.nn import functional


def validation_metrics(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Return accuracy and loss."""
    right = int((logits.argmax(1) == labels).sum())
    return {"accuracy": 100 * right / len(labels), "loss": float(functional.cross_entropy(logits, labels))}


def test_metrics(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Return also precision, recall, F1 and one-vs-rest ROC AUC, each the mean over the classes."""
    truth, picked = labels.cpu().numpy(), logits.argmax(1).cpu().numpy()
    precision, recall, f1, _ = precision_recall_fscore_support(truth, picked, average="macro", zero_division=0)
    # Double precision: probabilities must sum to one more closely than float32 does.
    chances = torch.softmax(logits.double(), 1).cpu().numpy()
    area = roc_auc_score(truth, chances, multi_class="ovr", average="macro")
    shares = {"precision": precision, "recall": recall, "f1": f1, "roc_auc": area}
    return validation_metrics(logits, labels) | {name: 100 * float(value) for name, value in shares.items()}

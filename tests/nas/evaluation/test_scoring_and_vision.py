"""Metrics against a second calculation; torchvision beside a torch that has no operators for it."""

import subprocess
import sys

import pytest
import torch
from sklearn.metrics import auc, roc_auc_score

from nas.evaluation import costs
from nas.evaluation.scoring import evidence, validation_metrics
from nas.evaluation.scoring import test_metrics as measure


def test_metrics_equal_those_of_a_confusion_matrix() -> None:
    draw = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 4, (200,), generator=draw)
    logits = torch.randn(200, 4, generator=draw) + 2 * torch.nn.functional.one_hot(labels, 4)
    matrix = torch.zeros(4, 4)
    for truth, picked in zip(labels, logits.argmax(1), strict=True):
        matrix[truth, picked] += 1
    right = matrix.diag()
    precision, recall = right / matrix.sum(0), right / matrix.sum(1)
    found = measure(logits, labels)
    assert found["accuracy"] == pytest.approx(100 * float(right.sum()) / 200)
    assert found["precision"] == pytest.approx(100 * float(precision.mean()))
    assert found["recall"] == pytest.approx(100 * float(recall.mean()))
    assert found["f1"] == pytest.approx(100 * float((2 * precision * recall / (precision + recall)).mean()))
    # The share of pairs in the right order.
    chances = logits.double().softmax(1)
    areas = []
    for label in range(4):
        own, others = chances[labels == label, label], chances[labels != label, label]
        areas.append(float((own[:, None] > others[None]).double().mean()))
    assert found["roc_auc"] == pytest.approx(100 * sum(areas) / 4)


def test_calibration_error_is_the_mean_distance_of_confidence_from_accuracy_over_the_bins() -> None:
    draw = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 6, (500,), generator=draw)
    logits = 2 * torch.randn(500, 6, generator=draw) + 2 * torch.nn.functional.one_hot(labels, 6)
    confidence, picked = logits.double().softmax(1).max(1)
    expected = 0.0
    for index in range(15):
        inside = (confidence >= index / 15) & (confidence < (index + 1) / 15)
        if inside.any():
            gap = (picked == labels)[inside].double().mean() - confidence[inside].mean()
            expected += float(gap.abs() * inside.sum() / 500)
    found = measure(logits, labels)
    assert found["calibration_error"] == pytest.approx(100 * expected)
    five = logits.topk(5).indices == labels[:, None]
    assert found["top5_accuracy"] == pytest.approx(100 * float(five.any(1).double().mean()))


def test_the_evidence_holds_every_image_and_the_area_of_the_pooled_curve() -> None:
    draw = torch.Generator().manual_seed(2)
    labels = torch.randint(0, 4, (300,), generator=draw)
    logits = torch.randn(300, 4, generator=draw) + 2 * torch.nn.functional.one_hot(labels, 4)
    found = evidence(logits, labels)
    assert found is not None
    assert [sum(row) for row in found.confusion] == torch.bincount(labels, minlength=4).tolist()
    assert sum(found.confusion[each][each] for each in range(4)) == int((logits.argmax(1) == labels).sum())
    assert (found.roc[0], found.roc[-1]) == ((0.0, 0.0), (1.0, 1.0))
    false, true = zip(*found.roc, strict=True)
    truth = torch.nn.functional.one_hot(labels, 4)
    whole = roc_auc_score(truth.numpy(), logits.double().softmax(1).numpy(), average="micro")
    assert auc(false, true) == pytest.approx(whole, abs=0.005)


def test_so_many_classes_that_nobody_could_read_them_have_no_evidence() -> None:
    assert evidence(torch.zeros(3, 201), torch.tensor([0, 1, 2])) is None


def test_all_right_is_exactly_a_hundred_percent() -> None:
    labels = torch.tensor([0, 1, 2])
    assert validation_metrics(10 * torch.eye(3), labels)["accuracy"] == 100.0


def test_latency_is_a_median_and_a_tail() -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    speed = costs.latency(network, torch.zeros(1, 1, 8, 8), seconds=0.05)
    assert 0 < speed.median_ms <= speed.p95_ms
    assert costs.throughput(network, torch.zeros(64, 1, 8, 8), seconds=0.05) > 0


@pytest.mark.slow
def test_torchvision_loads_with_or_without_its_operators() -> None:
    script = (
        "from nas.evaluation.vision import torchvision; import torch;"
        "assert torchvision() is torchvision();"
        "print(torchvision('torchvision.models').resnet18().eval()(torch.zeros(1, 3, 32, 32)).shape)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "torch.Size([1, 1000])" in done.stdout

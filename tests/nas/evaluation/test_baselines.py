"""Baselines that are not ours: torchvision's networks as jobs, and one that trains for as long as the winner."""

import pytest
import torch

from nas.evaluation.foreign import build
from nas.events import Ended, EpochEnded, Measured, Prepared
from nas.reference import Reference
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.graph import Task
from tests.nas.evaluation.jobs import digits, events


def foreign(workdir, name, **changes):
    return digits(workdir, space=Reference(name).spec, choices=(), stage="final", epochs=1, **changes)


@pytest.mark.slow
def test_torchvisions_networks_read_small_grey_images_and_large_coloured_ones():
    for name in ("resnet18", "shufflenet_v2_x1_0"):
        for task in (Task((1, 8, 8), 10), Task((3, 64, 64), 5)):
            network = build(name, task, seed=1).eval()
            assert network(torch.zeros(2, *task.input_shape)).shape == (2, task.classes)
            assert network.graph.parameters == sum(each.numel() for each in network.parameters())


def test_the_same_seed_draws_the_same_network_and_its_size_is_the_published_one():
    one, same, other = (build("mobilenet_v3_small", Task((1, 8, 8), 10), seed).inner.classifier for seed in (1, 1, 2))
    assert torch.equal(one[0].weight, same[0].weight)
    assert not torch.equal(one[0].weight, other[0].weight)
    # torchvision says 2,542,856 for 1000 classes and three channels.
    small = build("mobilenet_v3_small", Task((3, 224, 224), 1000)).graph
    assert small.parameters == 2_542_856
    assert small.multiply_adds == pytest.approx(56e6, rel=0.06)


def test_a_network_of_torchvision_is_trained_and_tested_like_ours(tmp_path):
    said = events(foreign(tmp_path, "mobilenet_v3_small"))
    assert isinstance(said[0], Prepared)
    assert isinstance(said[-1], Measured), said[-1]
    assert said[-1].metrics["parameters"] > 1e6
    assert "accuracy" in said[-1].metrics
    assert said[-1].evidence.right


def test_a_name_that_is_not_offered_is_invalid(tmp_path):
    last = events(digits(tmp_path, space=SpaceSpec("torchvision", {"network": "os.system"}), choices=(), stage="final"))
    assert isinstance(last[-1], Ended)
    assert "There is no baseline os.system" in str(last[-1].sentence)


def test_it_trains_as_many_epochs_as_fit_into_its_seconds_and_notes_them_for_a_resume(tmp_path):
    noted = tmp_path / "epochs.txt"
    said = events(digits(tmp_path, stage="final", seconds=1e-6))
    assert [event.epochs for event in said if isinstance(event, EpochEnded)] == [1]
    assert noted.read_text() == "1"
    # An earlier attempt had tried it out.
    noted.write_text("3")
    said = events(digits(tmp_path, stage="final", seconds=1e-6))
    assert [(event.epoch, event.epochs) for event in said if isinstance(event, EpochEnded)] == [(1, 3), (2, 3), (3, 3)]


def test_validation_that_is_held_out_is_measured_beside_the_test_split(tmp_path):
    job = digits(tmp_path, stage="final", holds_validation=True, columns=("f1",))
    said = events(job)
    metrics = said[-1].metrics
    assert {"valid_accuracy", "valid_f1", "valid_loss"} <= set(metrics)
    assert metrics["valid_accuracy"] == next(e for e in reversed(said) if isinstance(e, EpochEnded)).valid_accuracy
    assert not [
        name for name in metrics if name.startswith("valid_") and name.endswith(("ms", "seconds", "parameters"))
    ]

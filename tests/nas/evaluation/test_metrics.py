"""Every entry of the catalogue of metrics: asked for on the command line, and measured in a tiny search."""

import argparse
import ctypes
import json
import math
from dataclasses import replace

import pytest
import torch
from sklearn.metrics import precision_score
from torch import nn
from torch.nn.functional import cross_entropy

from nas import jobs
from nas.__main__ import main
from nas.architecture import Architecture
from nas.checks import check
from nas.commandline import add_search_options, plan_of
from nas.evaluation import energy
from nas.evaluation.memory import peak_megabytes
from nas.evaluation.networks import build
from nas.evaluation.scoring import OF_CLASSES, OF_NUMBERS, class_metrics, number_metrics
from nas.evaluation.trained import graph_of
from nas.events import Ended, Measured
from nas.objectives import METRICS, fitting, limit, objective
from nas.sentences import Refused
from tests.nas.evaluation.jobs import CHOICES, digits, events

ARCHITECTURE = Architecture("chain", CHOICES)
OF_DIGITS = tuple(name for name in fitting(10) if name != "energy_joules")


def _options(**changes):
    parser = argparse.ArgumentParser()
    add_search_options(parser)
    return vars(parser.parse_args([])) | changes


def _batches(job, size):
    return replace(job.training, batch_size=size)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """One candidate of which everything was asked."""
    last = events(digits(tmp_path_factory.mktemp("asked"), epochs=1, columns=OF_DIGITS))[-1]
    assert isinstance(last, Measured), last
    return last.metrics


@pytest.mark.parametrize("name", OF_DIGITS)
def test_every_metric_of_classes_is_measured_where_it_is_asked_for(measured, name):
    assert math.isfinite(measured[name])
    if METRICS[name].unit == "%" and name != "generalisation_gap":
        assert 0 <= measured[name] <= 100


def test_only_what_is_asked_for_is_measured(tmp_path):
    last = events(digits(tmp_path, epochs=1, columns=("f1",)))[-1]
    known = {"parameters", "multiply_adds", "depth", "training_seconds", "epochs", "accuracy", "loss", "latency_ms"}
    assert set(last.metrics) == {*known, "f1"}


def test_every_metric_is_of_classes_of_numbers_or_a_cost():
    assert {name for name, metric in METRICS.items() if metric.of == "classes"} == set(OF_CLASSES)
    assert {name for name, metric in METRICS.items() if metric.of == "numbers"} == set(OF_NUMBERS)
    assert not set(fitting(1)) & set(OF_CLASSES)
    assert "top5_accuracy" not in fitting(5)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_read_as_objective_and_as_limit(name):
    metric = METRICS[name]
    assert objective(name).goal == metric.goal
    assert objective(f"max:{name}").goal == "max"
    bound = limit(f"{name}=3")
    worse = {name: 4.0 if metric.goal == "min" else 2.0}
    assert bound.holds({name: 3.0})
    assert not bound.holds(worse)


@pytest.mark.parametrize("name", fitting(10))
def test_a_search_that_asks_for_it_passes_the_check_and_asks_its_jobs(name):
    plan = plan_of(_options(objective=[name], limit=[f"{name}={1e12 if METRICS[name].goal == 'min' else 0}"]))
    check(plan, tells_energy=True)
    job = jobs.search_job(plan, ARCHITECTURE, fidelity=0, workdir="")
    assert name in job.columns


@pytest.mark.parametrize(("wrong", "near"), [("f2", "f1"), ("rmse", "the nearest are"), ("acuracy", "accuracy")])
def test_what_does_not_fit_is_refused_with_the_nearest(wrong, near):
    with pytest.raises(Refused, match=rf"There is no metric {wrong}; .*{near}"):
        plan_of(_options(objective=[wrong]))


def test_a_search_on_the_command_line_for_a_metric_beyond_accuracy(capsys):
    asked = ["--objective", "f1", "--limit", "file_kb=1e6", "--budget", "2", "--epochs", "1"]
    assert main(["search", "--json", "--final-epochs", "1", "--final-seeds", "1", *asked]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [line for line in lines if line.get("stage") == "search"]
    assert [line["scores"] for line in found] == [[-line["metrics"]["f1"]] for line in found]
    assert all(line["metrics"]["file_kb"] > 0 for line in found)


def test_the_metrics_of_numbers_are_those_of_the_formulas():
    truth, predicted = torch.randn(2, 50, generator=torch.Generator().manual_seed(0)).double().numpy()
    found = number_metrics(predicted, truth)
    assert found["rmse"] == pytest.approx(((truth - predicted) ** 2).mean() ** 0.5)
    assert found["mae"] == pytest.approx(abs(truth - predicted).mean())
    assert found["r2"] == pytest.approx(1 - ((truth - predicted) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def test_a_class_that_is_never_answered_counts_as_wrong_and_one_without_labels_has_no_curve():
    logits = torch.tensor([[2.0, 0, 0], [2, 0, 0], [0, 2, 0]])
    labels = torch.tensor([0, 1, 1])
    found = class_metrics(logits, labels)
    expected = precision_score([0, 1, 1], [0, 0, 1], labels=[0, 1, 2], average="macro", zero_division=0)
    assert found["precision"] == pytest.approx(100 * expected)
    assert 0 <= found["roc_auc"] <= 100


def test_peak_memory_is_what_the_tensors_of_one_step_take():
    network = nn.Sequential(nn.Linear(1000, 500, bias=False), nn.ReLU(), nn.Linear(500, 10, bias=False))
    before = [parameter.clone() for parameter in network.parameters()]
    inputs, labels = torch.randn(200, 1000), torch.zeros(200, dtype=torch.long)
    found = peak_megabytes(network, inputs, lambda logits: cross_entropy(logits, labels))
    weights, activations = 4 * (1000 * 500 + 500 * 10), 4 * 200 * (1000 + 500)
    # Weights, their momentum and gradients, the inputs, and at least one activation.
    assert 3 * weights + activations <= 1e6 * found <= 3 * weights + 3 * activations
    assert all(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))
    assert peak_megabytes(network, inputs, lambda logits: cross_entropy(logits, labels)) == found


def test_a_wider_batch_and_the_file_cost_what_they_say(tmp_path):
    job = digits(tmp_path, epochs=1, columns=("file_kb", "peak_memory_mb"))
    small, large = (
        events(digits(tmp_path / str(size), epochs=1, columns=job.columns, training=_batches(job, size)))[-1].metrics
        for size in (16, 128)
    )
    network = build(graph_of(job))
    weights = sum(4 * parameter.numel() for parameter in network.parameters())
    assert weights < 1000 * small["file_kb"] < 2 * weights + 8000
    assert small["peak_memory_mb"] < large["peak_memory_mb"]


def test_energy_is_read_from_the_processors_counter_and_survives_its_turn(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert energy.meter(powercap=tmp_path) is None
    for package in (0, 1):
        folder = tmp_path / f"intel-rapl:{package}"
        folder.mkdir()
        (folder / "energy_uj").write_text("9000000\n")
        (folder / "max_energy_range_uj").write_text("10000000\n")
    counter = energy.meter(powercap=tmp_path)
    before = counter.joules()
    (tmp_path / "intel-rapl:0/energy_uj").write_text("9500000\n")
    assert energy.used(counter, before) == pytest.approx(0.5)
    (tmp_path / "intel-rapl:0/energy_uj").write_text("500000\n")
    assert energy.used(counter, before) == pytest.approx(1.5)


class Driver:
    """NVIDIA's library as far as energy goes: 5 kJ on the first GPU, none on others."""

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index, handle):
        self.index = index
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle, found):
        ctypes.cast(found, ctypes.POINTER(ctypes.c_ulonglong))[0] = 5_000_000
        return 0 if self.index == 0 else 3


@pytest.mark.parametrize(("visible", "joules"), [("0", (5000.0,)), ("0,1", (5000.0,)), ("1", None)])
def test_energy_is_read_from_the_gpu_that_is_visible(visible, joules, monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    counter = energy.meter(powercap=tmp_path, library=Driver())
    assert (counter and counter.joules()) == joules


def test_energy_is_refused_before_the_run_where_no_device_tells_it(tmp_path):
    plan = plan_of(_options(objective=["energy_joules"]))
    with pytest.raises(Refused, match="No device here tells how much energy it uses"):
        check(plan, tells_energy=False)
    if energy.meter() is None:
        last = events(digits(tmp_path, epochs=1, columns=("energy_joules",)))[-1]
        assert isinstance(last, Ended)
        assert "does not tell how much energy" in str(last.sentence)

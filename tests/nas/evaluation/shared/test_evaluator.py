"""Shared weights as an evaluator: trained once per run, gone on with exactly, whatever the space."""

import json
import multiprocessing
from dataclasses import replace
from random import Random

import pytest
import torch
from safetensors import safe_open

from nas.datasets.catalogue import dataset
from nas.evaluation.batches import Scale
from nas.evaluation.catalogue import evaluator
from nas.evaluation.networks import build
from nas.evaluation.protocol import Supernet
from nas.evaluation.shared.checkpoint import FILE, SharedCheckpoint
from nas.evaluation.shared.evaluator import recalibrate
from nas.evaluation.shared.training import finite
from nas.evaluation.shared.weights import SharedWeights
from nas.evaluation.trained import data_of, graph_of
from nas.events import EpochEnded, EvaluationFailed, Measured, Prepared
from nas.objectives import Limit
from nas.spaces import catalogue, moves
from nas.spaces.catalogue import SpaceSpec
from tests.nas.evaluation.jobs import digits

QUICK = Supernet(epochs=2, steps=3, recalibration=2)
SPACES = {
    "chain": {"min_layers": 2, "max_layers": 3},
    "nasbench201": {"cells": 1, "channels": 4},
    "transformer": {"max_layers": 2, "widths": (16, 24), "patches": (4,)},
    "resnet": {"max_stages": 1, "depths": (1,)},
    "nasnet": {"cells": 3, "channels": 4, "nodes": 1},
}


def job(folder, **changes):
    shared = {"evaluator": "supernet", "shared": str(folder / "shared"), "supernet": QUICK}
    return digits(folder / "one", **shared | changes)


def said(asked):
    return list(evaluator(asked).evaluate(asked))


def of_space(folder, name, number, **changes):
    spec = SpaceSpec(name, SPACES[name])
    space = catalogue.build(spec, dataset("digits").task)
    return job(folder, space=spec, choices=moves.sample(space, Random(number)).choices, **changes)


def without_times(measured):
    return {name: value for name, value in measured.metrics.items() if name != "latency_ms"}


@pytest.mark.parametrize("name", SPACES)
def test_the_first_job_trains_the_weights_and_every_later_one_is_measured_by_them(name, tmp_path):
    quick = replace(QUICK, epochs=1, batch_size=256)
    first = said(of_space(tmp_path, name, 1, supernet=quick))
    assert [type(event) for event in first] == [Prepared, EpochEnded, Measured]
    second = said(of_space(tmp_path, name, 2, supernet=quick))
    assert [type(event) for event in second] == [Prepared, Measured]
    for last in (first[-1], second[-1]):
        assert 0 <= last.metrics["accuracy"] <= 100
        assert {"loss", "latency_ms", "parameters", "multiply_adds", "depth"} <= set(last.metrics)
        assert not {"epochs", "training_seconds"} & set(last.metrics)
    assert [path.name for path in (tmp_path / "shared").glob("*.safetensors")] == [FILE]


def test_what_is_measured_is_the_built_network_with_its_slices_and_fresh_statistics(tmp_path):
    asked = job(tmp_path)
    measured = said(asked)[-1]
    data = data_of(asked)
    weights = SharedWeights(asked.seed, torch.device("cpu"))
    with safe_open(tmp_path / "shared" / FILE, framework="pt") as file:
        run = json.loads(file.metadata()["progress"])["run"]
    assert len(SharedCheckpoint(tmp_path / "shared", run).restore(weights).epochs) == 2
    network = build(graph_of(asked), asked.seed)
    weights.inherit(network)
    scale = Scale.of(data, torch.device("cpu"))
    recalibrate(network, data, scale, asked)
    network.eval()
    with torch.inference_mode():
        right = (network(scale(data.valid.inputs)).argmax(1) == data.valid.labels).float().mean()
    assert measured.metrics["accuracy"] == pytest.approx(100 * float(right), abs=0.3)


def test_training_them_helps(tmp_path):
    spec = SpaceSpec("nasbench201", {"operations": ("skip_connect",), "cells": 1, "channels": 4})
    cell = {"space": spec, "choices": (0,) * 6}
    untrained = said(job(tmp_path / "a", supernet=Supernet(epochs=0), **cell))
    trained = said(job(tmp_path / "b", supernet=Supernet(epochs=3), **cell))
    assert trained[-1].metrics["loss"] < untrained[-1].metrics["loss"] - 0.2


def test_a_training_that_was_cut_off_goes_on_to_the_same_weights(tmp_path):
    asked = replace(job(tmp_path / "whole"), supernet=replace(QUICK, epochs=3))
    whole = said(asked)
    cut = replace(asked, shared=str(tmp_path / "cut"))
    running = evaluator(cut).evaluate(cut)
    assert isinstance(next(running), Prepared)
    first = next(running)
    running.close()  # what a cancel does; a kill leaves the same file
    rest = said(cut)
    losses = [event.train_loss for event in (first, *rest) if isinstance(event, EpochEnded)]
    assert losses == [event.train_loss for event in whole if isinstance(event, EpochEnded)]
    assert without_times(rest[-1]) == without_times(whole[-1])


def test_weights_of_other_settings_or_another_seed_are_not_gone_on_with(tmp_path):
    said(job(tmp_path))
    for other in (job(tmp_path, seed=2), replace(job(tmp_path), supernet=replace(QUICK, learning_rate=0.05))):
        assert sum(isinstance(event, EpochEnded) for event in said(other)) == 2


def test_the_networks_that_train_keep_to_the_limits(tmp_path):
    spec = SpaceSpec("chain", SPACES["chain"], limits=(Limit("parameters", 12_000),))
    space = catalogue.build(spec, dataset("digits").task)
    choices = moves.sample(space, Random(1)).choices
    last = said(job(tmp_path, space=spec, choices=choices))[-1]
    assert isinstance(last, Measured)
    assert last.metrics["parameters"] <= 12_000


def test_as_enas_does_each_proposal_trains_the_weights_once_and_they_go_on_from_there(tmp_path):
    enas = replace(QUICK, sampling="proposals", epochs=1)
    one = replace(job(tmp_path), supernet=enas)
    first = said(one)[-1]
    before = (tmp_path / "shared" / FILE).read_bytes()
    again = said(one)[-1]  # an attempt that died after it had trained
    assert (tmp_path / "shared" / FILE).read_bytes() == before
    assert without_times(again) == without_times(first)
    other = replace(one, choices=(0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    said(other)
    assert (tmp_path / "shared" / FILE).read_bytes() != before
    assert without_times(said(one)[-1]) != without_times(first)


def measure_in_a_process(asked, out):
    torch.set_num_threads(1)
    out.put([type(event).__name__ for event in said(asked)])


def test_of_two_processes_at_once_one_trains_and_the_other_waits(tmp_path):
    context = multiprocessing.get_context("fork")
    out = context.Queue()
    asked = [job(tmp_path), job(tmp_path, choices=(0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0) + (0,) * 6)]
    running = [context.Process(target=measure_in_a_process, args=(one, out)) for one in asked]
    for process in running:
        process.start()
    told = sorted((out.get(timeout=60) for _ in running), key=len)
    for process in running:
        process.join(10)
    assert told == [["Prepared", "Measured"], ["Prepared", "EpochEnded", "EpochEnded", "Measured"]]


def test_weights_that_diverge_end_the_evaluation_with_the_reason():
    assert finite(2.5, 3) == 2.5
    with pytest.raises(EvaluationFailed, match="The shared weights diverged in epoch 3"):
        finite(float("nan"), 3)

"""Proxies computed beside a training: the same values as without it, and no harm where one has nothing to say."""

import pytest

from nas.evaluation.catalogue import evaluator
from nas.events import EpochEnded, Measured
from nas.policy import Policy
from nas.spaces.catalogue import SpaceSpec
from tests.nas.evaluation.jobs import digits

WATCHED = Policy(watch=("synflow", "naswot"))
CELL = {"space": SpaceSpec("nasbench201", {"cells": 1, "channels": 4}), "choices": (3, 2, 1, 4, 3, 2)}


def said(job):
    return list(evaluator(job).evaluate(job))


def test_a_trained_candidate_carries_what_the_proxies_said_before_training(tmp_path):
    trained = said(digits(tmp_path / "a", policy=WATCHED, **CELL))[-1]
    scored = said(digits(tmp_path / "b", evaluator="score", columns=WATCHED.watch, **CELL))[-1]
    assert {name: trained.metrics[name] for name in WATCHED.watch} == {
        name: scored.metrics[name] for name in WATCHED.watch
    }
    alone = said(digits(tmp_path / "c", **CELL))[-1]
    assert trained.metrics["accuracy"] == alone.metrics["accuracy"]
    assert set(trained.metrics) == {*alone.metrics, *WATCHED.watch}


def test_a_proxy_that_cannot_rank_a_network_is_left_out(tmp_path):
    # A chain of tanh alone has no ReLU for naswot to read.
    choices = (0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) + (0,) * 6
    space = SpaceSpec("chain", {"min_layers": 2, "max_layers": 3, "activations": ("tanh",)})
    *before, last = said(digits(tmp_path, space=space, choices=choices, policy=WATCHED))
    assert any(isinstance(event, EpochEnded) for event in before)
    assert isinstance(last, Measured)
    assert "synflow" in last.metrics
    assert "naswot" not in last.metrics


def test_seeds_are_averaged_and_the_proxies_computed_once(tmp_path):
    last = said(digits(tmp_path, policy=Policy(watch=("snip",), replicates=2), **CELL))[-1]
    assert last.metrics["snip"] == pytest.approx(
        said(digits(tmp_path, evaluator="score", columns=("snip",), **CELL))[-1].metrics["snip"]
    )
    assert "accuracy_sd" in last.metrics


def test_the_final_stage_watches_nothing(tmp_path):
    last = said(digits(tmp_path, policy=WATCHED, stage="final", epochs=1, **CELL))[-1]
    assert "synflow" not in last.metrics

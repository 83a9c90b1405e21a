"""What a cheaper search trains with, and what it says of the candidates all the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nas import jobs
from nas.checks import check
from nas.evaluation.datasets import load
from nas.evaluation.fidelity import WIDTHS, reduced_space, reduced_task
from nas.evaluation.protocol import Fidelity, Split
from nas.evaluation.reduced import load_reduced
from nas.evaluation.trained import graph_of
from nas.events import Measured
from nas.objectives import Limit
from nas.plan import Plan
from nas.sentences import Refused
from nas.spaces import catalogue, moves
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.graph import Task
from nas.strategies.protocol import dice
from tests.nas.evaluation.jobs import curve, digits, events

SPLIT = Split("digits")
PLAN = Plan(SPLIT, SpaceSpec("chain", {}), "random")


def test_a_share_keeps_the_classes_even_and_a_smaller_one_lies_in_a_larger() -> None:
    whole = load(SPLIT)
    half, tenth = (load_reduced(SPLIT, (), Fidelity(share=share)) for share in (0.5, 0.1))
    assert len(half.train) == pytest.approx(len(whole.train) / 2, abs=10)
    counts = torch.bincount(half.train.labels).double() / torch.bincount(whole.train.labels)
    assert float((counts - 0.5).abs().max()) < 0.02
    seen = {image.numpy().tobytes() for image in half.train.inputs}
    assert all(image.numpy().tobytes() in seen for image in tenth.train.inputs)
    assert torch.equal(half.valid.inputs, whole.valid.inputs)
    assert len(load_reduced(SPLIT, (), Fidelity(share=0.01)).train.labels.unique()) == 10


def test_smaller_images_are_the_same_pictures() -> None:
    whole, small = load(SPLIT), load_reduced(SPLIT, (), Fidelity(side=0.5))
    assert small.train.inputs.shape[2:] == small.valid.inputs.shape[2:] == (4, 4)
    assert small.train.inputs.dtype == torch.uint8
    means = [data.train.inputs.float().mean((1, 2, 3)) for data in (whole, small)]
    assert float(torch.corrcoef(torch.stack(means))[0, 1]) > 0.95


@pytest.mark.parametrize("kind", WIDTHS)
def test_a_narrower_network_answers_the_same_questions(kind: str) -> None:
    task = Task((3, 16, 16), 10)
    spec, less = SpaceSpec(kind, {}), Fidelity(side=0.5, width=0.5)
    whole, smaller = (
        catalogue.build(spec, task),
        catalogue.build(reduced_space(spec, less), reduced_task(task, less)),
    )
    for number in range(5):
        architecture = moves.sample(whole, dice(1, number))
        graph = smaller.graph(smaller.canonical(architecture))
        assert graph.task.input_shape == (3, 8, 8)
        assert graph.parameters < whole.graph(architecture).parameters


@pytest.mark.parametrize("less", [Fidelity(share=0.3), Fidelity(side=0.5), Fidelity(width=0.5)], ids=str)
def test_a_candidate_trained_with_less_is_told_with_its_own_size(tmp_path: Path, less: Fidelity) -> None:
    job = digits(tmp_path / "less", fidelity=less)
    told, whole = events(job), events(digits(tmp_path / "whole"))
    assert isinstance(told[-1], Measured)
    assert isinstance(whole[-1], Measured)
    assert curve(told) != curve(whole)
    for name in ("parameters", "multiply_adds"):
        assert told[-1].metrics[name] == whole[-1].metrics[name]
    assert graph_of(job, less).multiply_adds < graph_of(job).multiply_adds or less.share < 1


def test_a_checkpoint_of_another_fidelity_is_not_gone_on_with(tmp_path: Path) -> None:
    less = digits(tmp_path / "one", fidelity=Fidelity(share=0.3))
    events(less)
    both = [curve(events(replace(digits(tmp_path / folder)))) for folder in ("one", "other")]
    assert both[0] == both[1]


def test_the_final_stage_trains_with_everything() -> None:
    plan = replace(PLAN, fidelity=Fidelity(share=0.2, side=0.5, width=0.5))
    architecture = moves.sample(catalogue.build(plan.space, plan.task), dice(1, 1))
    assert jobs.search_job(plan, architecture, fidelity=0, workdir="").fidelity == plan.fidelity
    assert jobs.final_job(plan, architecture, seed=2, export=False, workdir="").fidelity == Fidelity()
    check(plan)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fidelity": Fidelity(share=0.0)}, "share is 0.0; it must be between 0.01 and 1"),
        ({"fidelity": Fidelity(width=0.5), "space": SpaceSpec("mnasnet", {})}, "these spaces have widths to scale"),
        ({"fidelity": Fidelity(width=0.1), "space": SpaceSpec("chain", {"filters": (4, 8)})}, "has other options"),
        (
            {"fidelity": Fidelity(side=0.5), "limits": (Limit("latency_ms", 5.0),)},
            "latency_ms is that of the whole network",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_reduced_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(Refused, match=said):
        check(replace(PLAN, **changes))

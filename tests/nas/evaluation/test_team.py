"""Two processes that train together take the steps that one would: torch.distributed over gloo, without a GPU."""

import os
from pathlib import Path

import psutil
import pytest
import torch

from nas.evaluation import training
from nas.evaluation.protocol import Training
from nas.evaluation.team import Team, size_of_team, team
from nas.evaluation.trained import Trained, graph_of
from nas.events import EpochEnded, Measured
from nas.spaces.baseline import Baseline
from nas.spaces.catalogue import SpaceSpec
from tests.nas.evaluation.jobs import curve, digits, events

# No layer of it looks at the rest of the batch, as normalisation would.
PLAIN = {"space": SpaceSpec(Baseline.name, {}), "choices": ()}


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_joint_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = Training(learning_rate=0.05, batch_size=99, mixup=0.3, rotation=10.0)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    alone = events(digits(tmp_path / "alone", training=how, **PLAIN))
    monkeypatch.setenv("NAS_TEAM", "2")
    running = Trained().evaluate(digits(tmp_path / "two", training=how, **PLAIN))
    assert isinstance([next(running), next(running)][-1], EpochEnded)
    assert team() == Team(0, 2)
    (member,) = _members()
    running.close()
    assert not member.is_running()
    assert team() == Team()
    # The second attempt of both goes on after the first epoch.
    together = events(digits(tmp_path / "two", training=how, **PLAIN))
    assert isinstance(together[-1], Measured)
    for ours, theirs in zip(curve(together), curve(alone), strict=True):
        assert ours == pytest.approx(theirs, rel=2e-3)
    assert not _members()


def _members() -> list[psutil.Process]:
    own = psutil.Process(os.getpid()).children()
    return [one for one in own if "nas.evaluation.member" in " ".join(one.cmdline())]


@pytest.mark.parametrize("count", [1, 2, 7, 128])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_parts_of_a_batch_are_all_of_it_and_weigh_as_much(count: int, size: int) -> None:
    members = [Team(rank, size) for rank in range(size)]
    losses = torch.arange(count, dtype=torch.float64)
    parts = [losses[member.part(count)] for member in members]
    assert torch.equal(torch.cat(parts), losses)
    told = [member.weigh(part.mean(), count) for member, part in zip(members, parts, strict=True) if len(part)]
    assert float(sum(told)) / size == pytest.approx(float(losses.mean()))


def test_small_networks_are_not_worth_a_team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    wide = {"space": SpaceSpec("resnet", {"stems": (256,)}), "choices": (0,) * 12}
    small, large = (digits(tmp_path, training=Training(batch_size=size), **wide) for size in (64, 512))
    assert size_of_team(small, graph_of(small)) == 1
    assert size_of_team(large, graph_of(large)) == 4
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert size_of_team(large, graph_of(large)) == 1

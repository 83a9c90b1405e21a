"""Searches by gradient on digits, small enough for a test."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nas.datasets.catalogue import dataset
from nas.evaluation.networks import Network
from nas.evaluation.protocol import Job, Split, Training
from nas.evaluation.relaxed.chain import RelaxedChain
from nas.evaluation.relaxed.nasbench201 import RelaxedNasBench201
from nas.evaluation.relaxed.nasnet import RelaxedNasNet
from nas.evaluation.relaxed.search import Relaxed
from nas.events import EpochSearched, Event
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.chain import Chain
from nas.spaces.nasbench201 import NasBench201
from nas.spaces.nasnet import NasNet

TASK = dataset("digits").task
CELLS = SpaceSpec("nasbench201", {"cells": 1, "channels": 4, "operations": ("none", "skip_connect", "nor_conv_3x3")})
TWO_CELLS = SpaceSpec("nasnet", {"cells": 3, "channels": 4, "nodes": 2, "stem_multiplier": 1})
LAYERS = SpaceSpec("chain", {"max_layers": 4, "filters": (4, 8)})
SPACES = {"nasbench201": CELLS, "nasnet": TWO_CELLS, "chain": LAYERS}
BENCH = RelaxedNasBench201(NasBench201(TASK, cells=1, channels=4))
CHAIN = RelaxedChain(Chain(TASK, max_layers=4, filters=(4, 8)))
DARTS = RelaxedNasNet(NasNet(TASK, cells=3, channels=4, nodes=2, stem_multiplier=1))


def digits(workdir: Path, strategy: str, **changes: Any) -> Job:
    """A search of two epochs that is over in a second."""
    job = Job(
        space=CELLS,
        choices=(),
        split=Split("digits", valid_share=0.5),
        training=Training(),
        epochs=2,
        seed=1,
        stage="search",
        workdir=str(workdir),
        evaluator="relaxed",
        strategy=strategy,
        strategy_settings={"batch_size": 128},
    )
    return replace(job, **changes)


def events(job: Job) -> list[Event]:
    """All that the evaluator says of a job."""
    return list(Relaxed().evaluate(job))


def told(said: list[Event]) -> list[EpochSearched]:
    """The epochs, without their times."""
    epochs = [event for event in said if isinstance(event, EpochSearched)]
    return [replace(epoch, metrics={**epoch.metrics, "training_seconds": 0.0}) for epoch in epochs]


def images(count: int, channels: int = 1, side: int = 8) -> torch.Tensor:
    """Random images."""
    return torch.randn(count, channels, side, side, generator=torch.Generator().manual_seed(0))


def weights_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Every weight of the networks inside a module, under the name it has in its own network."""
    parts = [part for part in module.modules() if isinstance(part, Network)]
    return {name: value for part in parts for name, value in part.state_dict().items()}

"""Trains shared weights on one path at a time.

Uniform paths: Guo et al., "Single path one-shot neural architecture search with uniform sampling", ECCV 2020.
Paths that the strategy proposes: Pham et al., "Efficient neural architecture search via parameter sharing", ICML 2018.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from math import isfinite
from random import Random

import torch
from torch import Tensor

from nas.evaluation.augmentation import Augmentation
from nas.evaluation.batches import Batch, Epochs, Scale
from nas.evaluation.datasets import Data
from nas.evaluation.devices import device, precision
from nas.evaluation.loss import loss
from nas.evaluation.networks import Network, build
from nas.evaluation.protocol import Job
from nas.evaluation.shared.checkpoint import Progress, SharedCheckpoint
from nas.evaluation.shared.weights import SharedWeights
from nas.evaluation.streams import batches_of
from nas.events import EpochEnded, EvaluationFailed
from nas.spaces import moves
from nas.spaces.graph import Graph
from nas.spaces.protocol import SearchSpace

LAST_RATE = 0.01  # of the first one


@dataclass(frozen=True)
class SharedTraining:
    """The training of a run's shared weights, as far as a job has part in it."""

    job: Job
    space: SearchSpace
    data: Data
    weights: SharedWeights
    checkpoint: SharedCheckpoint

    def epochs(self, progress: Progress) -> Iterator[tuple[EpochEnded, Progress]]:
        """Train the epochs that are missing, each saved before it is told; resumes exactly."""
        asked = self.job.supernet
        before = progress.epochs[-1].seconds if progress.epochs else 0.0
        started = time.perf_counter()
        for epoch in range(len(progress.epochs) + 1, asked.epochs + 1):
            total = torch.zeros((), device=device())
            count = self._batches.count
            for step, batch in enumerate(self._batches.epoch(epoch)):
                done = (epoch - 1 + step / count) / asked.epochs
                total += self._step(self._path(epoch, step), batch, self._rate(done))
            seconds = before + time.perf_counter() - started
            mean = finite(float(total) / count, epoch)
            point = EpochEnded(epoch, asked.epochs, mean, None, None, round(seconds, 4))
            progress = replace(progress, epochs=(*progress.epochs, point))
            self.checkpoint.save(self.weights, progress)
            yield point, progress

    def on_candidate(self, graph: Graph, key: str, progress: Progress) -> Progress:
        """Train a few batches on a proposed network alone, once, however often its evaluation is tried."""
        if key in progress.candidates:
            return progress
        turn = 1 + self.job.supernet.epochs + len(progress.candidates)
        network = build(graph, self.job.seed).to(device())
        for batch in islice(self._batches.epoch(turn), self.job.supernet.steps):
            finite(float(self._step(network, batch, self._rate(1.0))), turn)
        progress = replace(progress, candidates=(*progress.candidates, key))
        self.checkpoint.save(self.weights, progress)
        return progress

    def _step(self, network: Network, batch: Batch, rate: float) -> Tensor:
        inputs, labels = batch
        network.train()
        with precision(inputs.device, network.graph.multiply_adds):
            outputs = self.weights.outputs(network, inputs)
        found = loss(outputs.float(), labels)
        found.backward()  # type: ignore[no-untyped-call]
        self.weights.descend(network, rate=rate, decay=self.job.supernet.weight_decay, clip=5.0)
        return found.detach()

    def _rate(self, done: float) -> float:
        """Fall in a straight line, or stay where the weights go on learning while the strategy proposes."""
        asked = self.job.supernet
        share = 1.0 if asked.sampling == "proposals" else 1 - (1 - LAST_RATE) * done
        return asked.learning_rate * share

    def _path(self, epoch: int, step: int) -> Network:
        drawn = moves.sample(self.space, Random(f"{self.job.seed}/{epoch}/{step}/path"))
        return build(self.space.graph(drawn), self.job.seed).to(device())

    @property
    def _batches(self) -> Epochs:
        training = self.job.training
        return batches_of(
            self.data.train,
            Scale.of(self.data, device()),
            size=self.job.supernet.batch_size,
            seed=self.job.seed,
            augment=training.augment,
            mirrors=self.data.mirrors,
            augmentation=Augmentation.of(training),
        )


def finite(value: float, epoch: int) -> float:
    """Return the loss; raises EvaluationFailed where it is no number any more."""
    if not isfinite(value):
        raise EvaluationFailed(
            "nan", "The shared weights diverged in epoch {epoch}: their loss is no longer a number.", epoch=epoch
        )
    return value

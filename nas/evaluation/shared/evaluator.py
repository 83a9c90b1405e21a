"""The evaluator that measures each network by weights that all of them share, trained once per run."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from nas import codec
from nas.architecture import Architecture
from nas.datasets.catalogue import dataset
from nas.evaluation.batches import Scale
from nas.evaluation.datasets import Data
from nas.evaluation.devices import device
from nas.evaluation.failures import guarded
from nas.evaluation.measurement import validated
from nas.evaluation.networks import Network, build
from nas.evaluation.protocol import Job
from nas.evaluation.scoring import validation_metrics
from nas.evaluation.shared.checkpoint import SharedCheckpoint
from nas.evaluation.shared.training import SharedTraining
from nas.evaluation.shared.weights import SharedWeights
from nas.evaluation.streams import batches_of
from nas.evaluation.trained import data_of, graph_of
from nas.evaluation.training import predict
from nas.events import EpochEnded, Event, Measured, Prepared
from nas.spaces import catalogue

OF_TRAINING = ("training_seconds", "epochs")  # what validated() says of a training, which this network had none of


@dataclass(frozen=True)
class Inherited:
    """Measures a job's network on validation, with the shared weights of its run; the first job trains them.

    Whoever comes while they are trained waits. Where the strategy's proposals go on training them, one job at a time
    does so, in the order in which they come.
    """

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield the epochs that the weights still needed, then the measurement, or how it ended; never raises."""
        return guarded(_evaluate(job), job.shared)


def _evaluate(job: Job) -> Iterator[Event]:
    graph, data = graph_of(job), data_of(job)
    where = device()
    yield Prepared(data.fingerprint, str(where))
    space = catalogue.build(job.space, dataset(job.split.dataset).task)
    weights = SharedWeights(job.seed, where)
    checkpoint = SharedCheckpoint(Path(job.shared), _identity(job, data))
    training = SharedTraining(job, space, data, weights, checkpoint)
    progress = checkpoint.restore(weights)
    if len(progress.epochs) < job.supernet.epochs or job.supernet.sampling == "proposals":
        with checkpoint.held():
            progress = checkpoint.restore(weights)  # another one may have trained them meanwhile
            for point, now in training.epochs(progress):
                progress = now
                yield point
            if job.supernet.sampling == "proposals":
                training.on_candidate(graph, Architecture(job.space.kind, job.choices).key, progress)
    network = build(graph, job.seed).to(where)
    weights.inherit(network)
    scale = Scale.of(data, where)
    recalibrate(network, data, scale, job)
    yield Measured(_measured(job, data, network, scale))


def _measured(job: Job, data: Data, network: Network, scale: Scale) -> dict[str, float]:
    valid = data.valid.to(scale.offset.device)
    found = validation_metrics(predict(network, valid, scale), valid.labels)
    last = EpochEnded(0, 0, 0.0, found["loss"], found.get("accuracy"), 0.0)
    return {
        name: value for name, value in validated(job, data, network, scale, last).items() if name not in OF_TRAINING
    }


@torch.no_grad()
def recalibrate(network: Network, data: Data, scale: Scale, job: Job) -> None:
    """Take the statistics of batch normalisation anew from training inputs, as they are (Guo et al., section 3.4).

    Those of the training are a mixture of all paths, which fits none of them.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over the batches
    size = job.supernet.batch_size
    batches = batches_of(data.train, scale, size=size, seed=job.seed, augment=False, mirrors=False)
    network.train()
    for inputs, _ in islice(batches.epoch(1), job.supernet.recalibration):
        network(inputs)
    network.eval()


def _identity(job: Job, data: Data) -> str:
    """Everything that the shared weights depend on: those of anything else are not gone on with."""
    about = {name: codec.dump(job)[name] for name in ("space", "supernet", "training", "seed")}
    return hashlib.sha256(json.dumps([about, data.fingerprint], sort_keys=True).encode()).hexdigest()

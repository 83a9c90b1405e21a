"""The evaluator that trains each network from scratch."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nas import codec
from nas.architecture import Architecture
from nas.datasets.catalogue import dataset
from nas.evaluation.augmentation import Augmentation
from nas.evaluation.batches import Batches, Scale
from nas.evaluation.checkpoints import Checkpoint
from nas.evaluation.datasets import Data, load
from nas.evaluation.devices import device
from nas.evaluation.failures import ended
from nas.evaluation.measurement import Joules, tested, validated
from nas.evaluation.networks import Network, build
from nas.evaluation.protocol import Job
from nas.evaluation.stopping import accuracies, has_stalled, is_hopeless
from nas.evaluation.training import Trainer
from nas.events import EpochEnded, EvaluationFailed, Event, Measured, Prepared
from nas.sentences import Refused
from nas.spaces import catalogue
from nas.spaces.graph import Graph


@dataclass(frozen=True)
class Trained:
    """Trains a job's network and measures it: on validation while searching, on the test split in the end."""

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield an epoch after the other, then the measurement, or how it ended; never raises."""
        try:
            yield from _evaluate(job)
        except Exception as error:  # whatever goes wrong with one network must not end the search
            yield ended(error, job.workdir)


def graph_of(job: Job) -> Graph:
    """Return the network a job is about; raises EvaluationFailed with cause "invalid" where it is none."""
    try:
        space = catalogue.build(job.space, dataset(job.split.dataset).task)
        sizes = [len(decision.options) for decision in space.decisions]
        if len(sizes) != len(job.choices) or not all(0 <= c < n for c, n in zip(job.choices, sizes, strict=True)):
            raise Refused("{choices} are no choices of the space {space}.", choices=str(job.choices), space=space.name)
        return space.graph(space.canonical(Architecture(job.space.kind, job.choices)))
    except Refused as error:
        raise EvaluationFailed("invalid", error.sentence.template, **error.sentence.values) from error


def data_of(job: Job) -> Data:
    """Return the data of a job; raises EvaluationFailed where they are no longer those of its run."""
    data = load(job.split, tuple(Path(folder) for folder in job.data_dirs))
    if job.fingerprint and job.fingerprint != data.fingerprint:
        raise EvaluationFailed("error", "{title} has changed since the run began.", title=data.known.title)
    return data


def _evaluate(job: Job) -> Iterator[Event]:
    graph, data = graph_of(job), data_of(job)
    where = device()
    yield Prepared(data.fingerprint, str(where))
    scale = Scale.of(data, where)
    network = build(graph, job.seed).to(where)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    final = job.stage == "final"
    curve: list[EpochEnded] = []
    joules = Joules(job)
    epochs = job.until or job.epochs
    for point in _trainer(job, data, network, scale, final).train():
        curve.append(point)
        yield point
        if has_stalled(curve, job.training.patience):
            break  # it has learned what it can: its numbers compare with those of all the epochs
        if not final and is_hopeless(job.policy, accuracies(curve), job.peers, epochs):
            epochs = point.epoch
            break
    spent = joules.metrics()
    if final:
        measured = tested(job, data, network, scale, curve[-1].seconds)
        yield replace(measured, metrics={**measured.metrics, **spent})
    else:
        yield Measured(validated(job, data, network, scale, curve[-1]) | spent | {"epochs": epochs})


def _trainer(job: Job, data: Data, network: Network, scale: Scale, final: bool) -> Trainer:
    where = next(network.parameters()).device
    part = (data.train.join(data.valid) if final else data.train).to(where)
    batches = Batches(
        part,
        scale,
        size=job.training.batch_size,
        seed=job.seed,
        augment=job.training.augment,
        mirrors=data.mirrors,
        augmentation=Augmentation.of(job.training),
    )
    return Trainer(
        network,
        batches,
        job.training,
        job.epochs,
        scale,
        None if final else data.valid.to(where),
        Checkpoint(Path(job.workdir), _identity(job, data)),
        job.until,
    )


def _identity(job: Job, data: Data) -> str:
    """Everything that the weights depend on: a checkpoint of anything else is not resumed."""
    about = {name: codec.dump(job)[name] for name in ("space", "choices", "training", "epochs", "seed", "stage")}
    text = json.dumps([about, data.fingerprint], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

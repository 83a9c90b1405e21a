"""The evaluator that trains each network from scratch."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from nas import codec
from nas.architecture import Architecture
from nas.datasets import dataset
from nas.evaluation import costs
from nas.evaluation.batches import EVALUATION_BATCH, Batches, Scale
from nas.evaluation.checkpoints import Checkpoint
from nas.evaluation.datasets import Data, Part, load
from nas.evaluation.devices import device, device_name
from nas.evaluation.failures import ended
from nas.evaluation.networks import Network, build
from nas.evaluation.protocol import Job
from nas.evaluation.scoring import evidence, test_metrics, validation_metrics
from nas.evaluation.stopping import accuracies, is_hopeless
from nas.evaluation.training import Trainer, predict
from nas.events import EpochEnded, EvaluationFailed, Event, Measured, Prepared
from nas.sentences import Refused
from nas.spaces import catalogue
from nas.spaces.graph import Graph

SEARCH_TIMING = 0.005  # seconds given to the latency of a candidate


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
    for point in _trainer(job, data, network, scale, final).train():
        curve.append(point)
        yield point
        if not final and is_hopeless(job.policy, accuracies(curve), job.peers, job.until or job.epochs):
            break
    if final:
        yield _tested(job, data, network, scale, curve[-1].seconds)
    else:
        yield _validated(data, network, scale, curve[-1])


def _validated(data: Data, network: Network, scale: Scale, last: EpochEnded) -> Measured:
    """Take accuracy and loss from the last epoch, which measured the whole validation part."""
    image = scale(data.valid.images[:1].to(scale.offset.device))
    metrics: dict[str, float] = {**network.graph.costs, "training_seconds": last.seconds, "epochs": last.epoch}
    if last.valid_accuracy is not None and last.valid_loss is not None:
        metrics |= {"accuracy": last.valid_accuracy, "loss": last.valid_loss}
    return Measured(metrics | {"latency_ms": costs.latency(network, image, seconds=SEARCH_TIMING).median_ms})


def _tested(job: Job, data: Data, network: Network, scale: Scale, seconds: float) -> Measured:
    """Measure the test split, in float32 as the exported files compute, and write those files where asked for."""
    held = data.test.to(scale.offset.device)
    speed = costs.latency(network, scale(held.images[:1]))
    logits = predict(network, held, scale, exact=True)
    metrics = test_metrics(logits, held.labels) | network.graph.costs
    metrics |= {
        "generalisation_gap": _training_accuracy(data, network, scale, len(held)) - metrics["accuracy"],
        "latency_ms": speed.median_ms,
        "latency_p95_ms": speed.p95_ms,
        "training_seconds": seconds,
        "images_per_second": costs.throughput(network, scale(held.images[:EVALUATION_BATCH])),
    }
    shown = evidence(logits, held.labels)
    if not job.export:
        return Measured(metrics, evidence=shown)
    # The exporters' imports take a second that only the winner needs to pay.
    from nas.evaluation.export import package

    name = device_name(scale.offset.device)
    return Measured(metrics, package.write(job, network, data, metrics, name), shown)


def _training_accuracy(data: Data, network: Network, scale: Scale, most: int) -> float:
    """Return the accuracy on as many of the images that were learned from, which is not touched by augmentation."""
    part = Part(data.train.images[:most], data.train.labels[:most]).to(scale.offset.device)
    return validation_metrics(predict(network, part, scale, exact=True), part.labels)["accuracy"]


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

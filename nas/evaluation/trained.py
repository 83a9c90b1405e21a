"""The evaluator that trains each network from scratch."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch

from nas import codec
from nas.architecture import Architecture
from nas.datasets.catalogue import dataset
from nas.evaluation.augmentation import Augmentation
from nas.evaluation.batches import Scale
from nas.evaluation.checkpoints import Checkpoint
from nas.evaluation.datasets import Data, load
from nas.evaluation.devices import device
from nas.evaluation.failures import guarded, ran_out
from nas.evaluation.fidelity import percent, reduced_space, reduced_task
from nas.evaluation.measurement import Joules, tested, validated
from nas.evaluation.networks import Network, build
from nas.evaluation.protocol import Fidelity, Job, Training
from nas.evaluation.reduced import load_reduced
from nas.evaluation.stopping import accuracies, has_stalled, is_hopeless
from nas.evaluation.streams import batches_of
from nas.evaluation.team import gathered, size_of_team, team
from nas.evaluation.training import Trainer
from nas.events import EpochEnded, EvaluationFailed, Event, Measured, Noted, Prepared
from nas.reference import TORCHVISION
from nas.sentences import Refused, Sentence, Value
from nas.spaces import catalogue
from nas.spaces.graph import Graph

HALVED = "It did not fit into the memory with {size} images per step, and is trained with {half}."
IDENTITY = ("space", "choices", "training", "fidelity", "epochs", "seed", "stage")


@dataclass(frozen=True)
class Trained:
    """Trains a job's network and measures it: on validation while searching, on the test split in the end."""

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield an epoch after the other, then the measurement, or how it ended; never raises."""
        return guarded(_evaluate(job), job.workdir)


def graph_of(job: Job, fidelity: Fidelity = Fidelity()) -> Graph:  # noqa: B008 it is frozen
    """Return the network a job is about, or what a fidelity leaves of it.

    Raises EvaluationFailed with cause "invalid" where it is none.
    """
    try:
        task = reduced_task(dataset(job.split.dataset).task, fidelity)
        space = catalogue.build(reduced_space(job.space, fidelity), task)
        sizes = [len(decision.options) for decision in space.decisions]
        if len(sizes) != len(job.choices) or not all(0 <= c < n for c, n in zip(job.choices, sizes, strict=True)):
            raise Refused("{choices} are no choices of the space {space}.", choices=str(job.choices), space=space.name)
        return space.graph(space.canonical(Architecture(job.space.kind, job.choices)))
    except Refused as error:
        raise EvaluationFailed("invalid", error.sentence.template, **error.sentence.values) from error


def data_of(job: Job) -> Data:
    """Return the data of a job at its fidelity.

    Raises EvaluationFailed with the cause "data" where they cannot be read or are no longer those of its run.
    """
    roots = tuple(Path(folder) for folder in job.data_dirs)
    try:
        data = load(job.split, roots) if job.fidelity.is_whole else load_reduced(job.split, roots, job.fidelity)
    except Refused as error:
        raise EvaluationFailed("data", error.sentence.template, **error.sentence.values) from error
    if job.fingerprint and job.fingerprint != data.fingerprint:
        raise EvaluationFailed("data", "{title} has changed since the run began.", title=data.known.title)
    return data


def _evaluate(job: Job) -> Iterator[Event]:
    data, where = data_of(job), device()
    # A network of torchvision has no graph of ours.
    graph = None if job.space.kind == TORCHVISION else graph_of(job)
    yield Prepared(data.fingerprint, str(where))
    size = size_of_team(job, graph)
    try:
        with gathered(job, size):
            yield from _attempt(job, graph, data, where)
    except Exception as error:
        half = _half(job.training)
        # Who follows in a team cannot try again alone.
        if not ran_out(error) or half is None or team().size > 1:
            raise
    else:
        return
    # Out here the exception is gone, and with it the tensors that its frames held.
    if where.type == "cuda":
        torch.cuda.empty_cache()
    values: dict[str, Value] = {"size": job.training.batch_size, "half": half.batch_size}
    yield Noted(Sentence(HALVED, values))
    halved = replace(job, training=half)
    with gathered(halved, size):
        yield from _attempt(halved, graph, data, where)


def _half(training: Training) -> Training | None:
    """Return half the batch and, as it is the mean over half as many, half the rate; None of a batch of one or two."""
    if training.batch_size < 4:
        return None
    return replace(training, batch_size=training.batch_size // 2, learning_rate=training.learning_rate / 2)


def _attempt(job: Job, graph: Graph | None, data: Data, where: torch.device) -> Iterator[Event]:
    scale = Scale.of(data, where)
    job = _timed(job, graph, data, scale)
    network = _built(job, graph, data, where)
    final = job.stage == "final"
    curve: list[EpochEnded] = []
    joules = Joules(job)
    epochs = job.until or job.epochs
    for point in _trainer(job, data, network, scale, final).train():
        curve.append(point)
        yield point
        if team().rank:
            continue  # who leads measures, and decides
        if has_stalled(curve, job.training.patience):
            break  # it has learned what it can: its numbers compare with those of all the epochs
        if not final and is_hopeless(job.policy, accuracies(curve), job.peers, epochs):
            epochs = point.epoch
            break
    if team().rank:
        return
    spent = joules.metrics()
    if final:
        measured = tested(job, data, network, scale, curve[-1])
        yield replace(measured, metrics={**measured.metrics, **spent})
    else:
        # Sizes are those of the candidate itself, whatever was trained in its place.
        own = {**(graph.costs if graph else {}), **spent, "epochs": epochs, **_rung(job)}
        yield Measured(validated(job, data, network, scale, curve[-1]) | own)


def _built(job: Job, graph: Graph | None, data: Data, where: torch.device) -> Network:
    if graph is None:
        # torchvision takes a second to import, which no other job shall pay.
        from nas.evaluation import foreign

        name = str(job.space.settings.get("network"))
        network = cast(Network, foreign.build(name, data.known.task, job.seed))
    else:
        network = build(graph_of(job, job.fidelity) if job.fidelity.is_reduced else graph, job.seed)
    network.to(where)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _timed(job: Job, graph: Graph | None, data: Data, scale: Scale) -> Job:
    """Return the job with as many epochs as fit into its seconds, which one on trial tells; noted for a resume."""
    if not job.seconds:
        return job
    noted = Path(job.workdir) / "epochs.txt"
    if not noted.exists():
        where = scale.offset.device
        trial = replace(job, epochs=1, workdir=str(Path(job.workdir) / "trial"))
        *_, last = _trainer(trial, data, _built(trial, graph, data, where), scale, final=True).train()
        noted.parent.mkdir(parents=True, exist_ok=True)
        noted.write_text(str(max(1, round(job.seconds / last.seconds))), encoding="utf-8")
    return replace(job, epochs=int(noted.read_text(encoding="utf-8")))


def _trainer(job: Job, data: Data, network: Network, scale: Scale, final: bool) -> Trainer:
    where = next(network.parameters()).device
    joined = final and not job.holds_validation
    batches = batches_of(
        data.train.join(data.valid) if joined else data.train,
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
        None if joined or team().rank else data.valid.to(where),
        Checkpoint(Path(job.workdir), _identity(job, data), job.fidelity.rungs, percent(job.fidelity)),
        job.until,
    )


def _rung(job: Job) -> dict[str, float]:
    """Return how much of that which the rungs are of it was trained with, in percent; of epochs that is known."""
    found = percent(job.fidelity)
    return {} if found is None else {job.fidelity.rungs: found}


def _identity(job: Job, data: Data) -> str:
    """Everything that the weights depend on: a checkpoint of anything else is not resumed."""
    about = {name: codec.dump(job)[name] for name in IDENTITY}
    text = json.dumps([about, data.fingerprint], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

"""What a trained network is measured by: on validation while searching, on the test split in the end."""

from collections.abc import Callable, Mapping

import torch

from nas.evaluation import costs, energy
from nas.evaluation.batches import EVALUATION_BATCH, Scale
from nas.evaluation.datasets import Data, Part
from nas.evaluation.devices import device_name
from nas.evaluation.loss import loss
from nas.evaluation.memory import peak_megabytes
from nas.evaluation.networks import Network
from nas.evaluation.protocol import Job
from nas.evaluation.scoring import OF_CLASSES, OF_NUMBERS, evidence, quality_metrics, test_metrics
from nas.evaluation.training import predict
from nas.events import EpochEnded, EvaluationFailed, Measured
from nas.objectives import METRICS, VALIDATION, Metric

SEARCH_TIMING = 0.005  # seconds given to the latency of a candidate that is not compared by it
AIM_TIMING = 0.1  # and of one that is
COST = Metric("", "min", "")
TIMED = ("latency_ms", "latency_p95_ms")


class Joules:
    """The energy since this was made, where the job asks for it."""

    def __init__(self, job: Job) -> None:
        self._asked = "energy_joules" in job.columns
        self._meter = energy.meter() if self._asked or job.stage == "final" else None
        self._before = self._meter.joules() if self._meter else ()

    def metrics(self) -> dict[str, float]:
        """Return the metric; raises EvaluationFailed where it was asked for and this device has no counter."""
        if self._meter:
            return {"energy_joules": energy.used(self._meter, self._before)}
        if self._asked:
            raise EvaluationFailed("error", "The device of this worker does not tell how much energy it uses.")
        return {}


def validated(job: Job, data: Data, network: Network, scale: Scale, last: EpochEnded) -> dict[str, float]:
    """Return accuracy and loss of the last epoch, which measured all of validation, and what the job asks for."""
    metrics: dict[str, float] = {**network.graph.costs, "training_seconds": last.seconds, "epochs": last.epoch}
    if last.valid_accuracy is not None:
        metrics |= {"accuracy": last.valid_accuracy}
    if last.valid_loss is not None:
        metrics |= {"loss": last.valid_loss}
    asked = set(job.columns) - set(metrics)
    valid = data.valid.to(scale.offset.device)
    metrics |= _costs(job, network, scale, valid, asked)
    if data.known.task.goal == "number":
        asked |= {*OF_NUMBERS}
    if asked & {*OF_CLASSES, *OF_NUMBERS}:
        metrics |= quality_metrics(predict(network, valid, scale), valid.labels, asked, data.unit)
    if "generalisation_gap" in asked:
        metrics["generalisation_gap"] = _gap(data, network, scale, len(valid), metrics)
    return metrics


def tested(job: Job, data: Data, network: Network, scale: Scale, last: EpochEnded) -> Measured:
    """Measure the test split, in float32 as the exported files compute, and write those files where asked for."""
    held = data.test.to(scale.offset.device)
    logits = predict(network, held, scale, exact=True)
    metrics = test_metrics(logits, held.labels, data.unit) | network.graph.costs | {"training_seconds": last.seconds}
    metrics["generalisation_gap"] = _gap(data, network, scale, len(held), metrics)
    metrics |= _costs(job, network, scale, held, {*TIMED, "file_kb", "peak_memory_mb", "images_per_second"})
    if job.holds_validation:
        metrics |= _kept_apart(job, data, network, scale, last)
    shown = evidence(logits, held.labels)
    if not job.export:
        return Measured(metrics, evidence=shown)
    # The exporters' imports take a second that only the winner needs to pay.
    from nas.evaluation.export import package

    name = device_name(scale.offset.device)
    made = package.write(job, network, data, metrics, name)
    return Measured({**metrics, **made.metrics}, made.files, shown, made.missing)


def _kept_apart(job: Job, data: Data, network: Network, scale: Scale, last: EpochEnded) -> dict[str, float]:
    """Return the qualities on validation, by which finalists are told apart."""
    found = validated(job, data, network, scale, last)
    return {f"{VALIDATION}{name}": value for name, value in found.items() if METRICS.get(name, COST).is_quality}


def _costs(job: Job, network: Network, scale: Scale, part: Part, asked: set[str]) -> dict[str, float]:
    """Return the latency, which is always known, if roughly, and those costs that are asked for."""
    found: dict[str, float] = {}
    precise = job.stage == "final" or not asked.isdisjoint(TIMED)
    images = scale(part.inputs[: job.measuring.latency_batch])
    speed = costs.latency(network, images, seconds=AIM_TIMING if precise else SEARCH_TIMING)
    found["latency_ms"] = speed.median_ms
    measures: dict[str, Callable[[], float]] = {
        "latency_p95_ms": lambda: speed.p95_ms,
        "file_kb": lambda: costs.file_kilobytes(network),
        "images_per_second": lambda: costs.throughput(network, scale(part.inputs[:EVALUATION_BATCH])),
        "peak_memory_mb": lambda: _peak_memory(job, network, scale, part),
    }
    return found | {name: measure() for name, measure in measures.items() if name in asked}


def _peak_memory(job: Job, network: Network, scale: Scale, part: Part) -> float:
    size = min(job.training.batch_size, len(part))
    labels = part.labels[:size]

    return peak_megabytes(network, scale(part.inputs[:size]), lambda outputs: loss(outputs, labels))


def _gap(data: Data, network: Network, scale: Scale, most: int, measured: Mapping[str, float]) -> float:
    """Return how much accuracy, or R² of numbers, in percent, is higher on `most` of what was learned from.

    They are not touched by augmentation.
    """
    compared, times = ("accuracy", 1) if "accuracy" in measured else ("r2", 100)
    part = data.train.pick(torch.arange(min(most, len(data.train)))).to(scale.offset.device)
    outputs = predict(network, part, scale, exact=True)
    return times * (quality_metrics(outputs, part.labels, (compared,))[compared] - measured[compared])

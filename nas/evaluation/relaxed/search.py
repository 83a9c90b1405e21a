"""The evaluator that is a whole search: it trains a supernet and alpha together, and ends in an architecture."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from pathlib import Path

import torch
from torch import Generator, Tensor

from nas import codec
from nas.evaluation.batches import EVALUATION_BATCH, Epochs, Scale
from nas.evaluation.datasets import Data
from nas.evaluation.devices import device
from nas.evaluation.failures import guarded
from nas.evaluation.protocol import Job
from nas.evaluation.relaxed import trace
from nas.evaluation.relaxed.catalogue import Method, method, relaxation
from nas.evaluation.relaxed.checkpoint import SearchCheckpoint
from nas.evaluation.relaxed.descent import Learner, cosine
from nas.evaluation.relaxed.relaxation import Relaxation
from nas.evaluation.relaxed.supernet import Supernet, one_hot
from nas.evaluation.scoring import validation_metrics
from nas.evaluation.streams import batches_of
from nas.evaluation.trained import data_of
from nas.events import Derived, EpochSearched, EvaluationFailed, Event, Prepared
from nas.gradient import GRADIENT, Descent, PcDarts
from nas.settings import configure
from nas.spaces import catalogue
from nas.spaces.protocol import SearchSpace

CHECKPOINT_SECONDS = 1.0
NONE = "none"
SPREAD = 1_000_003  # keeps the sources of randomness apart


@dataclass(frozen=True)
class Relaxed:
    """Runs a job's strategy for its epochs on the training part, and derives an architecture after each of them."""

    def evaluate(self, job: Job) -> Iterator[Event]:
        """Yield an epoch after the other, then the architecture, or how it ended; never raises."""
        return guarded(_evaluate(job), job.workdir)


def _evaluate(job: Job) -> Iterator[Event]:
    data = data_of(job)
    where = device()
    yield Prepared(data.fingerprint, str(where))
    search = GradientSearch(job, data, where)
    said: list[EpochSearched] = []
    for epoch in search.epochs():
        said.append(epoch)
        yield epoch
    learned = said[search.settings.warming(job.epochs) :]
    chosen = trace.before_collapse(learned, search.settings.stop_at_collapse)
    yield Derived(chosen.architecture, chosen.epoch)


@dataclass
class GradientSearch:
    """One search on data that are read: the supernet, the method, and the images that each of them learns from."""

    job: Job
    data: Data
    where: torch.device
    settings: Descent = field(init=False)
    space: SearchSpace = field(init=False)
    relaxed: Relaxation = field(init=False)

    def __post_init__(self) -> None:
        self.settings = configure(GRADIENT[self.job.strategy], self.job.strategy_settings)
        self.space = catalogue.build(self.job.space, self.data.known.task)
        self.relaxed = relaxation(self.space)

    def epochs(self) -> Iterator[EpochSearched]:
        """Yield every epoch, those of earlier attempts first; raises EvaluationFailed where it diverges.

        Resumes exactly: all randomness follows from the seed and the epoch. It ends early where the settings say so.
        """
        learner, method = self.learner, self.method
        kept = (("supernet", learner.supernet, learner.weights), ("method", method, learner.alpha))
        checkpoint = SearchCheckpoint(Path(self.job.workdir), _identity(self.job, self.data))
        found = checkpoint.restore(kept)
        yield from found
        before = found[-1].metrics["training_seconds"] if found else 0.0
        started = saved = time.perf_counter()
        for epoch in range(len(found) + 1, self.job.epochs + 1):
            learned = found[self.settings.warming(self.job.epochs) :]
            if trace.has_collapsed(learned, self.settings.stop_at_collapse):
                break
            losses = self._train(epoch)
            seconds = before + time.perf_counter() - started
            found.append(self._searched(epoch, losses, seconds))
            if time.perf_counter() - saved >= CHECKPOINT_SECONDS or epoch == self.job.epochs:
                checkpoint.save(kept, found)
                saved = time.perf_counter()
            yield found[-1]

    @cached_property
    def method(self) -> Method:
        """The method with its alpha, on the device."""
        made = method(self.settings, self.relaxed.edges, Generator().manual_seed(self.job.seed))
        return made.to(self.where)

    @cached_property
    def supernet(self) -> Supernet:
        """The supernet, on the device."""
        parts = self.settings.parts if isinstance(self.settings, PcDarts) else 1
        made = self.relaxed.supernet(self.job.seed, parts).to(self.where)
        made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return made

    @cached_property
    def learner(self) -> Learner:
        """The supernet with the optimisers of both."""
        learning = self.job.epochs - self.settings.warming(self.job.epochs)
        steps = learning * min(part.count for part in self._parts)
        return Learner.of(self.supernet, self.method, self.settings, steps)

    @cached_property
    def _scale(self) -> Scale:
        return Scale.of(self.data, self.where)

    @cached_property
    def _parts(self) -> list[Epochs]:
        """The images that the weights learn from, then those that alpha does, where a method has it learn from others.

        They are two halves of the training part; the validation part only measures.
        """
        order = torch.randperm(len(self.data.train), generator=Generator().manual_seed(self.job.seed))
        halves = order.chunk(2) if self.method.halves else (order,)
        return [self._batches(half, self.job.seed + SPREAD * index) for index, half in enumerate(halves)]

    def _batches(self, indices: Tensor, seed: int) -> Epochs:
        part, size = self.data.train.pick(indices), self.settings.batch_size
        augment, mirrors = self.job.training.augment, self.data.mirrors
        return batches_of(part, self._scale, size=size, seed=seed, augment=augment, mirrors=mirrors)

    def _train(self, epoch: int) -> dict[str, float]:
        """Take every step of an epoch and return the mean losses of the weights and of alpha."""
        self.method.begin_epoch((epoch - 1) / max(1, self.job.epochs - 1))
        self.learner.resting = epoch <= self.settings.warming(self.job.epochs)
        (group,) = self.learner.weights.param_groups
        first, last = self.settings.learning_rate, self.settings.last_learning_rate
        group["lr"] = cosine(first, last, (epoch - 1) / self.job.epochs)
        draw = Generator().manual_seed((self.job.seed + 2 * SPREAD) * SPREAD + epoch)
        streams = [part.epoch(epoch) for part in self._parts]
        losses = [self.method.step(self.learner, some[0], some[-1], draw) for some in zip(*streams, strict=False)]
        means = torch.stack([torch.stack((one.weights, one.alpha)) for one in losses]).mean(0).tolist()
        if not all(isfinite(mean) for mean in means):
            raise EvaluationFailed(
                "nan", "The search diverged in epoch {epoch}: its loss is no longer a number.", epoch=epoch
            )
        return {"train_loss": means[0], "alpha_loss": means[1]}

    def _searched(self, epoch: int, losses: Mapping[str, float], seconds: float) -> EpochSearched:
        """Derive an architecture, and measure it under the shared weights on the validation part."""
        with torch.no_grad():
            chances, strengths = self.method.probabilities(), self.method.strengths()
        edges = self.relaxed.edges
        if NONE in edges.options and not self.settings.derive_none:  # DARTS, section 2.4
            strengths[:, edges.options.index(NONE)] = 0
        picked = self.relaxed.strongest(strengths)
        measured = self._measured(picked)
        architecture = self.relaxed.architecture(picked)
        costs = self.space.graph(architecture).costs
        return EpochSearched(
            epoch,
            self.job.epochs,
            architecture,
            {**measured, **costs, "training_seconds": round(seconds, 4), "epochs": epoch},
            {
                **losses,
                "valid_loss": measured["loss"],
                "entropy": trace.entropy(chances),
                **self._shares(picked),
                **self.method.trace(),
            },
            trace.table(edges, chances),
        )

    def _shares(self, picked: tuple[int, ...]) -> dict[str, float]:
        """Alpha that rests prefers nothing, so that there is no alarm while the weights warm up."""
        found = trace.shares(self.relaxed.edges, picked, self.relaxed.kept(picked))
        return found | {"collapse": 0.0} if self.learner.resting else found

    def _measured(self, picked: tuple[int, ...]) -> dict[str, float]:
        part, mixture = self.data.valid.to(self.where), one_hot(picked, len(self.relaxed.edges.options))
        # Equal batches: each is normalised by its own statistics, and a last one of a few images would have poor ones.
        batches = torch.arange(len(part)).chunk(-(-len(part) // EVALUATION_BATCH))
        with torch.no_grad():
            logits = torch.cat([self.supernet(self._scale(part.inputs[some]), mixture) for some in batches])
        return validation_metrics(logits.float(), part.labels)


def _identity(job: Job, data: Data) -> str:
    """Everything that the search depends on: a checkpoint of anything else is not resumed."""
    asked = ("space", "strategy", "strategy_settings", "training", "epochs", "seed")
    about = {name: codec.dump(job)[name] for name in asked}
    return hashlib.sha256(json.dumps([about, data.fingerprint], sort_keys=True).encode()).hexdigest()

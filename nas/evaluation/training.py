"""Trains a network, epoch by epoch."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from math import cos, isfinite, pi

import torch
from torch import Tensor, nn, optim

from nas.evaluation.augmentation import Mixing
from nas.evaluation.batches import Epochs, Scale, in_order
from nas.evaluation.checkpoints import Checkpoint
from nas.evaluation.datasets import Part
from nas.evaluation.devices import precision
from nas.evaluation.loss import loss as loss_of
from nas.evaluation.networks import Network
from nas.evaluation.protocol import Training
from nas.evaluation.scoring import validation_metrics
from nas.evaluation.team import Team, team
from nas.events import EpochEnded, EvaluationFailed

MOMENTUM = 0.9
RISE, WARM_UP = 0.3, 0.05
START, END = 1 / 25, 1e-4
CHECK_EVERY = 50
CHECKPOINT_SECONDS = 1.0


@dataclass(frozen=True)
class Trainer:
    """One network's training: its batches, how it learns, for how long, what measures it on the way.

    The schedule is that of `epochs`; a rung of it ends after `until`, 0 for all of them, and a later one goes on.
    """

    network: Network
    batches: Epochs
    training: Training
    epochs: int
    scale: Scale
    valid: Part | None
    checkpoint: Checkpoint | None = None
    until: int = 0

    def train(self) -> Iterator[EpochEnded]:
        """Yield every epoch's point, those of earlier attempts first; raises EvaluationFailed where it diverges.

        Resumes exactly: an interrupted and resumed training gives the same numbers as one that was not.
        """
        optimizer, members = _optimizer(self.network, self.training), team()
        curve = self.checkpoint.restore(self.network, optimizer) if self.checkpoint else []
        yield from curve
        before = curve[-1].seconds if curve else 0.0
        started = saved = time.perf_counter()
        last = self.until or self.epochs
        forward = members.wrap(self.network)
        for epoch in range(len(curve) + 1, last + 1):
            train_loss = self._epoch(epoch, optimizer, forward, members)
            loss, accuracy = self._validate()
            seconds = before + time.perf_counter() - started
            curve.append(EpochEnded(epoch, self.epochs, train_loss, loss, accuracy, round(seconds, 4)))
            due = time.perf_counter() - saved >= CHECKPOINT_SECONDS or epoch == last
            if self.checkpoint and (due or self.checkpoint.is_begun_from) and members.rank == 0:
                self.checkpoint.save(self.network, optimizer, curve)
                saved = time.perf_counter()
            yield curve[-1]

    def _epoch(self, epoch: int, optimizer: optim.Optimizer, forward: nn.Module, members: Team) -> float:
        self.network.train()
        parameters = list(self.network.parameters())
        steps = self.epochs * self.batches.count
        step = (epoch - 1) * self.batches.count
        total = torch.zeros((), device=parameters[0].device)
        mixing = Mixing(self.training.mixup, self.batches.seed, epoch) if self.is_mixed else None
        schedule = SCHEDULES[self.training.schedule]
        for images, labels in self.batches.epoch(epoch):
            for group in optimizer.param_groups:
                group["lr"] = self.training.learning_rate * schedule(step / steps)
            loss = self._loss(images, labels, mixing, forward, members)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if self.training.gradient_clip:
                nn.utils.clip_grad_norm_(parameters, self.training.gradient_clip)
            optimizer.step()
            total += loss.detach()
            step += 1
            if step % CHECK_EVERY == 0:
                _check(float(total), epoch)
        return _check(float(members.mean(total)), epoch) / self.batches.count

    @property
    def is_mixed(self) -> bool:
        """Whether images are mixed in pairs."""
        return self.training.augment and self.training.mixup > 0

    def _loss(self, images: Tensor, labels: Tensor, mixing: Mixing | None, forward: nn.Module, members: Team) -> Tensor:
        count, mine = len(images), members.part(len(images))
        # Mixed as a whole batch, so that it does not matter how many share it.
        mixed = mixing(images) if mixing is not None and images.is_floating_point() else None
        with precision(images.device, self.network.graph.multiply_adds):
            outputs = forward((mixed.images if mixed else images)[mine]).float()
        loss = self._told(outputs, labels[mine])
        if mixed:
            loss = torch.lerp(loss, self._told(outputs, labels[mixed.partners][mine]), mixed.share)
        return members.weigh(loss, count)

    def _told(self, outputs: Tensor, labels: Tensor) -> Tensor:
        return loss_of(outputs, labels, smoothing=self.training.label_smoothing)

    def _validate(self) -> tuple[float | None, float | None]:
        if self.valid is None:
            return None, None
        found = validation_metrics(predict(self.network, self.valid, self.scale), self.valid.labels)
        return found["loss"], found.get("accuracy")


def predict(network: Network, part: Part, scale: Scale, *, exact: bool = False) -> Tensor:
    """Return the outputs for a part's inputs, float32 (count, classes); `exact` computes in float32 throughout."""
    network.eval()
    reduced = nullcontext() if exact else precision(part.labels.device, network.graph.multiply_adds)
    with torch.inference_mode(), reduced:
        return torch.cat([network(images) for images, _ in in_order(part, scale)]).float()


def one_cycle(progress: float) -> float:
    """Return the share of the peak learning rate at a share of the training: up for 30 %, then down, as cosines."""
    if progress < RISE:
        return START + (1 - START) * (1 - cos(pi * progress / RISE)) / 2
    return END + (1 - END) * (1 + cos(pi * (progress - RISE) / (1 - RISE))) / 2


def cosine(progress: float) -> float:
    """Return the share of the peak learning rate: up in a straight line for 5 % of the training, then down as a cosine.

    Loshchilov and Hutter (2017), equation 5, without restarts.
    """
    if progress < WARM_UP:
        return START + (1 - START) * progress / WARM_UP
    return END + (1 - END) * (1 + cos(pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


SCHEDULES: dict[str, Callable[[float], float]] = {"one_cycle": one_cycle, "cosine": cosine}


def _optimizer(network: nn.Module, training: Training) -> optim.Optimizer:
    """Decay weights only: norms and biases have one dimension."""
    weights = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [{"params": weights, "weight_decay": training.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if training.optimizer == "adamw":
        return optim.AdamW(groups, lr=training.learning_rate, fused=True)
    return optim.SGD(groups, lr=training.learning_rate, momentum=MOMENTUM, nesterov=True, fused=True)


def _check(total: float, epoch: int) -> float:
    if not isfinite(total):
        raise EvaluationFailed(
            "nan", "The training diverged in epoch {epoch}: its loss is no longer a number.", epoch=epoch
        )
    return total

"""A training's state in one file: tensors as safetensors, counters and curve as JSON in its header."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn, optim

from nas import codec
from nas.events import EpochEnded
from nas.sentences import Refused

FILE = "checkpoint.safetensors"


@dataclass(frozen=True)
class Progress:
    """What a checkpoint says beside its tensors: for which job, and the curve up to its epoch."""

    job: str
    curve: tuple[EpochEnded, ...]


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint of one job in its folder; one of any other job there does not count.

    The rungs of one architecture share a folder. Over epochs they are one training, with one file. Over anything else
    each of them, at so many `percent`, is a training of its own, which begins with the weights of the rung below.
    """

    folder: Path
    job: str
    rungs: str = "epochs"
    percent: int | None = None

    @property
    def is_begun_from(self) -> bool:
        """Whether a higher rung will begin with these weights, after whatever epoch the training ends."""
        return self.percent is not None

    @property
    def path(self) -> Path:
        """Where it lies; the names of rungs sort as their percents."""
        return self.folder / (FILE if self.percent is None else f"{self.rungs}-{self.percent:03}.safetensors")

    def save(self, network: nn.Module, optimizer: optim.Optimizer, curve: Sequence[EpochEnded]) -> None:
        """Write weights, the optimizer's memory and curve so that either all of them are there or those of before."""
        tensors = {f"model.{name}": tensor for name, tensor in network.state_dict().items()}
        for name, parameter in network.named_parameters():
            for key, value in optimizer.state[parameter].items():
                if isinstance(value, Tensor):  # the plain SGD keeps a None before its first step
                    tensors[f"optimizer.{key}.{name}"] = value
        dense = {name: tensor.contiguous() for name, tensor in tensors.items()}
        progress = json.dumps(codec.dump(Progress(self.job, tuple(curve))))
        self.folder.mkdir(parents=True, exist_ok=True)
        written = self.path.with_suffix(f".{os.getpid()}")
        save_file(dense, written, metadata={"progress": progress})
        os.replace(written, self.path)

    def restore(self, network: nn.Module, optimizer: optim.Optimizer) -> list[EpochEnded]:
        """Put weights and optimizer back and return the curve; leave all as it is where there is nothing to resume.

        The first epoch of a rung may find the weights of the one below.
        """
        found = _read(self.path)
        if found is None or found[0].job != self.job:
            self._begin(network)
            return []
        progress, tensors = found
        network.load_state_dict(_below("model.", tensors))
        remembered = _below("optimizer.", tensors)
        parameters = dict(network.named_parameters())
        for path, kept in remembered.items():
            key, _, name = path.partition(".")
            parameter = parameters[name]
            value = kept.to(parameter.device)
            # The layout of the parameter, as the optimizer itself would have made it; a counter has none.
            is_like = value.shape == parameter.shape
            optimizer.state[parameter][key] = parameter.detach().clone().copy_(value) if is_like else value
        return list(progress.curve)

    def _begin(self, network: nn.Module) -> None:
        """Put the weights of the highest rung below into a network that has the same shapes throughout."""
        rungs = self.folder.glob(f"{self.rungs}-???.safetensors") if self.is_begun_from else ()
        lower = [path for path in rungs if path.name < self.path.name]
        found = _read(max(lower)) if lower else None
        weights = _below("model.", found[1]) if found else {}
        if _shapes(weights) == _shapes(network.state_dict()):
            network.load_state_dict(weights)


def _read(path: Path) -> tuple[Progress, dict[str, Tensor]] | None:
    try:
        with safe_open(path, framework="pt") as file:
            progress = codec.load(Progress, json.loads((file.metadata() or {})["progress"]))
            return progress, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError, Refused):
        return None


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

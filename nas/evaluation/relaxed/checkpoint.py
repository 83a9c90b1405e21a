"""The state of a gradient-based search in one file: tensors as safetensors, what was said so far as JSON."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn, optim

from nas import codec
from nas.events import EpochSearched
from nas.sentences import Refused

FILE = "supernet.safetensors"
Kept = tuple[str, nn.Module, optim.Optimizer]  # a name, a module, and what trains it


@dataclass(frozen=True)
class Progress:
    """What a checkpoint says beside its tensors: of which job it is, and the epochs so far."""

    job: str
    epochs: tuple[EpochSearched, ...]


@dataclass(frozen=True)
class SearchCheckpoint:
    """The checkpoint of one search in its folder; one of any other search there does not count."""

    folder: Path
    job: str

    def save(self, kept: Sequence[Kept], epochs: Sequence[EpochSearched]) -> None:
        """Write weights, alpha, the state of both optimisers and the epochs: all of them are there, or those before."""
        tensors = {}
        for name, module, optimizer in kept:
            for key, parameter in module.named_parameters():
                tensors[f"{name}.{key}"] = parameter.detach().contiguous()
                for what, value in optimizer.state[parameter].items():
                    tensors[f"{name}.{key}/{what}"] = value.contiguous()
        progress = json.dumps(codec.dump(Progress(self.job, tuple(epochs))))
        self.folder.mkdir(parents=True, exist_ok=True)
        written = self.folder / f"{FILE}.{os.getpid()}"
        save_file(tensors, written, metadata={"progress": progress})
        os.replace(written, self.folder / FILE)

    def restore(self, kept: Sequence[Kept]) -> list[EpochSearched]:
        """Put all of it back and return the epochs; leave all as it is where there is nothing to resume."""
        found = self._read()
        if found is None:
            return []
        progress, tensors = found
        for name, module, optimizer in kept:
            for key, parameter in module.named_parameters():
                parameter.data.copy_(tensors[f"{name}.{key}"])
                start = f"{name}.{key}/"
                for whole in (whole for whole in tensors if whole.startswith(start)):
                    optimizer.state[parameter][whole.removeprefix(start)] = _like(parameter, tensors[whole])
        return list(progress.epochs)

    def _read(self) -> tuple[Progress, dict[str, Tensor]] | None:
        try:
            with safe_open(self.folder / FILE, framework="pt") as file:
                progress = codec.load(Progress, json.loads((file.metadata() or {})["progress"]))
                if progress.job != self.job:
                    return None
                return progress, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, ValueError, Refused):
            return None


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    """Return a value in the layout of its parameter, as the optimizer itself would have made it."""
    if value.shape != parameter.shape:
        return value  # the count of steps, which stays on the CPU
    return parameter.detach().clone().copy_(value)

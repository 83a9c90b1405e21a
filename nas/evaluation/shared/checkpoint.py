"""The shared weights of a run in one file of its work folder, and the lock that lets one process change them."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nas import codec
from nas.evaluation.shared.weights import SharedWeights
from nas.events import EpochEnded
from nas.sentences import Refused

FILE, LOCK = "shared.safetensors", "lock"
BETWEEN_LOOKS = 0.1


@dataclass(frozen=True)
class Progress:
    """Of which run the weights are, their epochs so far, and the candidates that they were trained on since."""

    run: str
    epochs: tuple[EpochEnded, ...] = ()
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class SharedCheckpoint:
    """The file in a folder that all evaluations of a run share; one of any other run there does not count."""

    folder: Path
    run: str

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait until nobody else trains these weights; a process that dies lets go of them at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("w") as file:
            while not _taken(file.fileno()):
                time.sleep(BETWEEN_LOOKS)
            yield

    def save(self, weights: SharedWeights, progress: Progress) -> None:
        """Write weights and progress so that either all of them are there or those of before."""
        tensors = {f"weight.{key}": tensor.detach().contiguous() for key, tensor in weights.tensors.items()}
        tensors |= {f"momentum.{key}": tensor.contiguous() for key, tensor in weights.momentum.items()}
        written = self.folder / f"{FILE}.{os.getpid()}"
        save_file(tensors, written, metadata={"progress": json.dumps(codec.dump(progress))})
        os.replace(written, self.folder / FILE)

    def restore(self, weights: SharedWeights) -> Progress:
        """Put the weights back and return how far they were; leave them as they are where there is nothing."""
        try:
            with safe_open(self.folder / FILE, framework="pt") as file:
                progress = codec.load(Progress, json.loads((file.metadata() or {})["progress"]))
                if progress.run != self.run:
                    return Progress(self.run)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, ValueError, Refused):
            return Progress(self.run)
        weights.restore(_below("weight.", tensors), _below("momentum.", tensors))
        return progress


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

"""How fast a network computes, and how large its file is."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles

import torch
from safetensors.torch import save
from torch import Tensor, nn

from nas.evaluation.devices import synchronize

WARM_UP_RUNS = 3


@dataclass(frozen=True)
class Latency:
    """Milliseconds that one batch takes."""

    median_ms: float
    p95_ms: float


def latency(network: nn.Module, images: Tensor, *, seconds: float = 0.2, runs: int = 200) -> Latency:
    """Time one batch again and again, in float32, for about `seconds` or `runs` times."""
    times = list(_timed(network, images, seconds, runs))
    if len(times) == 1:
        return Latency(times[0], times[0])
    return Latency(median(times), quantiles(times, n=20, method="inclusive")[-1])


def throughput(network: nn.Module, images: Tensor, *, seconds: float = 0.2) -> float:
    """Return the images computed per second, in float32, in batches like the one given."""
    times = list(_timed(network, images, seconds, runs=1000))
    return 1000 * len(images) / median(times)


def file_kilobytes(network: nn.Module) -> float:
    """Return the size of the file that its weights make, in units of 1000 bytes."""
    return len(save({name: value.contiguous() for name, value in network.state_dict().items()})) / 1000


def _timed(network: nn.Module, images: Tensor, seconds: float, runs: int) -> Iterator[float]:
    network.eval()
    with torch.inference_mode():
        for _ in range(WARM_UP_RUNS):
            network(images)
        synchronize(images.device)
        end = time.perf_counter() + seconds
        for _ in range(runs):
            start = time.perf_counter()
            network(images)
            synchronize(images.device)
            now = time.perf_counter()
            yield 1000 * (now - start)
            if now > end:
                return

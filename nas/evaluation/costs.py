"""How fast a network computes, and how large its file is."""

import time
from collections.abc import Callable, Sequence
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

    @classmethod
    def of(cls, times: Sequence[float]) -> "Latency":
        """Return what the times of one run or more come to."""
        p95 = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
        return cls(median(times), p95)


def latency(network: nn.Module, images: Tensor, *, seconds: float = 0.2, runs: int = 200) -> Latency:
    """Time one batch again and again, in float32, for about `seconds` or `runs` times."""
    return Latency.of(_timed(network, images, seconds, runs))


def throughput(network: nn.Module, images: Tensor, *, seconds: float = 0.2) -> float:
    """Return the images computed per second, in float32, in batches like the one given."""
    return 1000 * len(images) / median(_timed(network, images, seconds, runs=1000))


def file_kilobytes(network: nn.Module) -> float:
    """Return the size of the file that its weights make, in units of 1000 bytes."""
    return len(save({name: value.contiguous() for name, value in network.state_dict().items()})) / 1000


def timed(once: Callable[[], object], *, seconds: float, runs: int) -> list[float]:
    """Call again and again, for about `seconds` or `runs` times, once at least; return the milliseconds of each."""
    for _ in range(WARM_UP_RUNS):
        once()
    times = list[float]()
    end = time.perf_counter() + seconds
    while not times or (len(times) < runs and time.perf_counter() < end):
        start = time.perf_counter()
        once()
        times.append(1000 * (time.perf_counter() - start))
    return times


def _timed(network: nn.Module, images: Tensor, seconds: float, runs: int) -> list[float]:
    def once() -> None:
        network(images)
        synchronize(images.device)

    network.eval()
    with torch.inference_mode():
        return timed(once, seconds=seconds, runs=runs)

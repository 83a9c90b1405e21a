"""How fast the trained network and its ONNX file answer batches of several sizes."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from nas.evaluation.batches import Scale
from nas.evaluation.costs import Latency, latency
from nas.evaluation.datasets import Data
from nas.evaluation.devices import device_name
from nas.evaluation.export import runtime
from nas.evaluation.export.raw import raw_inputs
from nas.evaluation.failures import ran_out
from nas.evaluation.networks import Network
from nas.speeds import Speed, dump

BATCHES = (1, 8, 32, 128)
SECONDS = 0.1  # for each batch of each runtime
SLOW_MS = 250.0  # after a batch that takes longer no larger one is tried


def write(path: Path, network: Network, data: Data, onnx: Path | None) -> tuple[Speed, ...]:
    """Time the network in torch where it lies, and the ONNX file, if any, on one thread of the processor."""
    where = next(network.parameters()).device
    scale = Scale.of(data, where)
    found = [*by_batch(lambda inputs: latency(network, scale(inputs.to(where)), seconds=SECONDS), data)]
    speeds = [Speed("torch", device_name(where), *one) for one in found]
    if onnx is not None:
        read = partial(raw_inputs, data)
        found = [*by_batch(lambda inputs: runtime.latency(onnx, read(inputs), seconds=SECONDS), data)]
        processor = device_name(torch.device("cpu"), runtime.THREADS)
        speeds += [Speed("onnxruntime", processor, *one) for one in found]
    path.write_text(dump(speeds), encoding="utf-8")
    return tuple(speeds)


def by_batch(time: Callable[[Tensor], Latency], data: Data) -> Iterator[tuple[int, float, float]]:
    """Yield each size of a batch of test inputs with its median and 95th percentile; ends where one does not fit.

    What the inputs are does not matter: where there are too few of them they come again.
    """
    for batch in BATCHES:
        inputs = data.test.inputs[torch.arange(batch) % len(data.test)]
        try:
            found = time(inputs)
        except Exception as error:
            if not ran_out(error):
                raise
            return
        yield batch, found.median_ms, found.p95_ms
        if found.median_ms > SLOW_MS:
            return

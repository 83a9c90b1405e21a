"""What an ONNX file computes in onnxruntime, how fast, and how large it is."""

import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median, quantiles

import numpy as np
import onnxruntime
from torch import Tensor

from nas.evaluation.datasets import Data
from nas.evaluation.export.raw import answered, batches, raw_inputs
from nas.evaluation.scoring import quality_metrics

WARM_UP_RUNS, RUNS, SECONDS = 3, 200, 0.3


def session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a file on the processor."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def outputs(path: Path, inputs: Iterable[Tensor]) -> np.ndarray:
    """Return what it answers to batches of raw inputs."""
    opened = session(path)
    name = opened.get_inputs()[0].name
    return np.concatenate([opened.run(None, {name: some.numpy()})[0] for some in inputs])


def speed(path: Path, inputs: Tensor) -> dict[str, float]:
    """Return median and 95th percentile of the milliseconds that raw inputs take together, on one thread."""
    opened, one = session(path), inputs.numpy()
    name = opened.get_inputs()[0].name
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(times) < WARM_UP_RUNS + RUNS and (len(times) < WARM_UP_RUNS + 2 or time.perf_counter() < end):
        start = time.perf_counter()
        opened.run(None, {name: one})
        times.append(1000 * (time.perf_counter() - start))
    kept = times[WARM_UP_RUNS:]
    return {"latency_ms": median(kept), "latency_p95_ms": quantiles(kept, n=20, method="inclusive")[-1]}


def measured(path: Path, data: Data) -> dict[str, float]:
    """Return speed and size of a file, and its accuracy, or rmse of a number, on the test split."""
    inputs = (raw_inputs(data, some) for some in batches(data.test.inputs))
    told = answered(data, outputs(path, inputs))
    quality = quality_metrics(told, data.test.labels, ("accuracy", "rmse"), data.unit)
    one = raw_inputs(data, data.test.inputs[:1])
    return {**quality, **speed(path, one), "file_kb": path.stat().st_size / 1000}

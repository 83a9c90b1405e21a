"""What an ONNX file computes in onnxruntime, how fast, and how large it is."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
from torch import Tensor

from nas.evaluation.costs import Latency, timed
from nas.evaluation.datasets import Data
from nas.evaluation.export.raw import answered, batches, raw_inputs
from nas.evaluation.scoring import quality_metrics

THREADS, RUNS, SECONDS = 1, 200, 0.3


def session(path: Path, threads: int = THREADS) -> onnxruntime.InferenceSession:
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


def latency(path: Path, inputs: Tensor, *, seconds: float = SECONDS) -> Latency:
    """Time a batch of raw inputs again and again, on one thread."""
    opened = session(path)
    given = {opened.get_inputs()[0].name: inputs.numpy()}
    return Latency.of(timed(lambda: opened.run(None, given), seconds=seconds, runs=RUNS))


def measured(path: Path, data: Data) -> dict[str, float]:
    """Return speed and size of a file, and its accuracy, or rmse of a number, on the test split."""
    inputs = (raw_inputs(data, some) for some in batches(data.test.inputs))
    told = answered(data, outputs(path, inputs))
    quality = quality_metrics(told, data.test.labels, ("accuracy", "rmse"), data.unit)
    one = latency(path, raw_inputs(data, data.test.inputs[:1]))
    took = {"latency_ms": one.median_ms, "latency_p95_ms": one.p95_ms}
    return {**quality, **took, "file_kb": path.stat().st_size / 1000}

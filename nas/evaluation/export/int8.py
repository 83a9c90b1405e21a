"""An ONNX file in 8-bit whole numbers, by onnxruntime's own quantisation."""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from nas.evaluation.datasets import Data
from nas.evaluation.export.raw import raw_inputs

CALIBRATION, BATCH = 256, 32


class _Calibration:
    """Training inputs, batch by batch, as the quantiser asks for them."""

    def __init__(self, name: str, inputs: Tensor) -> None:
        self._batches: Iterator[dict[str, np.ndarray]] = iter(
            [{name: inputs[at : at + BATCH].numpy()} for at in range(0, len(inputs), BATCH)]
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next one, None after the last."""
        return next(self._batches, None)


def is_static(data: Data) -> bool:
    """Whether activations are calibrated beforehand: for images, whose convolutions have no other way."""
    return data.known.task.kind == "image"


def write(source: Path, target: Path, data: Data, name: str) -> None:
    """Quantise the file `source` of the input `name`: with calibration on training images, otherwise dynamically."""
    # Importing it takes a second, and it logs what it thinks of every model.
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            ready = Path(folder) / "ready.onnx"
            quant_pre_process(source, ready, skip_symbolic_shape=True)
            if is_static(data):
                inputs = raw_inputs(data, data.train.inputs[:CALIBRATION])
                quantize_static(
                    ready,
                    target,
                    _Calibration(name, inputs),
                    quant_format=QuantFormat.QDQ,
                    activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8,
                    per_channel=True,
                )
            else:
                quantize_dynamic(ready, target, weight_type=QuantType.QInt8)
    finally:
        logging.disable(logging.NOTSET)

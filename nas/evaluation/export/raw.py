"""A network as its files hold it: raw inputs in, logits or the number in its own unit out."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nas.evaluation.batches import EVALUATION_BATCH, Scale
from nas.evaluation.datasets import Data
from nas.evaluation.mapped import Mapped
from nas.evaluation.networks import Network
from nas.sentences import Refused

TOLERANCE = 1e-4
CHECKED_INPUTS = 256


class Raw(nn.Module):
    """Normalises raw pixels or features, float32 (batch, ...), as the training did; token ids are read as they are."""

    offset: Tensor
    factor: Tensor

    def __init__(self, network: Network, data: Data) -> None:
        super().__init__()
        self.network = network
        scale, task = Scale.of(data, torch.device("cpu")), network.graph.task
        self.is_text, self.is_number = task.kind == "text", task.goal == "number"
        self.centre, self.unit = data.centre, data.unit
        self.register_buffer("offset", scale.offset)
        self.register_buffer("factor", scale.factor)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits (batch, classes), or the number (batch, 1)."""
        outputs: Tensor = self.network(inputs if self.is_text else (inputs - self.offset) * self.factor)
        return outputs * self.unit + self.centre if self.is_number else outputs


def raw_inputs(data: Data, inputs: Tensor) -> Tensor:
    """Return inputs as the files read them: float32, or int64 where they are token ids."""
    return inputs.long() if data.known.task.kind == "text" else inputs.float()


def answered(data: Data, outputs: NDArray[np.float32]) -> Tensor:
    """Return what a file says in the terms of the metrics: logits, or the number as it is standardised."""
    told = torch.from_numpy(outputs)
    return (told - data.centre) / data.unit if data.known.task.goal == "number" else told


def batches(inputs: Tensor | Mapped) -> Iterator[Tensor]:
    """Cut inputs into batches to measure with."""
    return (inputs[at : at + EVALUATION_BATCH] for at in range(0, len(inputs), EVALUATION_BATCH))


def compare(found: Tensor, expected: Tensor, what: str) -> float:
    """Return the largest difference; raises Refused where it is too large, relative to the largest output."""
    differ = float((found - expected).abs().max())
    allowed = TOLERANCE * max(1.0, float(expected.abs().max()))
    # Written so that a difference that is no number is refused too.
    if not differ <= allowed:
        raise Refused(
            "In {what} the outputs differ from torch's by {found}; at most {allowed} is allowed.",
            what=what,
            found=f"{differ:.2g}",
            allowed=f"{allowed:.2g}",
        )
    return differ

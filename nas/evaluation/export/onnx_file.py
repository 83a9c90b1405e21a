"""A network as an ONNX file, and the check that it computes the same."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from nas.evaluation.batches import Scale
from nas.evaluation.datasets import Data
from nas.evaluation.export.onnx_nodes import operators
from nas.evaluation.networks import Network
from nas.sentences import Refused

OPSET, IR_VERSION = 17, 8  # read by every onnxruntime since 2022
TOLERANCE = 1e-4
CHECKED_INPUTS = 256
INPUTS = {"image": "pixels", "tabular": "features", "text": "ids"}
LOGITS, NUMBER = "logits", "number"


def write(path: Path, network: Network, data: Data, scale: Scale) -> None:
    """Write the network with its preprocessing: it reads raw pixels or features, float32, or token ids, int64."""
    task = network.graph.task
    kind = TensorProto.INT64 if task.kind == "text" else TensorProto.FLOAT
    given = helper.make_tensor_value_info(INPUTS[task.kind], kind, ["batch", *task.input_shape])
    given.doc_string = {
        "image": f"Raw pixels, 0 to {data.peak}; the network normalises them itself.",
        "tabular": "Features that are not standardised; the network does so itself.",
        "text": f"Token ids, 0 to {task.vocabulary - 1}, padded with 0.",
    }[task.kind]
    number = (data.centre, data.unit) if task.goal == "number" else None
    made = model(network, given, None if task.kind == "text" else scale, number)
    if number:
        made.graph.output[0].doc_string = "The number, in its own unit."
    else:
        made.graph.output[0].doc_string = f"One logit per class: {', '.join(data.known.classes)}."
        helper.set_model_props(made, {"classes": "\n".join(data.known.classes)})
    onnx.checker.check_model(made, full_check=True)
    path.write_bytes(made.SerializeToString())


def model(
    network: Network,
    given: onnx.ValueInfoProto,
    scale: Scale | None = None,
    number: tuple[float, float] | None = None,
) -> onnx.ModelProto:
    """Return the network as a model of one input, scaled where told how, and one output: logits (batch, classes).

    With `number`, a mean and a spread, the output is the number (batch, 1) that stands so far from the mean.
    """
    weights = {name: value for name, value in network.state_dict().items() if not name.endswith("batches_tracked")}
    read, before = given.name, []
    if scale:
        weights |= {"offset": scale.offset, "factor": scale.factor}
        before = [
            helper.make_node("Sub", [given.name, "offset"], ["centred"], "centre"),
            helper.make_node("Mul", ["centred", "factor"], ["scaled"], "scale"),
        ]
        read = "scaled"
    told, after = LOGITS, []
    if number:
        told = NUMBER
        weights |= {"centre": torch.tensor(number[0]), "unit": torch.tensor(number[1])}
        after = [
            helper.make_node("Mul", [LOGITS, "unit"], ["spread"], "widen"),
            helper.make_node("Add", ["spread", "centre"], [told], "move"),
        ]
    logits = helper.make_tensor_value_info(told, TensorProto.FLOAT, ["batch", network.graph.task.classes])
    nodes = [*before, *operators(network.graph, weights, read, LOGITS), *after]
    return helper.make_model(
        helper.make_graph(nodes, "network", [given], [logits], list(_stored(weights))),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def difference(path: Path, network: Network, data: Data, scale: Scale) -> float:
    """Return the largest difference of an output from torch's on test inputs; raises Refused where it is too large.

    Inputs are computed one at a time and in a batch. The tolerance is relative to the largest output.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs, task = data.test.inputs[:CHECKED_INPUTS], network.graph.task
    with torch.inference_mode():
        expected = network.eval()(scale(inputs)).numpy()
    if task.goal == "number":
        expected = expected * np.float32(data.unit) + np.float32(data.centre)
    raw = inputs.numpy().astype(np.int64 if task.kind == "text" else np.float32)
    whole, single = (session.run(None, {INPUTS[task.kind]: some})[0] for some in (raw, raw[:1]))
    found = max(float(np.abs(whole - expected).max()), float(np.abs(single - expected[:1]).max()))
    allowed = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    # Written so that a difference that is no number is refused too.
    if not found <= allowed:
        raise Refused(
            "In ONNX the outputs differ from torch's by {found}; at most {allowed} is allowed.",
            found=f"{found:.2g}",
            allowed=f"{allowed:.2g}",
        )
    return found


def _stored(tensors: Mapping[str, Tensor]) -> Iterator[TensorProto]:
    for name, tensor in tensors.items():
        yield numpy_helper.from_array(tensor.detach().float().contiguous().numpy(), name)

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
CHECKED_IMAGES = 256
PIXELS, LOGITS = "pixels", "logits"


def write(path: Path, network: Network, data: Data, scale: Scale) -> None:
    """Write the network with its preprocessing: it reads raw pixels, float32 (batch, channels, height, width)."""
    image = helper.make_tensor_value_info(PIXELS, TensorProto.FLOAT, ["batch", *network.graph.task.input_shape])
    image.doc_string = f"Raw pixels, 0 to {data.peak}; the network normalises them itself."
    made = model(network, image, scale)
    made.graph.output[0].doc_string = f"One logit per class: {', '.join(data.known.classes)}."
    helper.set_model_props(made, {"classes": "\n".join(data.known.classes)})
    onnx.checker.check_model(made, full_check=True)
    path.write_bytes(made.SerializeToString())


def model(network: Network, given: onnx.ValueInfoProto, scale: Scale | None = None) -> onnx.ModelProto:
    """Return the network as a model of one input, scaled where told how, and one output: logits (batch, classes)."""
    weights = {name: value for name, value in network.state_dict().items() if not name.endswith("batches_tracked")}
    read, before = given.name, []
    if scale:
        weights |= {"offset": scale.offset, "factor": scale.factor}
        before = [
            helper.make_node("Sub", [given.name, "offset"], ["centred"], "centre"),
            helper.make_node("Mul", ["centred", "factor"], ["scaled"], "scale"),
        ]
        read = "scaled"
    logits = helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, ["batch", network.graph.task.classes])
    nodes = [*before, *operators(network.graph, weights, read, LOGITS)]
    return helper.make_model(
        helper.make_graph(nodes, "network", [given], [logits], list(_stored(weights))),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def difference(path: Path, network: Network, data: Data, scale: Scale) -> float:
    """Return the largest difference of a logit from torch's on test images; raises Refused where it is too large.

    Images are computed one at a time and in a batch. The tolerance is relative to the largest logit.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    pixels = data.test.images[:CHECKED_IMAGES]
    with torch.inference_mode():
        expected = network.eval()(scale(pixels)).numpy()
    raw = pixels.numpy().astype(np.float32)
    whole = session.run([LOGITS], {PIXELS: raw})[0]
    single = session.run([LOGITS], {PIXELS: raw[:1]})[0]
    found = max(float(np.abs(whole - expected).max()), float(np.abs(single - expected[:1]).max()))
    allowed = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    # Written so that a difference that is no number is refused too.
    if not found <= allowed:
        raise Refused(
            "In ONNX the logits differ from torch's by {found}; at most {allowed} is allowed.",
            found=f"{found:.2g}",
            allowed=f"{allowed:.2g}",
        )
    return found


def _stored(tensors: Mapping[str, Tensor]) -> Iterator[TensorProto]:
    for name, tensor in tensors.items():
        yield numpy_helper.from_array(tensor.detach().float().contiguous().numpy(), name)

"""A network as an ONNX file, written node by node from its graph, and the check that it computes the same.

Written by hand because torch's exporters either need a tracer and a compiler of their own (seconds, and two more
dependencies) or are deprecated; a graph of eight operations needs neither.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from nas.evaluation.batches import Scale
from nas.evaluation.datasets import Data
from nas.evaluation.networks import Network, layer_name
from nas.sentences import Refused
from nas.spaces.graph import Graph, Node

OPSET, IR_VERSION = 17, 8  # read by every onnxruntime since 2022
TOLERANCE = 1e-4
CHECKED_IMAGES = 256
PIXELS, LOGITS = "pixels", "logits"


def write(path: Path, network: Network, data: Data, scale: Scale) -> None:
    """Write the network with its preprocessing: it reads raw pixels, float32 (batch, channels, height, width)."""
    graph = network.graph
    weights = {name: tensor for name, tensor in network.state_dict().items() if not name.endswith("batches_tracked")}
    tensors = {"offset": scale.offset, "factor": scale.factor, **weights}
    image = helper.make_tensor_value_info(PIXELS, TensorProto.FLOAT, ["batch", *graph.task.input_shape])
    image.doc_string = f"Raw pixels, 0 to {data.peak}; the network normalises them itself."
    logits = helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, ["batch", graph.task.classes])
    logits.doc_string = f"One logit per class: {', '.join(data.known.classes)}."
    model = helper.make_model(
        helper.make_graph(list(_nodes(graph, tensors)), "network", [image], [logits], list(_stored(tensors))),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, {"classes": "\n".join(data.known.classes)})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


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


def _nodes(graph: Graph, tensors: Mapping[str, Tensor]) -> Iterator[onnx.NodeProto]:
    yield helper.make_node("Sub", [PIXELS, "offset"], ["centred"], "centre")
    yield helper.make_node("Mul", ["centred", "factor"], ["value.input"], "scale")
    for node in graph.nodes:
        if node.op == "input":
            continue
        read, name, at = [f"value.{source}" for source in node.inputs], layer_name(node.id), f"value.{node.id}"
        match node.op:
            case "conv" | "dense":
                yield from _layer(node, name, read[0], at, tensors)
            case "classifier":
                yield helper.make_node("Gemm", [*read, *_weights(name, tensors)], [LOGITS], node.id, transB=1)
            case "pool":
                yield _pool(node, read[0], at)
            case "add":
                yield helper.make_node("Sum", read, [at], node.id)
            case "global_pool":
                yield helper.make_node("GlobalAveragePool", read, [f"{at}.image"], f"{node.id}.mean")
                yield helper.make_node("Flatten", [f"{at}.image"], [at], node.id)
            case _:
                yield helper.make_node("Flatten", read, [at], node.id)


def _layer(node: Node, name: str, read: str, at: str, tensors: Mapping[str, Tensor]) -> Iterator[onnx.NodeProto]:
    norm, activation = bool(node.options["norm"]), str(node.options["activation"])
    last = at if activation == "none" else f"{at}.linear"
    first = f"{at}.raw" if norm else last
    if node.op == "conv":
        kernel, stride = int(node.options["kernel"]), int(node.options["stride"])
        options: dict[str, Any] = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [kernel // 2] * 4}
        yield helper.make_node("Conv", [read, *_weights(name, tensors)], [first], node.id, **options)
    else:
        yield helper.make_node("Gemm", [read, *_weights(name, tensors)], [first], node.id, transB=1)
    if norm:
        statistics = [f"{name}_norm.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        yield helper.make_node("BatchNormalization", [first, *statistics], [last], f"{node.id}.norm", epsilon=1e-5)
    if activation == "silu":
        yield helper.make_node("Sigmoid", [last], [f"{at}.gate"], f"{node.id}.gate")
        yield helper.make_node("Mul", [last, f"{at}.gate"], [at], f"{node.id}.silu")
    elif activation != "none":
        yield helper.make_node({"relu": "Relu", "tanh": "Tanh"}[activation], [last], [at], f"{node.id}.{activation}")


def _pool(node: Node, read: str, at: str) -> onnx.NodeProto:
    size = int(node.options["size"])
    options: dict[str, Any] = {"kernel_shape": [size] * 2, "strides": [2, 2], "pads": [1 if size == 3 else 0] * 4}
    if node.options["how"] == "max":
        return helper.make_node("MaxPool", [read], [at], node.id, **options)
    return helper.make_node("AveragePool", [read], [at], node.id, count_include_pad=0, **options)


def _weights(name: str, tensors: Mapping[str, Tensor]) -> list[str]:
    return [f"{name}.{part}" for part in ("weight", "bias") if f"{name}.{part}" in tensors]

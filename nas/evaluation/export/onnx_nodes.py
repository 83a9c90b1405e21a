"""A graph as ONNX operators, node by node.

Written by hand because torch's exporters either need a tracer and a compiler of their own (seconds, and two more
dependencies) or are deprecated; a graph of some fifteen operations needs neither.
"""

from collections.abc import Collection
from math import inf, sqrt
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from nas.datasets.words import PAD
from nas.evaluation.networks import layer_name
from nas.spaces.graph import Graph, Node, Shape, sides

SIMPLE = {"relu": "Relu", "hardswish": "HardSwish", "tanh": "Tanh"}
EPSILON = 1e-5
MASK = "input/"  # begins the names of what says which tokens are words


def operators(graph: Graph, weights: Collection[str], read: str, logits: str) -> list[onnx.NodeProto]:
    """Return the operators that compute `logits` of the value `read`; `weights` are the names of the stored tensors."""
    writer = _Writer(graph, weights, read)
    for node in graph.nodes[1:]:
        writer.write(node)
    return [*writer.written, helper.make_node("Identity", [writer.values[graph.nodes[-1].id]], [logits], logits)]


class _Writer:
    """Values are named after their node, with a slash, which no weight has."""

    def __init__(self, graph: Graph, weights: Collection[str], read: str) -> None:
        self.written: list[onnx.NodeProto] = []
        self.values = {"input": read}
        self._weights = weights
        self._is_text = graph.task.kind == "text"
        if self._is_text:
            self._mask(read, graph.task.input_shape[0])
        self._shapes = {node.id: node.shape for node in graph.nodes}

    def write(self, node: Node) -> None:
        """Append what computes a node and note the name of its value."""
        read, name, at = [self.values[source] for source in node.inputs], layer_name(node.id), f"{node.id}/"
        option, activation = node.options, str(node.options.get("activation", "none"))
        match node.op:
            case "add":
                value = self._activate(self._put("Sum", read, f"{at}sum"), activation, at)
            case "concat":
                value = self._put("Concat", read, f"{at}joined", axis=2 if len(node.shape) == 2 else 1)
            case "pool":
                value = self._pool(node, read[0], at)
            case "global_pool" if self._is_text:
                value = self._mean_of_words(read[0], at)
            case "global_pool":
                axes = [2, 3] if len(self._shapes[node.inputs[0]]) == 3 else [1]
                value = self._put("ReduceMean", read, f"{at}mean", axes=axes, keepdims=0)
            case "flatten":
                value = self._put("Flatten", read, f"{at}flat")
            case "zero":
                value = self._zeros(node.shape, read[0], at)
            case "squeeze_excite":
                value = self._squeeze_excite(name, read[0], activation, at)
            case "embed":
                rows = self._put("Gather", [f"{name}.tokens.weight", read[0]], f"{at}rows")
                value = self._put("Add", [rows, f"{name}.positions"], f"{at}tokens")
            case "patches":
                value = self._patches(node, name, read[0], at)
            case "attention":
                value = self._attention(node, name, read[0], at)
            case _:
                early = option.get("order") == "activation first"
                value = self._activate(read[0], activation, at) if early else read[0]
                value = self._linear(node, name, value, at)
                value = self._norm(node, name, value, at) if option.get("norm") else value
                value = value if early else self._activate(value, activation, at)
        self.values[node.id] = value

    def _put(self, op: str, read: list[str], name: str, **attributes: Any) -> str:
        self.written.append(helper.make_node(op, read, [name], name, **attributes))
        return name

    def _constant(self, value: Any, name: str) -> str:
        kind = np.float32 if isinstance(value, float) else np.int64
        return self._put("Constant", [], name, value=numpy_helper.from_array(np.array(value, kind)))

    def _with(self, value: str, *layers: str) -> list[str]:
        return [value, *(name for name in layers if name in self._weights)]

    def _linear(self, node: Node, name: str, value: str, at: str) -> str:
        match node.op:
            case "conv":
                return self._conv(node, name, value, at)
            case "factorized_reduce":
                return self._factorized_reduce(name, value, at)
            case "dense" | "classifier" if len(node.shape) == 1:
                return self._gemm(name, value, at)
            case "dense":
                return self._matmul(name, value, at)
        return value

    def _conv(self, node: Node, name: str, value: str, at: str) -> str:
        option, dilation = node.options, sides(node.options["dilation"])[0]
        kernel = sides(option["kernel"])
        return self._put(
            "Conv",
            self._with(value, f"{name}.weight", f"{name}.bias"),
            f"{at}conv",
            kernel_shape=kernel,
            strides=sides(option["stride"]),
            pads=[dilation * (side // 2) for side in kernel] * 2,
            dilations=[dilation] * 2,
            group=option["groups"],
        )

    def _pool(self, node: Node, value: str, at: str) -> str:
        size, stride = sides(node.options["size"]), sides(node.options["stride"])
        options: dict[str, Any] = {"kernel_shape": size, "strides": stride, "pads": [1 if size[0] == 3 else 0] * 4}
        if node.options["how"] == "max":
            return self._put("MaxPool", [value], f"{at}max", **options)
        return self._put("AveragePool", [value], f"{at}average", count_include_pad=0, **options)

    def _factorized_reduce(self, name: str, value: str, at: str) -> str:
        pads = self._constant([0, 0, 0, 0, 0, 0, 1, 1], f"{at}pads")
        start, end, axes = (
            self._constant(two, f"{at}{what}")
            for what, two in (("start", [1, 1]), ("end", [2**31 - 1] * 2), ("axes", [2, 3]))
        )
        padded = self._put("Pad", [value, pads], f"{at}padded")
        shifted = self._put("Slice", [padded, start, end, axes], f"{at}shifted")
        even = self._put("Conv", [value, f"{name}.even.weight"], f"{at}even", strides=[2, 2], kernel_shape=[1, 1])
        odd = self._put("Conv", [shifted, f"{name}.odd.weight"], f"{at}odd", strides=[2, 2], kernel_shape=[1, 1])
        return self._put("Concat", [even, odd], f"{at}joined", axis=1)

    def _gemm(self, name: str, value: str, at: str) -> str:
        return self._put("Gemm", self._with(value, f"{name}.weight", f"{name}.bias"), f"{at}linear", transB=1)

    def _matmul(self, name: str, value: str, at: str) -> str:
        """Multiply every token: what Gemm does to vectors."""
        turned = self._put("Transpose", [f"{name}.weight"], f"{at}weight", perm=[1, 0])
        product = self._put("MatMul", [value, turned], f"{at}product")
        bias = self._with(product, f"{name}.bias")
        return self._put("Add", bias, f"{at}linear") if len(bias) == 2 else product

    def _norm(self, node: Node, name: str, value: str, at: str) -> str:
        read = [value, f"{name}_norm.weight", f"{name}_norm.bias"]
        if len(node.shape) == 2:
            return self._put("LayerNormalization", read, f"{at}norm", axis=-1, epsilon=EPSILON)
        read += [f"{name}_norm.running_mean", f"{name}_norm.running_var"]
        return self._put("BatchNormalization", read, f"{at}norm", epsilon=EPSILON)

    def _activate(self, value: str, activation: str, at: str) -> str:
        if activation == "none":
            return value
        if activation in SIMPLE:
            return self._put(SIMPLE[activation], [value], f"{at}{activation}")
        if activation == "silu":
            gate = self._put("Sigmoid", [value], f"{at}silu gate")
            return self._put("Mul", [value, gate], f"{at}silu")
        if activation == "relu6":
            bounds = [self._constant(0.0, f"{at}lowest"), self._constant(6.0, f"{at}highest")]
            return self._put("Clip", [value, *bounds], f"{at}relu6")
        # GELU is an operator only from opset 20 on: x / 2 (1 + erf(x / sqrt 2)).
        scaled = self._put("Div", [value, self._constant(sqrt(2), f"{at}root")], f"{at}scaled")
        share = self._put(
            "Add", [self._put("Erf", [scaled], f"{at}erf"), self._constant(1.0, f"{at}one")], f"{at}share"
        )
        half = self._put("Mul", [value, self._constant(0.5, f"{at}half")], f"{at}halved")
        return self._put("Mul", [half, share], f"{at}gelu")

    def _zeros(self, shape: Shape, value: str, at: str) -> str:
        batch = self._put("Shape", [value], f"{at}batch", end=1)
        whole = self._put("Concat", [batch, self._constant(shape, f"{at}sides")], f"{at}shape", axis=0)
        return self._put("ConstantOfShape", [whole], f"{at}zeros")

    def _squeeze_excite(self, name: str, value: str, activation: str, at: str) -> str:
        pooled = self._put("ReduceMean", [value], f"{at}mean", axes=[2, 3], keepdims=0)
        squeezed = self._activate(self._gemm(f"{name}.squeeze", pooled, f"{at}squeeze "), activation, at)
        gate = self._put("Sigmoid", [self._gemm(f"{name}.excite", squeezed, f"{at}excite ")], f"{at}gate")
        wide = self._put("Reshape", [gate, self._constant([0, -1, 1, 1], f"{at}sides")], f"{at}wide")
        return self._put("Mul", [value, wide], f"{at}scaled image")

    def _mask(self, ids: str, length: int) -> None:
        """Say which ids are words, as `layers.padding_mask` does, for the scores of attention and for means."""
        first = self._put("Constant", [], f"{MASK}first", value=numpy_helper.from_array(np.arange(length) == 0))
        padding = self._put("Equal", [ids, self._constant(PAD, f"{MASK}pad")], f"{MASK}padding")
        words = self._put("Or", [self._put("Not", [padding], f"{MASK}others"), first], f"{MASK}words")
        self._put("Unsqueeze", [words, self._constant([1, 2], f"{MASK}axes")], f"{MASK}read")
        share = self._put("Cast", [words], f"{MASK}ones", to=onnx.TensorProto.FLOAT)
        self._put("Unsqueeze", [share, self._constant([2], f"{MASK}width")], f"{MASK}share")
        self._put("ReduceSum", [f"{MASK}share", self._constant([1], f"{MASK}length")], f"{MASK}count", keepdims=0)

    def _mean_of_words(self, tokens: str, at: str) -> str:
        shares = self._put("Mul", [tokens, f"{MASK}share"], f"{at}words")
        summed = self._put("ReduceSum", [shares, self._constant([1], f"{at}axis")], f"{at}sum", keepdims=0)
        return self._put("Div", [summed, f"{MASK}count"], f"{at}mean")

    def _patches(self, node: Node, name: str, value: str, at: str) -> str:
        size = sides(node.options["size"])
        read = [value, f"{name}.project.weight", f"{name}.project.bias"]
        image = self._put("Conv", read, f"{at}conv", kernel_shape=size, strides=size)
        flat = self._put("Reshape", [image, self._constant([0, 0, -1], f"{at}sides")], f"{at}flat")
        turned = self._put("Transpose", [flat], f"{at}turned", perm=[0, 2, 1])
        return self._put("Add", [turned, f"{name}.positions"], f"{at}tokens")

    def _attention(self, node: Node, name: str, value: str, at: str) -> str:
        length, width = node.shape
        heads = sides(node.options["heads"])[0]
        projected = self._matmul(f"{name}.project", value, f"{at}project ")
        parts = self._constant([0, length, 3, heads, width // heads], f"{at}parts")
        split = self._put("Reshape", [projected, parts], f"{at}split")
        query, key, tokens = (
            self._put("Gather", [split, self._constant(index, f"{at}{what} index")], f"{at}{what}", axis=2)
            for index, what in enumerate(("query", "key", "value"))
        )
        query = self._put("Transpose", [query], f"{at}query rows", perm=[0, 2, 1, 3])
        key = self._put("Transpose", [key], f"{at}key columns", perm=[0, 2, 3, 1])
        tokens = self._put("Transpose", [tokens], f"{at}value rows", perm=[0, 2, 1, 3])
        product = self._put("MatMul", [query, key], f"{at}product")
        root = self._constant(sqrt(width // heads), f"{at}root of the width")
        scores = self._put("Div", [product, root], f"{at}scores")
        if self._is_text:
            never = self._constant(-inf, f"{at}never")
            scores = self._put("Where", [f"{MASK}read", scores, never], f"{at}scores of words")
        weights = self._put("Softmax", [scores], f"{at}weights", axis=-1)
        mixed = self._put("MatMul", [weights, tokens], f"{at}mixed")
        turned = self._put("Transpose", [mixed], f"{at}mixed rows", perm=[0, 2, 1, 3])
        joined = self._put("Reshape", [turned, self._constant([0, length, width], f"{at}sides")], f"{at}joined")
        return self._matmul(f"{name}.join", joined, f"{at}join ")

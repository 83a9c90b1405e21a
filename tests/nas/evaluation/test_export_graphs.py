"""Source and ONNX compute what torch does, whatever the operations and the kind of input."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from hypothesis import given, settings
from onnx import TensorProto, helper
from torch import Tensor

from nas.evaluation.datasets import load
from nas.evaluation.export import onnx_file
from nas.evaluation.export.network_source import network_source
from nas.evaluation.export.source import source
from nas.evaluation.networks import Network
from nas.evaluation.protocol import Split
from nas.spaces.graph import Graph
from tests.nas.evaluation.graphs import graphs, inputs, random_graph, unsettled

IMPORTS = "import torch\nfrom torch import Tensor, nn\nfrom torch.nn import functional as F\n\n\n"


def computed(network: Network) -> tuple[Tensor, Tensor]:
    """Inputs and the logits of them."""
    given = inputs(network.graph.task)
    with torch.no_grad():
        return given, network(given)


def close(found: Tensor, expected: Tensor) -> bool:
    return bool(torch.allclose(found, expected, rtol=1e-4, atol=1e-4 * max(1.0, float(expected.abs().max()))))


@settings(max_examples=30, deadline=None)
@given(graph=graphs)
def test_the_source_rebuilds_the_network(graph: Graph) -> None:
    network = unsettled(graph)
    namespace: dict[str, object] = {}
    exec(IMPORTS + network_source(graph), namespace)
    alone = namespace["Network"]()
    alone.load_state_dict(network.state_dict())
    given, expected = computed(network)
    with torch.no_grad():
        assert close(alone.eval()(given), expected)


@settings(max_examples=30, deadline=None)
@given(graph=graphs)
def test_onnx_computes_the_same(graph: Graph) -> None:
    network = unsettled(graph)
    kind = TensorProto.INT64 if graph.task.kind == "text" else TensorProto.FLOAT
    model = onnx_file.model(network, helper.make_tensor_value_info("given", kind, ["batch", *graph.task.input_shape]))
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    given, expected = computed(network)
    for count in (1, len(given)):
        (found,) = session.run(None, {"given": given[:count].numpy()})
        assert found.dtype == np.float32
        assert close(torch.from_numpy(found), expected[:count])


def test_sources_are_clean(tmp_path: Path) -> None:
    data = load(Split("digits"))
    for seed in range(30):
        (tmp_path / f"model{seed}.py").write_text(source(random_graph(seed), data), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length=120", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout

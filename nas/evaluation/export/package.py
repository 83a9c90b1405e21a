"""Writes everything that a person takes home of a trained network."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from onnx.checker import ValidationError
from onnxruntime.capi.onnxruntime_pybind11_state import Fail
from safetensors.torch import save_file

from nas import codec
from nas.architecture import Architecture
from nas.datasets.catalogue import dataset
from nas.evaluation.batches import Scale
from nas.evaluation.datasets import Data
from nas.evaluation.export import onnx_file
from nas.evaluation.export.card import card
from nas.evaluation.export.source import source
from nas.evaluation.networks import Network, build
from nas.evaluation.protocol import Job
from nas.sentences import Refused
from nas.spaces import catalogue


def write(job: Job, network: Network, data: Data, metrics: Mapping[str, float], device: str) -> tuple[str, ...]:
    """Write the files into the job's folder and return their names; ONNX only where its check passed."""
    folder, graph = Path(job.workdir), network.graph
    folder.mkdir(parents=True, exist_ok=True)
    local = build(graph)
    local.load_state_dict({name: tensor.cpu() for name, tensor in network.state_dict().items()})
    local.eval()
    save_file(local.state_dict(), folder / "weights.safetensors", metadata={"format": "pt"})
    (folder / "model.py").write_text(source(graph, data), encoding="utf-8")
    architecture = json.dumps(_architecture(job, network), indent=2)
    (folder / "architecture.json").write_text(architecture + "\n", encoding="utf-8")
    offered, said = _onnx(folder / "model.onnx", local, data)
    files = ("weights.safetensors", "model.py", *offered, "architecture.json", "model_card.md")
    page = card(job, graph, data, metrics, device=device, files=files, onnx=said)
    (folder / "model_card.md").write_text(page, encoding="utf-8")
    return files


def _onnx(path: Path, network: Network, data: Data) -> tuple[tuple[str, ...], str]:
    scale = Scale.of(data, torch.device("cpu"))
    try:
        onnx_file.write(path, network, data, scale)
        found = onnx_file.difference(path, network, data, scale)
    except (Refused, ValidationError, Fail) as error:
        path.unlink(missing_ok=True)
        return (), f"There is no ONNX file, as it did not pass its check: {error}"
    return (
        path.name,
    ), f"Checked with onnxruntime on test images: no logit differs from torch's by more than {found:.1e}."


def _architecture(job: Job, network: Network) -> dict[str, Any]:
    graph = network.graph
    space = catalogue.build(job.space, dataset(job.split.dataset).task)
    picked = zip(space.decisions, job.choices, strict=True)
    return {
        "space": codec.dump(job.space),
        "choices": list(job.choices),
        "text": catalogue.text_of(space, Architecture(space.name, job.choices)),
        "decisions": {decision.name: decision.options[choice] for decision, choice in picked},
        "task": codec.dump(graph.task),
        "parameters": graph.parameters,
        "multiply_adds": graph.multiply_adds,
        "nodes": [codec.dump(node) | {"label": node.label, "detail": node.detail} for node in graph.nodes],
    }

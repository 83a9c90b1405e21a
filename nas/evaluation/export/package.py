"""Writes everything that a person takes home of a trained network."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import save_file

from nas import codec
from nas.architecture import Architecture
from nas.datasets.catalogue import dataset
from nas.evaluation.batches import Scale
from nas.evaluation.datasets import Data
from nas.evaluation.export import int8, onnx_file, program, runtime, timing
from nas.evaluation.export.card import card
from nas.evaluation.export.encoding import encoding
from nas.evaluation.export.source import source
from nas.evaluation.networks import Network, build
from nas.evaluation.protocol import Job
from nas.sentences import Refused, Sentence
from nas.spaces import catalogue
from nas.speeds import FILE

Told = TypeVar("Told")
CHECKED = "Checked with onnxruntime on test inputs: no output differs from torch's by more than {found:.1e}."


@dataclass(frozen=True)
class Package:
    """The names of the files, why a file is missing, and what was measured of the ONNX files on one thread."""

    files: tuple[str, ...]
    missing: Mapping[str, Sentence]
    metrics: Mapping[str, float]


def write(job: Job, network: Network, data: Data, metrics: Mapping[str, float], device: str) -> Package:
    """Write the files into the job's folder; one whose making or check fails is left out, and the others stay."""
    folder, graph = Path(job.workdir), network.graph
    folder.mkdir(parents=True, exist_ok=True)
    local = build(graph)
    local.load_state_dict({name: tensor.cpu() for name, tensor in network.state_dict().items()})
    local.eval()
    save_file(local.state_dict(), folder / "weights.safetensors", metadata={"format": "pt"})
    (folder / "model.py").write_text(source(graph, data), encoding="utf-8")
    architecture = json.dumps(_architecture(job, network), indent=2)
    (folder / "architecture.json").write_text(architecture + "\n", encoding="utf-8")
    read = dict(encoding(data.known).files)
    for name, content in read.items():
        (folder / name).write_text(content, encoding="utf-8")
    made = _Optional(folder)
    checked = made.attempt("model.onnx", lambda path: _onnx(path, local, data))
    if checked is not None:
        made.measured("onnx", "model.onnx", data)
        if made.attempt("model-int8.onnx", lambda path: _int8(folder / "model.onnx", path, data)) is not None:
            made.measured("int8", "model-int8.onnx", data)
    else:
        made.missing["model-int8.onnx"] = Sentence("It is made from model.onnx, which is missing.")
    made.attempt("model.pt2", lambda path: program.write(path, local, data))
    onnx = folder / "model.onnx" if checked is not None else None
    speeds = made.attempt(FILE, lambda path: timing.write(path, network, data, onnx)) or ()
    files = ("weights.safetensors", "model.py", *read, *made.files, "architecture.json", "model_card.md")
    said = _said(checked, made)
    page = card(job, graph, data, {**metrics, **made.metrics}, device=device, files=files, onnx=said, speeds=speeds)
    (folder / "model_card.md").write_text(page, encoding="utf-8")
    return Package(files, made.missing, made.metrics)


class _Optional:
    """Files that a model can do without: what one of them fails of must not lose the others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[str] = []
        self.missing: dict[str, Sentence] = {}
        self.metrics: dict[str, float] = {}

    def attempt(self, name: str, write: Callable[[Path], Told]) -> Told | None:
        """Return what writing a file tells, None where it is missing."""
        path = self.folder / name
        try:
            told = write(path)
        except Exception as error:  # exporters raise whatever they meet
            path.unlink(missing_ok=True)
            self.missing[name] = error.sentence if isinstance(error, Refused) else _reason(error)
            return None
        self.files.append(name)
        return told

    def measured(self, prefix: str, name: str, data: Data) -> None:
        """Add what onnxruntime measures of a file."""
        self.metrics |= {f"{prefix}_{key}": value for key, value in runtime.measured(self.folder / name, data).items()}


def _onnx(path: Path, network: Network, data: Data) -> float:
    scale = Scale.of(data, torch.device("cpu"))
    onnx_file.write(path, network, data, scale)
    return onnx_file.difference(path, network, data, scale)


def _int8(source: Path, path: Path, data: Data) -> float:
    int8.write(source, path, data, onnx_file.INPUTS[data.known.task.kind])
    return 0.0


def _said(checked: float | None, made: _Optional) -> str:
    told = [] if checked is None else [CHECKED.format(found=checked)]
    return "\n".join([*told, *(f"`{name}` is missing: {reason}" for name, reason in made.missing.items())])


def _reason(error: Exception) -> Sentence:
    message = " ".join(str(error).split())[:300]
    return Sentence("{kind}: {message}", {"kind": type(error).__name__, "message": message})


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

"""What a person takes home works without this project, and says what it is."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from nas import speeds
from nas.evaluation.batches import Scale
from nas.evaluation.costs import Latency
from nas.evaluation.datasets import Data, Part, load
from nas.evaluation.devices import device_name
from nas.evaluation.export import onnx_file, package, timing
from nas.evaluation.export.source import source
from nas.evaluation.networks import Network, build
from nas.evaluation.protocol import Measuring, Split, Training
from nas.events import Ended, Measured
from nas.sentences import Refused
from nas.spaces import catalogue, moves
from nas.spaces.catalogue import SpaceSpec
from nas.strategies.protocol import dice
from tests.nas.evaluation.jobs import digits, events

CPU = torch.device("cpu")
FILES = (
    "weights.safetensors",
    "model.py",
    "model.onnx",
    "model-int8.onnx",
    "model.pt2",
    "latency.json",
    "architecture.json",
    "model_card.md",
)
TITLE = 'Demo\n# "quoted" \\'
EVERYTHING = {
    "pools": ("max 2", "max 3", "average 2", "average 3"),
    "activations": ("relu", "silu", "tanh"),
    "smallest": 1,
}
# Computes logits of the test images with nothing but the exported files.
ALONE = """
import sys; sys.path.insert(0, ".")
import torch
from model import CLASSES, load, preprocess
from safetensors.torch import load_file, save_file
assert not [name for name in sys.modules if name.split(".")[0] in ("nas", "django", "sklearn")]
with torch.no_grad():
    logits = load("weights.safetensors")(preprocess(load_file("pixels.safetensors")["pixels"]))
assert len(CLASSES) == logits.shape[1]
save_file({"logits": logits}, "logits.safetensors")
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Measured]:
    """The folder and the measurement of a small network trained to the end."""
    folder = tmp_path_factory.mktemp("exported")
    measured = events(digits(folder, stage="final", export=True, title=TITLE, epochs=4))[-1]
    assert isinstance(measured, Measured), measured
    return folder, measured


def trained(seed: int, space: str, settings_: dict[str, object]) -> tuple[Network, Data]:
    """A network of the space, its statistics moved away from where they start."""
    data = load(Split("digits"))
    built = catalogue.build(SpaceSpec(space, settings_), data.known.task)
    network = build(built.graph(moves.sample(built, dice(seed, 0))), seed)
    network.train()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.rand(parameter.shape, generator=torch.Generator().manual_seed(seed)))
        network(Scale.of(data, CPU)(data.train.inputs[:64]))
    return network.eval(), data


def test_the_final_stage_leaves_every_file_and_names_it(exported: tuple[Path, Measured]) -> None:
    folder, measured = exported
    assert measured.artifacts == FILES
    assert all((folder / name).stat().st_size > 0 for name in FILES)


def test_the_source_computes_the_same_alone(exported: tuple[Path, Measured]) -> None:
    folder, measured = exported
    data = load(Split("digits"))
    save_file({"pixels": data.test.inputs}, folder / "pixels.safetensors")
    done = subprocess.run([sys.executable, "-I", "-c", ALONE], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    logits = load_file(folder / "logits.safetensors")["logits"]
    accuracy = 100 * int((logits.argmax(1) == data.test.labels).sum()) / len(data.test)
    assert accuracy == pytest.approx(measured.metrics["accuracy"])
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"pixels": data.test.inputs.numpy().astype(np.float32)})
    assert np.abs(found - logits.numpy()).max() < 1e-3


def test_the_8_bit_file_is_smaller_and_nearly_as_good(exported: tuple[Path, Measured]) -> None:
    folder, measured = exported
    metrics = measured.metrics
    assert metrics["onnx_accuracy"] == pytest.approx(metrics["accuracy"])
    assert abs(metrics["int8_accuracy"] - metrics["accuracy"]) < 5
    assert 1000 * metrics["int8_file_kb"] == (folder / "model-int8.onnx").stat().st_size
    assert metrics["int8_file_kb"] < metrics["onnx_file_kb"]
    session = onnxruntime.InferenceSession(folder / "model-int8.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"pixels": load(Split("digits")).test.inputs.numpy().astype(np.float32)})
    right = found.argmax(1) == load(Split("digits")).test.labels.numpy()
    assert 100 * right.mean() == pytest.approx(metrics["int8_accuracy"])


def test_the_program_of_torch_answers_any_number_of_raw_images_alike(exported: tuple[Path, Measured]) -> None:
    folder, measured = exported
    data = load(Split("digits"))
    with torch.no_grad():
        network = torch.export.load(folder / "model.pt2").module()
        logits = network(data.test.inputs.float())
        assert torch.allclose(network(data.test.inputs[:1].float()), logits[:1], atol=1e-4)
    right = int((logits.argmax(1) == data.test.labels).sum())
    assert 100 * right / len(data.test) == pytest.approx(measured.metrics["accuracy"])


def test_an_exporter_that_fails_loses_no_other_file_and_its_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> float:
        raise RuntimeError("an operator that nobody knows")

    monkeypatch.setattr(package.program, "write", fail)
    monkeypatch.setattr(package.onnx_file, "write", fail)
    measured = events(digits(tmp_path, stage="final", export=True, epochs=1))[-1]
    assert isinstance(measured, Measured), measured
    assert measured.artifacts == FILES[:2] + FILES[5:]
    assert {one.runtime for one in speeds.load((tmp_path / "latency.json").read_text())} == {"torch"}
    assert set(measured.missing) == {"model.onnx", "model-int8.onnx", "model.pt2"}
    assert "nobody knows" in str(measured.missing["model.pt2"])
    assert (
        "`model.pt2` is missing: RuntimeError: an operator that nobody knows"
        in (tmp_path / "model_card.md").read_text()
    )


def test_both_runtimes_are_timed_over_batches_with_the_names_of_their_devices(exported: tuple[Path, Measured]) -> None:
    folder, _ = exported
    found = speeds.load((folder / "latency.json").read_text())
    both = [(runtime, batch) for runtime in ("torch", "onnxruntime") for batch in timing.BATCHES]
    assert [(one.runtime, one.batch) for one in found] == both
    assert all(0 < one.median_ms <= one.p95_ms for one in found)
    assert {one.device for one in found} == {device_name(CPU), device_name(CPU, 1)}
    card = (folder / "model_card.md").read_text()
    assert f"| {found[1].place} | 8 | {found[1].median_ms:.3f} ms |" in card


def test_no_larger_batch_is_timed_after_one_that_does_not_fit_or_is_slow() -> None:
    data = load(Split("digits"))
    few = replace(data, test=Part(data.test.inputs[:5], data.test.labels[:5]))
    sizes: list[int] = []

    def fits_eight(inputs: torch.Tensor) -> Latency:
        sizes.append(len(inputs))
        if len(inputs) > 8:
            raise MemoryError
        return Latency(2.0, 3.0)

    assert list(timing.by_batch(fits_eight, few)) == [(1, 2.0, 3.0), (8, 2.0, 3.0)]
    assert sizes == [1, 8, 32]
    assert list(timing.by_batch(lambda _: Latency(251.0, 260.0), few)) == [(1, 251.0, 260.0)]
    with pytest.raises(ZeroDivisionError):
        list(timing.by_batch(lambda _: Latency(1 / 0, 0), few))


def test_the_source_is_clean(exported: tuple[Path, Measured]) -> None:
    folder, _ = exported
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length=120", "model.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_the_architecture_names_every_decision(exported: tuple[Path, Measured]) -> None:
    folder, measured = exported
    told = json.loads((folder / "architecture.json").read_text())
    assert told["decisions"]["layer 2 operation"] == "max 2"
    assert told["parameters"] == measured.metrics["parameters"] == sum(node["parameters"] for node in told["nodes"])


def test_the_card_tells_data_numbers_limits_and_files(exported: tuple[Path, Measured]) -> None:
    folder, measured = exported
    card = (folder / "model_card.md").read_text()
    assert card.startswith('# Demo # "quoted" \\\n')
    accuracy = f"| Accuracy | {measured.metrics['accuracy']:.2f} % |"
    together = "4 epochs on training and validation images together, seed 1"
    for words in (load(Split("digits")).fingerprint, accuracy, "## Limits", "split seed 0", together, *FILES):
        assert words in card
    assert "`model_card.html`: this page, for a browser" in card
    assert "Checked with onnxruntime" in card


def test_the_card_of_a_finalist_tells_how_it_was_trained(tmp_path: Path) -> None:
    training = Training(optimizer="adamw", learning_rate=0.002, schedule="cosine", patience=1)
    changes = {"training": training, "epochs": 1, "measuring": Measuring(latency_batch=4), "holds_validation": True}
    measured = events(digits(tmp_path, stage="final", export=True, **changes))[-1]
    assert isinstance(measured, Measured), measured
    card = (tmp_path / "model_card.md").read_text()
    assert "At most 1 epoch on training images alone, as validation had to tell the finalists apart" in card
    assert "AdamW,\n  cosine peak learning rate 0.002" in card
    assert "Latency, of 4 inputs at once, and speed were measured on CPU" in card


def test_the_final_stage_measures_all_metrics_once_on_the_test_split(exported: tuple[Path, Measured]) -> None:
    _, measured = exported
    percent = {"accuracy", "precision", "recall", "f1", "roc_auc", "top5_accuracy"}
    costs = {"loss", "parameters", "multiply_adds", "depth", "latency_ms", "latency_p95_ms", "training_seconds"}
    others = {"images_per_second", "calibration_error", "generalisation_gap", "file_kb", "peak_memory_mb"}
    of_files = {name for name in measured.metrics if name.startswith(("onnx_", "int8_"))}
    assert set(measured.metrics) - of_files - {"energy_joules"} == percent | costs | others
    kinds = {"accuracy", "latency_ms", "latency_p95_ms", "file_kb"}
    assert of_files == {f"{prefix}_{kind}" for prefix in ("onnx", "int8") for kind in kinds}
    assert all(50 < measured.metrics[name] <= 100 for name in percent)


@pytest.mark.parametrize("space", ["chain", "baseline"])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_onnx_and_source_compute_what_torch_does(
    space: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    network, data = trained(seed, space, EVERYTHING if space == "chain" else {})
    path = tmp_path_factory.getbasetemp() / "one.onnx"
    scale = Scale.of(data, CPU)
    onnx_file.write(path, network, data, scale)
    assert onnx_file.difference(path, network, data, scale) < 1e-3
    namespace: dict[str, object] = {}
    exec(source(network.graph, data), namespace)
    alone = namespace["Network"]()
    alone.load_state_dict(network.state_dict())
    with torch.no_grad():
        images = namespace["preprocess"](data.test.inputs[:9])
        assert torch.allclose(alone.eval()(images), network(scale(data.test.inputs[:9])), atol=1e-4)


def test_an_onnx_file_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    network, data = trained(1, "baseline", {})
    scale = Scale.of(data, CPU)
    onnx_file.write(tmp_path / "model.onnx", network, data, scale)
    with torch.no_grad():
        network.output.bias[0] += 1
    with pytest.raises(Refused, match=r"differ from torch's by 1; at most"):
        onnx_file.difference(tmp_path / "model.onnx", network, data, scale)


def test_an_onnx_file_that_fails_its_check_is_not_offered_and_the_card_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "TOLERANCE", -1.0)
    measured = events(digits(tmp_path, stage="final", export=True, epochs=1))[-1]
    assert isinstance(measured, Measured)
    assert "model.onnx" not in measured.artifacts
    assert not (tmp_path / "model.onnx").exists()
    card = (tmp_path / "model_card.md").read_text()
    assert "`model.onnx` is missing" in card
    assert "`model-int8.onnx` is missing" in card


def test_the_search_stage_measures_validation_and_exports_nothing(tmp_path: Path) -> None:
    measured = events(digits(tmp_path, epochs=1, export=True))[-1]
    assert not isinstance(measured, Ended)
    assert isinstance(measured, Measured)
    costs = {"loss", "parameters", "multiply_adds", "depth", "latency_ms", "training_seconds"}
    assert set(measured.metrics) == costs | {"accuracy", "epochs"}
    assert measured.artifacts == ()

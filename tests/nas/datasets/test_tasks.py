"""A search works on every task: tables, numbers, texts, images that people added."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from nas.__main__ import main
from nas.datasets.adding import remove
from nas.evaluation import datasets
from nas.evaluation.datasets import load
from nas.evaluation.protocol import Job, Split, Training
from nas.evaluation.trained import Trained
from nas.events import EpochEnded, Measured
from nas.objectives import Objective
from nas.plan import Plan, metrics
from nas.sentences import Refused
from nas.spaces import catalogue
from nas.spaces.baseline import BASELINE, Baseline
from nas.spaces.catalogue import SpaceSpec
from tests.nas.datasets.made import TASKS, made

SEARCHED = {"rows": "mlp", "prices": "mlp", "words": "transformer", "pictures": "chain"}
ALONE = """
import sys; sys.path.insert(0, ".")
import torch, model
from safetensors.torch import load_file, save_file
assert not [name for name in sys.modules if name.split(".")[0] in ("nas", "django", "sklearn")]
with torch.no_grad():
    outputs = model.load()(model.preprocess(load_file("inputs.safetensors")["inputs"]))
outputs = model.postprocess(outputs) if hasattr(model, "postprocess") else outputs
save_file({"outputs": outputs}, "outputs.safetensors")
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of added datasets."""
    monkeypatch.setenv("NAS_DATASET_DIR", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


def final(folder: Path, name: str) -> Measured:
    """The measurement of the baseline, trained to the end, with its files."""
    job = Job(
        space=SpaceSpec("baseline", {}),
        choices=(),
        split=Split(name),
        training=Training(learning_rate=0.05, batch_size=32),
        epochs=12,
        seed=1,
        stage="final",
        workdir=str(folder),
        export=True,
    )
    last = list(Trained().evaluate(job))[-1]
    assert isinstance(last, Measured), last
    return last


@pytest.mark.parametrize("name", TASKS)
def test_a_search_on_the_command_line(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(home, name)
    options = ["--space", SEARCHED[name], "--strategy", "random", "--budget", "2", "--epochs", "2"]
    options += ["--final-epochs", "2", "--final-seeds", "1", "--set", "training.learning_rate=0.05"]
    assert main(["search", "--dataset", name, *options, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    usual = "rmse" if TASKS[name].goal == "number" else "accuracy"
    assert all(line["status"] == "measured" and usual in line["metrics"] for line in lines[:-1]), lines
    assert {*lines[-1]["test"]} == {*lines[-1]["baseline"]} >= {usual, "loss", "parameters"}
    searched = [line for line in lines[:-1] if line["stage"] == "search"]
    sign = 1 if usual == "rmse" else -1
    assert [line["scores"] for line in searched] == [[sign * line["metrics"][usual]] for line in searched]


@pytest.mark.parametrize("name", TASKS)
def test_what_is_taken_home_computes_the_same_alone(name: str, home: Path, tmp_path: Path) -> None:
    made(home, name)
    folder = tmp_path / "out"
    measured = final(folder, name)
    assert {"model.onnx", "model-int8.onnx", "model.pt2"} <= {*measured.artifacts}, measured.missing
    data = load(Split(name))
    save_file({"inputs": data.test.inputs}, folder / "inputs.safetensors")
    done = subprocess.run([sys.executable, "-I", "-c", ALONE], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    outputs = load_file(folder / "outputs.safetensors")["outputs"]
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    kind = np.int64 if given.type == "tensor(int64)" else np.float32
    (found,) = session.run(None, {given.name: data.test.inputs.numpy().astype(kind)})
    assert np.allclose(found.reshape(outputs.shape), outputs.numpy(), rtol=1e-3, atol=1e-3)
    if TASKS[name].goal == "number":
        truth = np.load(home / name / "test_labels.npy")
        assert measured.metrics["rmse"] == pytest.approx(root_mean_squared_error(truth, outputs), rel=1e-3)
        assert measured.metrics["mae"] == pytest.approx(mean_absolute_error(truth, outputs), rel=1e-3)
        assert measured.metrics["r2"] == pytest.approx(r2_score(truth, outputs), abs=1e-3)
        assert measured.metrics["r2"] > 0.9, "a linear number is easily told"
    else:
        right = 100 * float((outputs.argmax(1) == data.test.labels).float().mean())
        assert measured.metrics["accuracy"] == pytest.approx(right)
        assert right > 80, "the classes follow from the inputs"


def test_numbers_and_features_are_standardised_by_the_training_part(home: Path) -> None:
    made(home, "prices")
    data = load(Split("prices"))
    assert float(data.train.labels.mean()) == pytest.approx(0, abs=1e-5)
    assert float(data.train.labels.std(correction=0)) == pytest.approx(1, abs=1e-5)
    both = torch.cat([data.train.labels, data.valid.labels]).double() * data.unit + data.centre
    assert np.allclose(np.sort(both.numpy()), np.sort(np.load(home / "prices" / "train_labels.npy")), atol=1e-3)
    assert data.mean == pytest.approx(data.train.inputs.double().mean(0).tolist(), rel=1e-4)


def test_a_number_has_curves_without_accuracy(home: Path, tmp_path: Path) -> None:
    made(home, "prices")
    job = Job(
        SpaceSpec("baseline", {}), (), Split("prices"), Training(learning_rate=0.05), 2, 1, "search", str(tmp_path)
    )
    *_, point, last = Trained().evaluate(job)
    assert isinstance(point, EpochEnded)
    assert isinstance(last, Measured)
    assert point.valid_accuracy is None
    assert point.valid_loss is not None
    assert last.metrics["loss"] == pytest.approx(point.valid_loss, rel=1e-4)


def test_the_objective_follows_the_task(home: Path) -> None:
    made(home, "prices")
    assert Plan(Split("digits"), SpaceSpec("chain", {}), "random").objectives == (Objective("accuracy", "max"),)
    plan = Plan(Split("prices"), SpaceSpec("mlp", {}), "random")
    assert plan.objectives == (Objective("rmse", "min"),)
    assert "accuracy" not in metrics(plan)


@pytest.mark.parametrize("name", TASKS)
def test_only_spaces_that_serve_a_task_are_built(name: str) -> None:
    task = TASKS[name]
    for space in catalogue.SEARCHABLE:
        if space in catalogue.suited(task):
            assert catalogue.build(SpaceSpec(space, {}), task).decisions
        else:
            with pytest.raises(Refused, match=f"no networks for {task.kind} data"):
                catalogue.build(SpaceSpec(space, {}), task)
    assert Baseline(task).graph(BASELINE).nodes[-1].shape == (task.classes,)


def test_data_are_read_once_until_others_are_added_under_the_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(home, "rows")
    made(home, "words")
    first, other = load(Split("rows")), load(Split("words"))
    assert load(Split("rows")) is first
    assert load(Split("words")) is other
    remove("rows")
    made(home, "rows", seed=1)
    second = load(Split("rows"))
    assert second.fingerprint != first.fingerprint
    assert second.size == 500 * 6 * 4 + 500 * 8
    monkeypatch.setattr(datasets, "MOST_BYTES_KEPT", second.size)
    made(home, "prices")
    load(Split("prices"))
    assert load(Split("rows")) is not second, "two did not fit"


def test_a_search_ends_where_its_data_cannot_be_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(home, "rows")
    np.save(home / "rows" / "test_labels.npy", np.array([{"an": "object"}]), allow_pickle=True)
    assert main(["search", "--dataset", "rows", "--space", "mlp", "--strategy", "random", "--budget", "2"]) == 2
    assert "test_labels.npy cannot be read: Array can't be memory-mapped: Python objects" in capsys.readouterr().err

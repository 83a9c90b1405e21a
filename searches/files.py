"""The winner's files, as the final stage left them in the storage."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nas import codec, speeds
from nas.comparing import comparison
from nas.markup import html
from nas.mistakes import pictures
from nas.sentences import Sentence
from searches.figures import Words, title, write
from searches.finals import final_of, spent
from searches.models import Evaluation, Run
from searches.say import say

ABOUT: dict[str, Words] = {
    "weights.safetensors": _("Weights"),
    "model.py": _("PyTorch source, runs without this project"),
    "model.pt2": _("Program of torch.export: any later PyTorch loads it without source"),
    "model.onnx": _("ONNX, checked against PyTorch"),
    "model-int8.onnx": _("ONNX in 8-bit numbers: a quarter of the size"),
    speeds.FILE: _("Latency by batch, in torch and in onnxruntime"),
    "architecture.json": _("The architecture and its choices"),
    "model_card.html": _("Model card: data, metrics, comparison, limits, use"),
    "model_card.md": _("The same as Markdown"),
}
CARDS = ("model_card.html", "model_card.md")
MEASURED = {"model.onnx": "onnx", "model-int8.onnx": "int8"}  # the prefix of a file's metrics


@dataclass(frozen=True)
class ModelFile:
    """One file to take home, or the reason why it is missing."""

    name: str
    path: str
    bytes: int
    about: Words
    measured: str = ""
    problem: str = ""


def model_files(run: Run) -> list[ModelFile]:
    """List the files of the winner, best known ones first; none before the final stage has made them."""
    exported = run.evaluations.filter(export=True, candidate=run.winner, status=Evaluation.Status.MEASURED).first()
    if exported is None:
        return []
    kept = {one["name"]: one for one in exported.artifacts}
    if "model_card.md" in kept:
        kept["model_card.html"] = {**kept["model_card.md"], "name": "model_card.html"}
    names = [*(name for name in ABOUT if name in kept), *(name for name in kept if name not in ABOUT)]
    return [_file(kept[name], exported.metrics) for name in names]


def speeds_of(files: Sequence[ModelFile]) -> tuple[speeds.Speed, ...]:
    """Return how fast the winner's network answers, as its export measured it; none where that cannot be read."""
    path = next((one.path for one in files if one.name == speeds.FILE), "")
    if not path or not default_storage.exists(path):
        return ()
    with default_storage.open(path) as stream, suppress(ValueError):  # a damaged file must not cost the page
        return speeds.load(stream.read().decode("utf-8"))
    return ()


def card_of(run: Run, path: str, name: str) -> str:
    """Return the winner's card with what is known of the final stage by now, as Markdown or as a page."""
    with default_storage.open(path) as stream:
        text = stream.read().decode("utf-8")
    final = final_of(run)
    whole, drawn = (text + comparison(final, spent(run)), pictures(final)) if final else (text, {})
    return html(whole, drawn) if name.endswith(".html") else whole


def _file(one: Mapping[str, Any], metrics: Mapping[str, float]) -> ModelFile:
    name = one["name"]
    problem = say(codec.load(Sentence, one["problem"])) if "problem" in one else ""
    return ModelFile(
        name, one.get("path", ""), one.get("bytes", 0), ABOUT.get(name, ""), _measured(name, metrics), problem
    )


def _measured(name: str, metrics: Mapping[str, float]) -> str:
    """Say how fast an ONNX file is, and how good."""
    prefix = MEASURED.get(name, "")
    told = {key.removeprefix(f"{prefix}_"): value for key, value in metrics.items() if key.startswith(f"{prefix}_")}
    if not prefix or "latency_ms" not in told:
        return ""
    values = {key: write(key, told[key]) for key in ("latency_ms", "latency_p95_ms")}
    said = gettext("%(latency_ms)s in onnxruntime on one thread, 95 %% within %(latency_p95_ms)s") % values
    quality = next((key for key in ("accuracy", "rmse") if key in told), "")
    return f"{said}; {title(quality)} {write(quality, told[quality])}" if quality else said

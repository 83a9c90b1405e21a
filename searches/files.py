"""The winner's files, as the final stage left them in the storage."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from searches.figures import Words
from searches.models import Evaluation, Run

ABOUT: dict[str, Words] = {
    "weights.safetensors": _("Weights"),
    "model.py": _("PyTorch source, runs without this project"),
    "model.onnx": _("ONNX, checked against PyTorch"),
    "architecture.json": _("The architecture and its choices"),
    "model_card.md": _("Model card: data, metrics, limits, use"),
}


@dataclass(frozen=True)
class ModelFile:
    """One file to take home."""

    name: str
    path: str
    bytes: int
    about: Words


def model_files(run: Run) -> list[ModelFile]:
    """List the files of the winner, best known ones first; none before the final stage has made them."""
    exported = run.evaluations.filter(export=True, candidate=run.winner, status=Evaluation.Status.MEASURED).first()
    kept = {one["name"]: one for one in exported.artifacts} if exported else {}
    names = [*(name for name in ABOUT if name in kept), *(name for name in kept if name not in ABOUT)]
    return [ModelFile(name, kept[name]["path"], kept[name]["bytes"], ABOUT.get(name, "")) for name in names]

"""Where evaluations keep their files: a local work folder while they run, the storage for what is kept."""

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from searches.models import Evaluation, Run


def workdir(evaluation: Evaluation) -> Path:
    """Return the folder of an evaluation's checkpoint, the same for every attempt; made where it is missing.

    The rungs of one architecture share theirs, so that a higher one goes on where the lower one ended.
    """
    name = f"rungs-{evaluation.of.key}" if _is_rung(evaluation) else f"evaluation-{evaluation.pk}"
    folder = _folder_of_run(evaluation) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def shared(evaluation: Evaluation) -> Path:
    """Return the folder of what all evaluations of a run have in common, made by whoever writes first."""
    return _folder_of_run(evaluation) / "shared"


def keep(evaluation: Evaluation, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Copy finished files from the work folder into the storage; returns name, path and bytes of each."""
    kept = []
    for name in names:
        source = workdir(evaluation) / name
        path = f"runs/{evaluation.run_id}/evaluation-{evaluation.pk}-{evaluation.attempt}/{name}"
        # An attempt that was cut off while copying leaves a file behind; a second copy must not get another name.
        if default_storage.exists(path):
            default_storage.delete(path)
        with source.open("rb") as stream:
            stored = default_storage.save(path, File(stream))
        kept.append({"name": name, "path": stored, "bytes": source.stat().st_size})
    return kept


def clear(evaluation: Evaluation) -> None:
    """Remove the work folder of an evaluation that is over; what is shared stays until the final stage."""
    if evaluation.stage == Run.Stage.FINAL:
        for folder in (*_folder_of_run(evaluation).glob("rungs-*"), shared(evaluation)):
            shutil.rmtree(folder, ignore_errors=True)
    if not _is_rung(evaluation):
        shutil.rmtree(workdir(evaluation), ignore_errors=True)


def _is_rung(evaluation: Evaluation) -> bool:
    return evaluation.stage == Run.Stage.SEARCH and evaluation.of.fidelity > 0


def _folder_of_run(evaluation: Evaluation) -> Path:
    return Path(settings.NASWEB_HOME) / "work" / f"run-{evaluation.run_id}"

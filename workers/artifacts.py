"""Where evaluations keep their files: a local work folder while they run, the storage for what is kept."""

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from searches.models import Evaluation


def workdir(evaluation: Evaluation) -> Path:
    """Return the folder of an evaluation's checkpoint, the same for every attempt; made where it is missing."""
    folder = Path(settings.NASWEB_HOME) / "work" / f"run-{evaluation.run_id}" / f"evaluation-{evaluation.pk}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


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
    """Remove the work folder of an evaluation that is over."""
    shutil.rmtree(workdir(evaluation), ignore_errors=True)

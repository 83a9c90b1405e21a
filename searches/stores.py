"""The datasets that were added here, as the web application asks for them: names, places, moving one into its place."""

import os
from pathlib import Path

from nas.datasets import added, storing
from nas.sentences import Refused
from searches.models import Run, Upload

TAKEN = "There is already a dataset {name}."


def check_name(name: str) -> None:
    """Raise Refused where no dataset can be called so, or one is already."""
    storing.check_name(name, storing.place(None))


def is_in_place(upload: Upload) -> bool:
    """Tell whether what an earlier attempt found was moved into its place before the row could say so."""
    there = added.find(upload.name)
    return bool(there and upload.report_json and there.fingerprint == upload.report_json["fingerprint"])


def put_in_place(upload: Upload, staging: Path) -> None:
    """Move a dataset that was made in `staging` to where datasets are found; raises Refused where the name is taken."""
    try:
        os.rename(staging / upload.name, storing.place(None) / upload.name)
    except OSError as error:
        if not is_in_place(upload):
            raise Refused(TAKEN, name=upload.name) from error


def uses_of(name: str) -> list[Run]:
    """Return the searches that train on a dataset, drafts among them, the latest first."""
    runs = Run.objects.filter(plan_json__split__dataset=name).exclude(plan_json__evaluator="table")
    return list(runs.only("name", "status").order_by("-pk"))

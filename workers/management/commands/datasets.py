"""Says which datasets are there, adds one, takes one away, and downloads: nothing else of the product does."""

import argparse
import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from nas.datasets import added
from nas.datasets.adding import KINDS, add, remove
from nas.datasets.catalogue import dataset
from nas.datasets.known import DATASETS, Dataset
from nas.datasets.places import folder
from nas.datasets.report import Report
from nas.evaluation.downloads import fetch
from nas.sentences import Refused
from searches.models import Run

ENDINGS = {".zip": "images", ".csv": "table", ".tsv": "text", ".txt": "text"}


class Command(BaseCommand):
    """`manage.py datasets`."""

    help = "List the datasets, add one, take one away."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what can be done."""
        acts = parser.add_subparsers(dest="act", required=True)
        adding = acts.add_parser("add", help="add a dataset from a file or folder, or look for a known one")
        adding.add_argument(
            "source",
            help="a zip or folder of class folders, a CSV, a TSV of sentences, a folder below NAS_DATA_DIR; or one of "
            + ", ".join(DATASETS),
        )
        adding.add_argument("--kind", choices=KINDS, default="", help="default: what the ending of the file says")
        adding.add_argument("--name", default="", help="name to find it by; default: that of the file")
        adding.add_argument("--title", default="", help="what people read; default: the name of the file")
        adding.add_argument("--target", default="", help="column to be told; default: the last one, of texts label")
        adding.add_argument("--goal", choices=("classes", "number"), default="", help="default: what the column holds")
        adding.add_argument(
            "--side", type=int, default=0, help="side of the images in pixels; default: theirs, up to 64"
        )
        adding.add_argument("--test", type=Path, help="a second file for the test part; default: a share is cut off")
        adding.add_argument("--download", action="store_true", help="fetch a known one from where its authors put it")
        removing = acts.add_parser("remove", help="take an added dataset away")
        removing.add_argument("name")
        acts.add_parser("list", help="every dataset, and where its files are")

    def handle(self, *_: Any, act: str, **options: Any) -> None:
        """Do it, or say in a sentence why not."""
        try:
            if act == "add" and options["source"] in DATASETS:
                self._look(dataset(options["source"]), download=options["download"])
            elif act == "add":
                self._add(_found(options["source"]), options)
            elif act == "remove":
                self._remove(options["name"])
            else:
                self._list()
        except Refused as refused:
            raise CommandError(str(refused)) from refused

    def _look(self, known: Dataset, *, download: bool) -> None:
        try:
            folder(known, settings.NAS_DATA_DIRS)
        except Refused as refused:
            if not download:
                raise CommandError(f"{refused} Or let --download fetch it.") from refused
            fetch(known, settings.DOWNLOADS)
        self.stdout.write(f"{known.title} is there: {_where(known)}")

    def _add(self, source: Path, options: dict[str, Any]) -> None:
        stem = source.name if source.is_dir() else source.name.removesuffix(".gz").rpartition(".")[0]
        name = options["name"] or re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-_")
        kind = options["kind"] or ("images" if source.is_dir() else ENDINGS.get(_ending(source), ""))
        if not kind:
            raise CommandError(f"What {source.name} holds its ending does not say; say --kind.")
        how = {key: options[key] for key in ("target", "goal", "side", "test")}
        for item in add(source, name=name, title=options["title"] or stem, kind=kind, **how):
            if isinstance(item, Report):
                self._report(name, item)
            elif item.total and self.stdout.isatty():
                self.stdout.write(f"\r{item.what} {item.done}/{item.total}\x1b[K", ending="")

    def _report(self, name: str, report: Report) -> None:
        for problem in report.problems:
            self.stdout.write(f"left out {problem.where}: {problem.sentence}")
        for warning in report.warnings:
            self.stdout.write(f"note: {warning}")
        for part, counts in report.counts.items():
            each = ", ".join(f"{label} {count}" for label, count in counts.items() if label)
            self.stdout.write(f"{part}: {sum(counts.values()):,} rows{f' ({each})' if each else ''}")
        if report.duplicates:
            self.stdout.write(f"{report.duplicates} rows of the test part were taken out of the training part.")
        self.stdout.write(f"{name} was added: {report.size / 1e6:.1f} MB, fingerprint {report.fingerprint[:12]}")

    def _remove(self, name: str) -> None:
        users = [run.name for run in Run.objects.filter(plan_json__split__dataset=name) if not run.plan.is_rehearsal]
        if users:
            raise CommandError(f"{name} is used by {len(users)} searches, such as {users[0]}; delete them first.")
        remove(name)
        self.stdout.write(f"{name} was taken away.")

    def _list(self) -> None:
        for known in DATASETS.values():
            self.stdout.write(f"{known.name:<16}{_where(known)}")
        for one in added.added():
            rows = f"{one.train:,} rows to learn from, {one.test:,} to test"
            self.stdout.write(f"{one.name:<16}added, {one.task.kind}, {rows}, {one.report.size / 1e6:.1f} MB")
        for refused in added.broken():
            self.stdout.write(str(refused))


def _found(source: str) -> Path:
    """Return a path as given, or the folder of that name below a configured root."""
    path = Path(source).expanduser()
    roots = [root / source for root in settings.NAS_DATA_DIRS]
    found = next((place for place in (path, *roots) if place.exists()), None)
    if found is None:
        dataset(source)  # which says that there is none of that name
        raise Refused("There is already a dataset {name}.", name=source)
    return found


def _ending(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _where(known: Dataset) -> str:
    try:
        return str(folder(known, settings.NAS_DATA_DIRS) or "comes with the installation")
    except Refused:
        return "not found"

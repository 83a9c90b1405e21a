"""Says which datasets are there, and downloads one where asked to: nothing else of the product does."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from nas.datasets.catalogue import dataset
from nas.datasets.known import DATASETS, Dataset
from nas.datasets.places import folder
from nas.evaluation.downloads import fetch
from nas.sentences import Refused


class Command(BaseCommand):
    """`manage.py datasets`."""

    help = "List the datasets, or add one."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what can be done."""
        acts = parser.add_subparsers(dest="act", required=True)
        adding = acts.add_parser("add", help="look for a dataset's files, and download them with --download")
        adding.add_argument("name", help=", ".join(DATASETS))
        adding.add_argument("--download", action="store_true", help="fetch the files from where their authors put them")
        acts.add_parser("list", help="every dataset, and where its files are")

    def handle(self, *_: Any, act: str, **options: Any) -> None:
        """Do it, or say in a sentence why not."""
        try:
            if act == "add":
                self._add(dataset(options["name"]), download=options["download"])
            else:
                for known in DATASETS.values():
                    self.stdout.write(f"{known.name:<16}{_where(known)}")
        except Refused as refused:
            raise CommandError(str(refused)) from refused

    def _add(self, known: Dataset, *, download: bool) -> None:
        try:
            folder(known, settings.NAS_DATA_DIRS)
        except Refused as refused:
            if not download:
                raise CommandError(f"{refused} Or let --download fetch it.") from refused
            fetch(known, settings.DOWNLOADS)
        self.stdout.write(f"{known.title} is there: {_where(known)}")


def _where(known: Dataset) -> str:
    try:
        return str(folder(known, settings.NAS_DATA_DIRS) or "comes with the installation")
    except Refused:
        return "not found"

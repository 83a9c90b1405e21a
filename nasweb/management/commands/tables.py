"""Adds tables to rehearse on, and lists those there are."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nas.sentences import Refused
from nas.tables import places, writing
from nas.tables.table import Table


class Command(BaseCommand):
    """`manage.py tables`."""

    help = "Add a table of trained networks to rehearse on, or list the tables there are."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what can be done."""
        acts = parser.add_subparsers(dest="act", required=True)
        adding = acts.add_parser("add", help="check a .npz or .csv file and keep a copy of it")
        adding.add_argument("file", type=Path)
        adding.add_argument("--name", help="short name; default: from the file's")
        adding.add_argument("--title", default="", help="what people call it, of a .csv file")
        acts.add_parser("list", help="every table: name, networks, columns, title, file")

    def handle(self, *_: Any, act: str, **options: Any) -> None:
        """Do it, or say in a sentence why not."""
        try:
            if act == "add":
                self._add(options["file"], options["name"], options["title"])
            else:
                self._list()
        except Refused as refused:
            raise CommandError(str(refused)) from refused

    def _add(self, file: Path, name: str | None, title: str) -> None:
        table = writing.add(file, name or writing.name_of(file.name), title)
        self.stdout.write(
            f"Added {table.name}: {table.title}, {len(table)} networks, {len(table.decisions)} decisions, "
            f"{len(table.columns)} columns."
        )

    def _list(self) -> None:
        for path, found in places.survey():
            if isinstance(found, Table):
                about = f"{len(found):>9,} networks {len(found.columns):>4} columns  {found.title}"
            else:
                about = f"cannot be read: {found}"
            self.stdout.write(f"{path.stem:<24}{about}  {path}")

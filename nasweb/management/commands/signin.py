"""Prints a link that signs a person in once."""

import argparse
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from nasweb.embedded.stack import is_running
from nasweb.signin import ADMIN, ensure_admin, sign_in_path


class Command(BaseCommand):
    """`manage.py signin`."""

    help = "Print a link that signs a person in once, within a day."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what can be chosen."""
        parser.add_argument("--user", default=ADMIN, help=f"default: {ADMIN}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link."""
        name = options["user"]
        try:
            user = ensure_admin() if name == ADMIN else User.objects.filter(username=name, is_active=True).first()
            if user is None:
                raise CommandError(f"There is no user {name}.", returncode=2)
            path = sign_in_path(user)
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used ({error}). Was NASWeb started?", returncode=2) from error
        running = is_running()
        usual = f"http://{settings.NASWEB_HOST}:{settings.NASWEB_PORT}"
        self.stdout.write(f"{running.address if running and running.address else usual}{path}")

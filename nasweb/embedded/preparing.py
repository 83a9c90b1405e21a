"""What must be in order before the stack starts."""

import shutil
import socket
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from nas.sentences import Refused
from nasweb.signin import ensure_admin

LEAST_FREE = 50_000_000


def listen(host: str, port: int) -> socket.socket:
    """Open the port for the pages (0: any free one); raises Refused where it is taken or not ours to open."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise Refused(
            "Cannot open port {port} on {host}: {reason}. Choose another: make run PORT=8001",
            port=str(port),
            host=host,
            reason=(error.strerror or str(error)).lower(),
        ) from error
    except OverflowError:
        listener.close()
        raise Refused("Port {port} is not between 0 and 65535.", port=str(port)) from None
    return listener


def check_disk(home: Path) -> None:
    """Raise Refused where the disk of the home folder is as good as full."""
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE:
        raise Refused(
            "Only {free} MB are free on the disk of {home}; NASWEB_HOME needs at least {least} MB.",
            free=free // 1_000_000,
            home=str(home),
            least=LEAST_FREE // 1_000_000,
        )


def prepare_database() -> bool:
    """Bring the tables up to date and make the first user; tells whether there was anything to migrate.

    Raises Refused where the database cannot be used, or was made by a newer version.
    """
    try:
        loader = MigrationLoader(connection)
        applied = set(loader.applied_migrations)
        unknown = sorted(f"{app}.{name}" for app, name in applied - set(loader.disk_migrations))
        if unknown:
            raise Refused(
                "The database was made by another version of NASWeb: this one does not know {migration}. "
                "Start the version that made it, or choose another NASWEB_HOME (now {home}).",
                migration=unknown[0],
                home=str(settings.NASWEB_HOME),
            )
        behind = bool(set(loader.graph.nodes) - applied)
        if behind:
            call_command("migrate", verbosity=0, interactive=False)
        ensure_admin()
    except DatabaseError as error:
        raise Refused(
            "Cannot use the database {name}: {reason}.",
            name=str(settings.DATABASES["default"]["NAME"]),
            reason=" ".join(str(error).split()),
        ) from error
    finally:
        connection.close()
    return behind

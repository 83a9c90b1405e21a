#!/usr/bin/env python3
"""Runs a command of NASWeb: `python manage.py help` lists them."""

import os
import sys


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 (that is what it finds out)
        print(f"NASWeb needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nasweb.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed; `make run` installs all that is needed.", file=sys.stderr)
        return 2
    from nas.sentences import Refused

    try:
        # Django would hide an error in the settings behind "unknown command".
        import nasweb.settings  # noqa: F401

        execute_from_command_line(sys.argv)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

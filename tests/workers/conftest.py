"""The rows of tests/searches, and one warm runner for all."""

import pytest

from tests.searches.conftest import _in_memory, alice, kinds, make_run, worker  # noqa: F401
from workers.warm import Runner


@pytest.fixture(scope="session")
def warm():
    runner = Runner()
    yield runner
    runner.kill()


@pytest.fixture(autouse=True)
def _home(settings, tmp_path):
    settings.NASWEB_HOME = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "storage"},
        },
    }

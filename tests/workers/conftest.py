"""The rows of tests/searches, and one warm runner for all."""

import pytest

from tests.searches.conftest import _in_memory, alice, kinds, make_run, worker  # noqa: F401
from workers.warm import Runner


@pytest.fixture(scope="session")
def _runners():
    runners = [Runner()]
    yield runners
    for runner in runners:
        runner.kill()


@pytest.fixture
def warm(_runners):
    """The runner, a new one where a busy machine made the last test kill it, as a worker would take."""
    if not _runners[-1].is_alive:
        _runners.append(Runner())
    return _runners[-1]


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

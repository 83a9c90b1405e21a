"""What all tests share. The environment is set before anything loads Django's settings."""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.chromium import CHROMIUM, CHROMIUM_ARGUMENTS

DRIVES_A_STACK = ("tests/browser/", "tests/crash/")
HOME = Path(tempfile.mkdtemp(prefix="nasweb-tests-"))
for name in [name for name in os.environ if name.startswith("NASWEB_")]:
    del os.environ[name]
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "nasweb.settings",
    # Playwright keeps an event loop in this thread, and Django would refuse the database there.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
    "NASWEB_HOME": str(HOME),
    # Threads of several processes that wait for each other on a busy machine make an epoch a hundred times slower.
    "OMP_NUM_THREADS": "1",
    "BROKER_URL": "memory://",
    "CHANNEL_URL": "memory://",
}
os.environ.pop("DATABASE_URL", None)
os.environ.pop("STORAGE_URL", None)
django.setup()
# How long an example takes says how busy the machine is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Skip what needs a browser where there is none; begin with what drives a stack, as that takes longest."""
    missing = pytest.mark.skip(reason="no Chromium; apt-get install chromium")
    for item in items:
        if item.get_closest_marker("browser") and CHROMIUM is None:
            item.add_marker(missing)
    yield
    items.sort(key=lambda item: not item.nodeid.startswith(DRIVES_A_STACK))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Hand whole files to the processes of `-n`, and all that drive a stack to one."""
    return OneStack(config, log)


class OneStack(LoadScopeScheduling):
    """Never has two stacks at once: they would take each other's cores, and the leases of these are short."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(DRIVES_A_STACK) else nodeid.partition("::")[0]


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Put the test database into a file: one in memory has other locks than people's."""
    from django.db import connection

    connection.settings_dict["TEST"]["NAME"] = str(HOME / "test.sqlite3")


@pytest.fixture(scope="session")
def base_url() -> str:
    """Stand in for pytest-base-url's own fixture, whose form pytest 9 deprecates."""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the Chromium of the system."""
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Any"]:
    """A whole running NASWeb with two workers and short leases (see `tests.running.Stack`)."""
    from tests.running import Stack

    running = Stack(tmp_path_factory.mktemp("stack") / "home").start()
    yield running
    running.stop()


@pytest.fixture
def watch(page: Any) -> Iterator[list[str]]:
    """Fail the test on any console error, page error or request that leaves this machine; a list to add exceptions to.

    Yields a list of texts that are expected: a complaint that contains one of them is no failure.
    """
    expected: list[str] = []
    complaints: list[str] = []

    def look_at(request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")):
            complaints.append(f"a request left the machine: {request.url}")

    page.on("request", look_at)
    page.on("websocket", look_at)
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    page.on(
        "console",
        lambda message: complaints.append(f"console: {message.text}") if message.type == "error" else None,
    )
    yield expected
    unexpected = [told for told in complaints if not any(known in told for known in expected)]
    assert not unexpected, "\n".join(unexpected)


@pytest.fixture(scope="session")
def admission() -> list[Any]:
    """The cookie of the stack's admin, once somebody has used a link; another link takes a process and a second."""
    return []


@pytest.fixture
def signed_in(stack: Any, page: Any, watch: list[str], admission: list[Any]) -> Any:
    """A browser page of the running stack, signed in as admin, under `watch`."""
    if admission:
        page.context.add_cookies(admission)
        return page
    page.goto(stack.sign_in_link())
    admission += [cookie for cookie in page.context.cookies() if cookie["name"] == "sessionid"]
    return page

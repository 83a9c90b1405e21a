"""The programs that the embedded stack is made of."""

import signal
import socket
import sys
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

from django.conf import settings

from nasweb.embedded import devices, valkey
from nasweb.embedded.process import Part
from nasweb.home import REPOSITORY, load_secrets, socket_path

# Workers give their leases back first; the sweep and the pages may go then; the broker serves all of them to the end.
WORKERS_STAGE, WEB_STAGE, BROKER_STAGE = range(3)
MANAGE = str(REPOSITORY / "manage.py")


def parts(workers: int, listener: socket.socket | None) -> list[Part]:
    """Return the parts in the order in which they start; without a listener there are no pages.

    The broker is only among them where the environment names no other. Raises Refused where there is no Valkey.
    """
    chosen = [_broker(settings.NASWEB_HOME)] if settings.EMBEDDED else []
    if listener is not None:
        chosen.append(_web(listener))
    chosen.append(Part("sweep", (sys.executable, MANAGE, "sweep", "--skip-checks"), WEB_STAGE))
    gpus = devices.gpus()
    return [*chosen, *(_worker(index, workers, gpus) for index in range(workers))]


def _broker(home: Path) -> Part:
    password = load_secrets(home).valkey_password
    path = socket_path(home)
    program = valkey.program()
    configuration = valkey.write_configuration(home / "valkey", path, password)
    return Part(
        "valkey",
        (str(program), str(configuration)),
        BROKER_STAGE,
        ready=partial(valkey.answers, path, password),
        dies_by=signal.SIGTERM,
    )


def _web(listener: socket.socket) -> Part:
    port = listener.getsockname()[1]
    return Part(
        "web",
        (sys.executable, "-m", "nasweb.embedded.web", str(listener.fileno())),
        WEB_STAGE,
        files=(listener.fileno(),),
        ready=partial(_serves, f"http://{reachable_host(listener)}:{port}/health"),
    )


def _worker(index: int, workers: int, gpus: list[str]) -> Part:
    name = f"worker{index}"
    command = (
        *(sys.executable, "-m", "celery", "-A", "nasweb", "worker", "-n", f"{name}@%h", "-P", "prefork", "-c", "1"),
        *("-Q", settings.DEFAULT_QUEUE, "-l", "INFO", "--without-gossip", "--without-mingle"),
    )
    # Django's checks would have every worker load the pages.
    environment = {"CELERY_SKIP_CHECKS": "1", **devices.worker_environment(index, workers, gpus)}
    return Part(name, command, WORKERS_STAGE, environment)


def reachable_host(listener: socket.socket) -> str:
    """Return the host by which this machine itself reaches the listener."""
    host = str(listener.getsockname()[0])
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def _serves(address: str) -> bool:
    # No proxy: the environment of a person behind one must not send this away from the machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False

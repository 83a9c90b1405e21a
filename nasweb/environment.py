"""Readings of the environment: addresses of databases, storage and hosts as Django wants them."""

import os
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psutil

from nas.sentences import Refused

EVERYWHERE = {"0.0.0.0", "::"}
SQLITE = {
    "timeout": 30,
    # Without IMMEDIATE two writers that began by reading fail at once with "database is locked", whatever the timeout.
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
    "PRAGMA mmap_size=134217728;PRAGMA journal_size_limit=67108864;",
}


def number(name: str, default: float) -> float:
    """Return the number in that variable; raises Refused where it is none."""
    text = os.environ.get(name, "")
    try:
        return float(text) if text else default
    except ValueError:
        raise Refused("{name} must be a number, not {text}.", name=name, text=text) from None


def words(name: str, separator: str = ",") -> list[str]:
    """Return the non-empty parts of that variable."""
    return [part.strip() for part in os.environ.get(name, "").split(separator) if part.strip()]


def database(url: str, home: Path) -> dict[str, Any]:
    """Return Django's settings of the database at that address; none given: SQLite in the home folder."""
    parts = urlsplit(url)
    if not url or parts.scheme == "sqlite":
        name = unquote(parts.path[1:]) if url else str(home / "nasweb.sqlite3")
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": SQLITE}
    if parts.scheme not in {"postgres", "postgresql"}:
        raise Refused("DATABASE_URL must begin with postgresql:// or sqlite:///, not {scheme}.", scheme=parts.scheme)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def storage(url: str, home: Path) -> dict[str, Any]:
    """Return Django's settings of the storage at that address: a folder, or s3://bucket/prefix?endpoint_url=..."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        if find_spec("storages") is None or find_spec("boto3") is None:
            raise Refused("STORAGE_URL {url} needs one more package: pip install 'django-storages[s3]'.", url=url)
        options = {"bucket_name": parts.netloc, "location": parts.path.strip("/"), **dict(parse_qsl(parts.query))}
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    if parts.scheme not in {"", "file"}:
        raise Refused("STORAGE_URL must be a folder or begin with s3://, not {scheme}.", scheme=parts.scheme)
    folder = Path(unquote(parts.path)) if url else home / "storage"
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}


def channel_layer(url: str) -> dict[str, Any]:
    """Return Channels' settings of the layer at that address; memory:// serves one process only."""
    if url.startswith("memory:"):
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    # A socket timeout would end an idle consumer.
    hosts = [{"address": url, "socket_timeout": None}]
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": hosts, "prefix": "nas"},
    }


def allowed_hosts(host: str) -> list[str]:
    """Return the names by which a browser may reach a server that listens on that host."""
    named = words("NASWEB_ALLOWED_HOSTS")
    if named:
        return named
    local = ["localhost", "127.0.0.1", "[::1]"]
    if host not in EVERYWHERE:
        return [*local, host]
    # Listening everywhere still means this machine only: its own names and addresses, not whatever a page claims.
    addresses = {address.address for interface in psutil.net_if_addrs().values() for address in interface}
    return [*local, socket.gethostname(), socket.getfqdn(), *sorted(address for address in addresses if "." in address)]

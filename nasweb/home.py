"""Where an installation keeps its things, and the secrets that it makes for itself on first start."""

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from nas.sentences import Refused

REPOSITORY = Path(__file__).resolve().parent.parent
# A unix socket's path must fit in sockaddr_un: 108 bytes on Linux, 104 on macOS.
LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True)
class Secrets:
    """What only this installation knows."""

    secret_key: str
    valkey_password: str


def home() -> Path:
    """Return NASWEB_HOME (default: var/ beside the code), made if it is missing; raises Refused if it cannot be."""
    place = Path(os.environ.get("NASWEB_HOME") or REPOSITORY / "var").expanduser().absolute()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused("Cannot make the folder {home}: {reason}.", home=str(place), reason=_reason(error)) from error
    if not os.access(place, os.W_OK | os.X_OK):
        raise Refused("Cannot write in the folder {home}. Make it writable, or set NASWEB_HOME.", home=str(place))
    return place


def load_secrets(place: Path) -> Secrets:
    """Return the installation's secrets, made on first use; two processes that start at once agree on them."""
    file = place / "secrets.json"
    if not file.exists():
        _make_secrets(file)
    try:
        return Secrets(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise Refused(
            "Cannot read {file}: {reason}. Restore it, or remove it to have new secrets made.",
            file=str(file),
            reason=_reason(error),
        ) from error


def socket_path(place: Path) -> Path:
    """Return the path of Valkey's unix socket for this home: inside it, or, if too long, a private temporary one."""
    inside = place / "valkey" / "valkey.sock"
    if len(os.fsencode(inside)) < LONGEST_SOCKET_PATH:
        return inside
    name = f"nasweb-{os.getuid()}-{sha256(os.fsencode(place)).hexdigest()[:16]}"
    return Path(tempfile.gettempdir()) / name / "valkey.sock"


def _make_secrets(file: Path) -> None:
    fresh = {"secret_key": secrets.token_urlsafe(48), "valkey_password": secrets.token_urlsafe(24)}
    try:
        # mkstemp makes the file 0600; linking it into place fails if another process was first: then its file holds.
        descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=".secrets-")
        with os.fdopen(descriptor, "w") as stream:
            json.dump(fresh, stream)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    except OSError as error:
        raise Refused("Cannot write {file}: {reason}.", file=str(file), reason=_reason(error)) from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__

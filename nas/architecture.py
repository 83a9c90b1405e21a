"""The small immutable values that everything else translates: a question of a space, and one architecture of it."""

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """One question of a space and its options, in order."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A space's name and, per decision, the index of the option picked."""

    space: str
    choices: tuple[int, ...]

    @property
    def key(self) -> str:
        """A short hash that is the same in every process and on every machine."""
        text = json.dumps([self.space, list(self.choices)], separators=(",", ":"))
        return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()

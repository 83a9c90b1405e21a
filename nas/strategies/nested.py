"""The state of a strategy that is wrapped in another one."""

from collections.abc import Mapping
from typing import Any

from nas import codec
from nas.strategies.protocol import AnyStrategy


def opened(inner: AnyStrategy, state: Any) -> Any:
    """Return the inner state: out of the database it is plain JSON, between two calls in one process what it is."""
    return codec.load(inner.state, state) if isinstance(state, Mapping) else state

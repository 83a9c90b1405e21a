"""Frozen dataclasses to plain JSON values and back, led by type hints; the only serialiser of the engine."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

from nas.sentences import Refused

T = TypeVar("T")


def dump(value: Any) -> Any:
    """Return `value` as dicts, lists and scalars that JSON can carry."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: dump(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): dump(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [dump(item) for item in value]
    return value


def load(kind: type[T], data: Any) -> T:
    """Rebuild a value of `kind` from what `dump` made of it; raises Refused where it does not fit."""
    return typing.cast(T, _load(kind, data, kind.__name__))


def dump_tagged(value: Any) -> dict[str, Any]:
    """Dump a dataclass with its own name under "type", for a union of record types."""
    return {"type": type(value).__name__, **dump(value)}


def load_tagged(kinds: tuple[type, ...], data: Mapping[str, Any]) -> Any:
    """Rebuild the record that `dump_tagged` named; raises Refused for a name not among `kinds`."""
    for kind in kinds:
        if kind.__name__ == data.get("type"):
            return load(kind, {key: item for key, item in data.items() if key != "type"})
    raise Refused("There is no record of type {name}.", name=str(data.get("type")))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _load(kind: Any, data: Any, where: str) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return data
    if origin in (Union, types.UnionType):
        return _load_optional(kind, data, where)
    if origin is typing.Literal:
        return _checked(data in get_args(kind), data, kind, where)
    if origin is tuple:
        return _load_tuple(kind, data, where)
    if origin is list:
        (item,) = get_args(kind)
        return [_load(item, value, where) for value in _checked(isinstance(data, list), data, kind, where)]
    if origin in (dict, Mapping):
        _, item = get_args(kind)
        checked = _checked(isinstance(data, Mapping), data, kind, where)
        return {key: _load(item, value, f"{where}.{key}") for key, value in checked.items()}
    if dataclasses.is_dataclass(kind):
        return _load_dataclass(kind, data, where)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    right = isinstance(data, kind) and not (kind is int and isinstance(data, bool))
    return _checked(right, data, kind, where)


def _load_optional(kind: Any, data: Any, where: str) -> Any:
    members = get_args(kind)
    if data is None and type(None) in members:
        return None
    for member in members:
        if member is type(None):
            continue
        try:
            return _load(member, data, where)
        except Refused:
            continue
    return _checked(False, data, kind, where)


def _load_tuple(kind: Any, data: Any, where: str) -> tuple[Any, ...]:
    members = get_args(kind)
    _checked(isinstance(data, (list, tuple)), data, kind, where)
    if len(members) == 2 and members[1] is Ellipsis:
        return tuple(_load(members[0], item, where) for item in data)
    _checked(len(data) == len(members), data, kind, where)
    return tuple(_load(member, item, where) for member, item in zip(members, data, strict=True))


def _load_dataclass(kind: Any, data: Any, where: str) -> Any:
    _checked(isinstance(data, Mapping), data, kind, where)
    hints = _hints(kind)
    names = {f.name for f in dataclasses.fields(kind)}
    unknown = sorted(set(data) - names)
    if unknown:
        raise Refused("{where} has no field {field}.", where=where, field=unknown[0])
    try:
        return kind(**{key: _load(hints[key], item, f"{where}.{key}") for key, item in data.items()})
    except TypeError as error:
        raise Refused("{where} is not complete: {error}.", where=where, error=str(error)) from error


def _checked(right: bool, data: Any, kind: Any, where: str) -> Any:
    if not right:
        name = getattr(kind, "__name__", str(kind))
        raise Refused("{where} cannot be {value}: it must be {kind}.", where=where, value=repr(data)[:80], kind=name)
    return data

"""Frozen dataclasses to plain JSON values and back, led by type hints; the only serialiser of the engine."""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

from nas.sentences import Refused

T = TypeVar("T")
Loader = Callable[[Any], Any]
SCALARS = frozenset({int, float, str, bool, type(None)})


def dump(value: Any) -> Any:
    """Return `value` as dicts, lists and scalars that JSON can carry."""
    kind: Any = type(value)
    if kind in SCALARS:
        return value
    if isinstance(value, (tuple, list)):
        # A search's state is mostly lists of numbers, and is written after every evaluation.
        return [*value] if SCALARS.issuperset(map(type, value)) else [dump(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): dump(item) for key, item in value.items()}
    return {name: dump(getattr(value, name)) for name in names} if (names := _field_names(kind)) else value


def load(kind: type[T], data: Any) -> T:
    """Rebuild a value of `kind` from what `dump` made of it; raises Refused where it does not fit."""
    try:
        return typing.cast(T, _loader(typing.cast(Any, kind))(data))
    except _Misfit as misfit:
        # A container such as dict has a name that tells people nothing.
        head = [] if get_origin(kind) and misfit.path else [kind.__name__]
        raise Refused(misfit.template, where=".".join([*head, *misfit.path]), **misfit.values) from misfit


def dump_tagged(value: Any) -> dict[str, Any]:
    """Dump a dataclass with its own name under "type", for a union of record types."""
    return {"type": type(value).__name__, **dump(value)}


def load_tagged(kinds: tuple[type, ...], data: Mapping[str, Any]) -> Any:
    """Rebuild the record that `dump_tagged` named; raises Refused for a name not among `kinds`."""
    for kind in kinds:
        if kind.__name__ == data.get("type"):
            return load(kind, {key: item for key, item in data.items() if key != "type"})
    raise Refused("There is no record of type {name}.", name=str(data.get("type")))


class _Misfit(Exception):
    """Data that do not fit their type; `path` is where, and grows from the inside out as the error rises."""

    def __init__(self, template: str, **values: str) -> None:
        super().__init__(template)
        self.template, self.values = template, values
        self.path: list[str] = []


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


@cache
def _field_loaders(kind: Any) -> dict[str, Loader]:
    hints = typing.get_type_hints(kind)
    return {name: _loader(hints[name]) for name in _field_names(kind)}


@cache
def _loader(kind: Any) -> Loader:
    origin, members = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda data: data
    if origin in (Union, types.UnionType):
        return _union(kind, members)
    if origin is typing.Literal:
        return lambda data: _checked(data in members, data, kind)
    if origin is tuple:
        return _sequence(kind, members[0]) if members[1:] == (Ellipsis,) else _tuple(kind, members)
    if origin is list:
        as_tuple = _sequence(kind, members[0])
        return lambda data: [*as_tuple(data)]
    if origin in (dict, Mapping):
        return _mapping(kind, _loader(members[1]))
    return _record(kind) if dataclasses.is_dataclass(kind) else _scalar(kind)


def _scalar(kind: Any) -> Loader:
    def load_scalar(data: Any) -> Any:
        if type(data) is kind:
            return data
        if kind is float and type(data) is int:
            return float(data)
        return _checked(isinstance(data, kind) and not (kind is int and isinstance(data, bool)), data, kind)

    return load_scalar


def _union(kind: Any, members: tuple[Any, ...]) -> Loader:
    loaders = [_loader(member) for member in members if member is not type(None)]
    optional = type(None) in members

    def load_member(data: Any) -> Any:
        if data is None and optional:
            return None
        for loader in loaders:
            try:
                return loader(data)
            except _Misfit:
                continue
        return _checked(False, data, kind)

    return load_member


def _sequence(kind: Any, member: Any) -> Loader:
    loader = _loader(member)

    def load_items(data: Any) -> tuple[Any, ...]:
        _checked(isinstance(data, (list, tuple)), data, kind)
        right_already = member in SCALARS and {member}.issuperset(map(type, data))
        return tuple(data) if right_already else tuple(map(loader, data))

    return load_items


def _tuple(kind: Any, members: tuple[Any, ...]) -> Loader:
    loaders = [_loader(member) for member in members]

    def load_each(data: Any) -> tuple[Any, ...]:
        _checked(isinstance(data, (list, tuple)) and len(data) == len(loaders), data, kind)
        return tuple(loader(item) for loader, item in zip(loaders, data, strict=True))

    return load_each


def _mapping(kind: Any, loader: Loader) -> Loader:
    def load_values(data: Any) -> dict[str, Any]:
        _checked(isinstance(data, Mapping), data, kind)
        found, key = {}, ""
        try:
            for key, item in data.items():
                found[key] = loader(item)
        except _Misfit as misfit:
            misfit.path.insert(0, str(key))
            raise
        return found

    return load_values


def _record(kind: Any) -> Loader:
    def load_fields(data: Any) -> Any:
        loaders = _field_loaders(kind)
        _checked(isinstance(data, Mapping), data, kind)
        if unknown := data.keys() - loaders.keys():
            raise _Misfit("{where} has no field {field}.", field=min(unknown))
        found, key = {}, ""
        try:
            for key, item in data.items():
                found[key] = loaders[key](item)
        except _Misfit as misfit:
            misfit.path.insert(0, key)
            raise
        try:
            return kind(**found)
        except TypeError as error:
            raise _Misfit("{where} is not complete: {error}.", error=str(error)) from error

    return load_fields


def _checked(right: bool, data: Any, kind: Any) -> Any:
    if not right:
        members = get_args(kind) if get_origin(kind) is typing.Literal else ()
        name = f"one of {', '.join(map(str, members))}" if members else getattr(kind, "__name__", str(kind))
        raise _Misfit("{where} cannot be {value}: it must be {kind}.", value=repr(data)[:80], kind=name)
    return data

"""Settings of spaces, strategies and training: dataclass fields with bounds, units and help.

The web form, the command line and the documentation are made from what `settings_of` returns.
"""

import dataclasses
import difflib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_origin

from nas.sentences import Refused

T = TypeVar("T")
KINDS: dict[type, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


@dataclass(frozen=True)
class Setting:
    """One field that a person may set: `kind` is int, float, bool or str; `many` for a list of them.

    `images_only` says that it changes nothing where the data are no images.
    """

    name: str
    kind: type
    default: Any
    low: float | None
    high: float | None
    unit: str
    help: str
    options: tuple[Any, ...]
    many: bool
    images_only: bool = False


def setting(
    default: Any,
    *,
    help: str,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    options: Sequence[Any] = (),
    images_only: bool = False,
) -> Any:
    """Declare a dataclass field as a setting; bounds are inclusive."""
    about = {"help": help, "low": low, "high": high, "unit": unit, "options": tuple(options)}
    about["images_only"] = images_only
    return dataclasses.field(default=default, metadata={"setting": about})


@cache
def settings_of(kind: type) -> tuple[Setting, ...]:
    """List the settings of a dataclass in the order of its fields."""
    hints = typing.get_type_hints(kind)
    found = []
    for field in dataclasses.fields(kind):
        about = field.metadata.get("setting")
        if about is None:
            continue
        hint = hints[field.name]
        many = get_origin(hint) is tuple
        scalar = get_args(hint)[0] if many else hint
        found.append(Setting(name=field.name, kind=scalar, default=field.default, many=many, **about))
    return tuple(found)


def configure(kind: type[T], values: Mapping[str, Any], **fixed: Any) -> T:
    """Build `kind` from values as a form or a command line gives them (text or typed), checked against the bounds.

    Fields that are no settings come through `fixed`. Raises Refused for an unknown name or a value out of bounds.
    """
    known = {item.name: item for item in settings_of(cast(type, kind))}
    for name in values:
        if name not in known:
            raise Refused(
                "There is no setting {name}; the nearest is {nearest}.", name=name, nearest=_nearest(name, known)
            )
    checked = {name: read(known[name], value) for name, value in values.items()}
    return kind(**checked, **fixed)


def _nearest(name: str, known: Mapping[str, Setting]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0)
    return close[0] if close else "-"


def read(item: Setting, value: Any) -> Any:
    """Return the value of one setting from text or a typed value; raises Refused out of bounds."""
    if not item.many:
        return _scalar(item, value)
    parts = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else list(value)
    if not parts and item.default:  # what is empty by itself may be left so
        raise Refused("{name} needs at least one value.", name=item.name)
    return tuple(dict.fromkeys(_scalar(item, part) for part in parts))


def _scalar(item: Setting, value: Any) -> Any:
    typed = _typed(item, value)
    if item.options and typed not in item.options:
        choices = ", ".join(str(option) for option in item.options)
        raise Refused(
            "{name} cannot be {value}; it is one of {choices}.", name=item.name, value=str(value), choices=choices
        )
    if item.low is not None and item.high is not None and not item.low <= typed <= item.high:
        raise Refused(
            "{name} is {value}; it must be between {low} and {high}.",
            name=item.name,
            value=typed,
            low=item.low,
            high=item.high,
        )
    if item.low is not None and typed < item.low:
        raise Refused("{name} is {value}; it must be at least {low}.", name=item.name, value=typed, low=item.low)
    if item.high is not None and typed > item.high:
        raise Refused("{name} is {value}; it must be at most {high}.", name=item.name, value=typed, high=item.high)
    return typed


def _typed(item: Setting, value: Any) -> Any:
    try:
        if item.kind is bool:
            return _boolean(value)
        if item.kind is int and isinstance(value, float) and value != int(value):
            raise ValueError
        typed = item.kind(value)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise Refused(
            "{name} cannot be {value}; it must be {kind}.", name=item.name, value=str(value), kind=KINDS[item.kind]
        ) from error
    if item.kind is float and typed != typed:
        raise Refused(
            "{name} cannot be {value}; it must be {kind}.", name=item.name, value=str(value), kind=KINDS[float]
        )
    return typed


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}[
        str(value).lower()
    ]

"""What is said to a person: a template with its values apart, so that a page can translate it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

# A reason inside a sentence is a sentence itself, so that both can be translated.
Value: TypeAlias = "str | int | float | Sentence"


@dataclass(frozen=True)
class Sentence:
    """A template in English with named places, and what stands in them."""

    template: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**self.values)


class Refused(ValueError):
    """Something asked for cannot be done; says why, with the offending value, to the person who can act."""

    def __init__(self, template: str, **values: Value) -> None:
        self.sentence = Sentence(template, values)
        super().__init__(str(self.sentence))

"""Rules on a space as people write them: which options are forbidden, and which decisions go together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Literal, cast, get_args

from nas.architecture import Decision
from nas.sentences import Refused

Kind = Literal["forbid", "tie", "powers of two"]
KINDS: tuple[str, ...] = get_args(Kind)
EVERYWHERE = "*"
NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Rule:
    """One rule; `decisions` and `option` are names in which each * stands for any text.

    "forbid" takes the option away, "tie" lets the decisions take the same option, "powers of two" takes away the
    numbers that are none.
    """

    kind: Kind
    decisions: str = EVERYWHERE
    option: str = ""

    def __str__(self) -> str:
        if self.kind != "forbid":
            return f"{self.kind}: {self.decisions}"
        everywhere = self.decisions == EVERYWHERE and "=" not in self.option
        return f"forbid: {self.option}" if everywhere else f"forbid: {self.decisions} = {self.option}"

    def asks(self, decision: str) -> bool:
        """Tell whether the rule is about the decision of that name."""
        return _matches(self.decisions, decision)

    def forbids(self, option: str) -> bool:
        """Tell whether the rule takes an option away from its decisions."""
        if self.kind == "forbid":
            return _matches(self.option, option)
        return self.kind == "powers of two" and is_number(option) and not is_power_of_two(option)


def rule(text: str) -> Rule:
    """Read "forbid: layer * operation = dense", "forbid: dense", "tie: layer * filters" or "powers of two: *".

    Raises Refused for anything else.
    """
    kind, colon, about = (part.strip() for part in text.partition(":"))
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1, cutoff=0)[0]
        raise Refused(
            "{rule} is no rule: it begins with {kinds}; the nearest is {near}.", rule=text, kinds=_kinds(), near=near
        )
    if not (colon and about):
        raise Refused("{rule} is not complete: after {kind}: comes what it is about.", rule=text, kind=kind)
    if kind != "forbid":
        return Rule(cast(Kind, kind), about)
    # Names of decisions and options may have a = in them, so one between blanks goes first.
    decisions, equals, option = (part.strip() for part in about.partition(" = " if " = " in about else "="))
    if not equals:
        return Rule("forbid", EVERYWHERE, about)
    if not (decisions and option):
        raise Refused("{rule} is not complete: it is written forbid: decision = option.", rule=text)
    return Rule("forbid", decisions, option)


def matched(rule: Rule, decisions: Sequence[Decision], space: str) -> tuple[int, ...]:
    """Return the positions of the decisions that a rule is about; raises Refused where it could do nothing."""
    found = tuple(at for at, decision in enumerate(decisions) if rule.asks(decision.name))
    if not found:
        spelled = pattern if "*" in rule.decisions else str
        raise Refused(
            "The rule {rule} is about no decision of the space {space}; the nearest is {near}.",
            rule=str(rule),
            space=space,
            near=_nearest(rule.decisions, [spelled(one.name) for one in decisions]),
        )
    options = list(dict.fromkeys(option for at in found for option in decisions[at].options))
    if rule.kind == "forbid" and not any(map(rule.forbids, options)):
        raise Refused(
            "The rule {rule} forbids nothing: there is no such option; the nearest is {near}.",
            rule=str(rule),
            near=_nearest(rule.option, options),
        )
    if rule.kind == "tie" and len(found) < 2:
        raise Refused(
            "The rule {rule} ties nothing: it is about {decision} alone.",
            rule=str(rule),
            decision=decisions[found[0]].name,
        )
    if rule.kind == "powers of two" and not any(map(is_number, options)):
        raise Refused(
            "The rule {rule} is about options that are no numbers, such as {option}.", rule=str(rule), option=options[0]
        )
    return found


def pattern(decision: str) -> str:
    """Return the name with a * for each number: what the decisions of a kind have in common."""
    return re.sub(r"\d+", "*", decision)


def is_number(option: str) -> bool:
    """Tell whether an option is a number and nothing else."""
    return NUMBER.fullmatch(option) is not None


def is_power_of_two(option: str) -> bool:
    """Tell whether a number is 1, 2, 4, ..."""
    value = float(option)
    return value >= 1 and value.is_integer() and int(value).bit_count() == 1


def _matches(pattern: str, name: str) -> bool:
    return fnmatchcase(name, re.sub(r"[?\[]", r"[\g<0>]", pattern))


def _nearest(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, n=1, cutoff=0)
    return near[0] if near else "-"


def _kinds() -> str:
    return ", ".join(f"{kind}:" for kind in KINDS)

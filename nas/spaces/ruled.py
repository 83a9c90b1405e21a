"""A space with rules on its options: by construction, as what the rules exclude is no longer asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nas.architecture import Architecture, Decision
from nas.sentences import Refused, Sentence
from nas.spaces.graph import Graph
from nas.spaces.protocol import SearchSpace
from nas.spaces.rule import Rule, matched


@dataclass(frozen=True)
class Group:
    """A decision of the ruled space, which stands for one of the space inside, or for several that are tied.

    `spellings` holds per option left its index in each member; `cut` says which rule took an option away.
    """

    decision: Decision
    members: tuple[int, ...]
    spellings: tuple[tuple[int, ...], ...]
    cut: Mapping[str, Rule]

    @cached_property
    def picks(self) -> Mapping[tuple[int, ...], int]:
        """The option left by its indices in the members."""
        return {spelling: pick for pick, spelling in enumerate(self.spellings)}


@dataclass(frozen=True)
class Ruled:
    """The architectures of `inner` that keep to every rule, with fewer decisions and options.

    Tied decisions are one decision, and what is forbidden is no option, so sampling, moves and encodings see only what
    is allowed. Rules are about what a network reads: a choice that it does not read is 0 in the space inside, and free
    here. The canonical form inside may move layers, or repair one into what is forbidden: such an architecture has a
    complaint. Raises Refused for a rule that is about nothing or leaves a decision without an option.
    """

    inner: SearchSpace
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        # A rule that cannot work is told now, to the person who wrote it.
        _ = self._groups

    @property
    def name(self) -> str:
        """The name of the space inside."""
        return self.inner.name

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """The questions that are left, with the options that are left."""
        return tuple(group.decision for group in self._groups)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the one spelling of the network in what is left; one that breaks a rule stays as it is."""
        inside = self.expanded(architecture)
        picks = self._contracted(inside.choices)
        spelled = architecture if picks is None else Architecture(self.name, picks)
        self._latest.clear()
        self._latest[spelled] = inside, picks is None
        return spelled

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Name the rule that the network breaks, or what the space inside says against it."""
        known = self._latest.get(architecture)
        inside = known[0] if known else self.expanded(architecture)
        breaks = known[1] if known else self._contracted(inside.choices) is None
        return self._broken(inside.choices) if breaks else self.inner.complaint(inside)

    def graph(self, architecture: Architecture) -> Graph:
        """The network of the space inside."""
        return self.inner.graph(self.expanded(architecture))

    def expanded(self, architecture: Architecture) -> Architecture:
        """Return the canonical architecture of the space inside."""
        known = self._latest.get(architecture)
        if known:
            return known[0]
        choices = [0] * len(self.inner.decisions)
        for group, pick in zip(self._groups, architecture.choices, strict=True):
            _write(choices, group, pick)
        return self.inner.canonical(Architecture(self.name, tuple(choices)))

    @cached_property
    def _latest(self) -> dict[Architecture, tuple[Architecture, bool]]:
        """The latest canonical architecture, its spelling inside, and whether it breaks a rule.

        Complaint and graph are asked of it next.
        """
        return {}

    @cached_property
    def _groups(self) -> tuple[Group, ...]:
        return tuple(_groups(self.inner.decisions, self.rules, self.name))

    def _contracted(self, inside: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the choices here of canonical choices inside, None where they break a rule."""
        picks, spelled = [], list(inside)
        for group in self._groups:
            choices = tuple([inside[member] for member in group.members])
            pick = group.picks.get(choices)
            if pick is None:
                pick = self._pick(group, choices, inside)
                if pick is None:
                    return None
                _write(spelled, group, pick)
            picks.append(pick)
        changed = [at for at, choice in enumerate(inside) if spelled[at] != choice]
        return tuple(picks) if self._are({tuple(spelled), *self._others(inside, changed)}, inside) else None

    def _pick(self, group: Group, choices: tuple[int, ...], inside: tuple[int, ...]) -> int | None:
        """Return the option that agrees with every choice of the group that is read; a 0 may be read or not."""
        if any(choices):
            pairs = enumerate(group.spellings)
            fitting = (
                pick for pick, spelling in pairs if all(a in (0, b) for a, b in zip(choices, spelling, strict=True))
            )
            return next(fitting, None)
        possible = [0, *(pick for pick, spelling in enumerate(group.spellings) if pick and 0 in spelling)]
        if len(possible) == 1:
            return 0
        return next((pick for pick in possible if self._are([_written(inside, group, pick)], inside)), None)

    def _others(self, inside: tuple[int, ...], places: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Yield spellings with every option at those places, all of which spell the network if it reads none of them.

        To try one option is not enough: that one may be repaired.
        """
        sizes = {at: len(self.inner.decisions[at].options) for at in places}
        for option in range(max(sizes.values(), default=0)):
            other = list(inside)
            for at, size in sizes.items():
                other[at] = option % size
            yield tuple(other)

    def _are(self, spellings: Iterable[tuple[int, ...]], inside: tuple[int, ...]) -> bool:
        """Tell whether all of them spell the network of the canonical choices."""
        return all(
            choices == inside or self.inner.canonical(Architecture(self.name, choices)).choices == inside
            for choices in spellings
        )

    def _broken(self, inside: tuple[int, ...]) -> Sentence:
        asked = self.inner.decisions
        for group in self._groups:
            options = {at: asked[at].options[inside[at]] for at in group.members}
            for at, option in options.items():
                if option in group.cut and self._reads(at, inside):
                    return Sentence(
                        "{decision} is {option}, which the rule {rule} does not allow.",
                        {"decision": asked[at].name, "option": option, "rule": str(group.cut[option])},
                    )
            if len(set(options.values())) > 1:
                read = {asked[at].name: option for at, option in options.items() if self._reads(at, inside)}
                if len(set(read.values())) > 1:
                    return self._untied(read)
        return Sentence("The network does not keep to the rules {rules}.", {"rules": "; ".join(map(str, self.rules))})

    def _untied(self, read: Mapping[str, str]) -> Sentence:
        (first, option), *others = read.items()
        other, another = next(item for item in others if item[1] != option)
        ties = [rule for rule in self.rules if rule.kind == "tie" and (rule.asks(first) or rule.asks(other))]
        rule = max(ties, key=lambda rule: rule.asks(first) and rule.asks(other))
        return Sentence(
            "{decision} is {option} and {other} is {another}; the rule {rule} ties them.",
            {"decision": first, "option": option, "other": other, "another": another, "rule": str(rule)},
        )

    def _reads(self, at: int, inside: tuple[int, ...]) -> bool:
        return inside[at] != 0 or not self._are(self._others(inside, [at]), inside)


def _write(choices: list[int], group: Group, pick: int) -> None:
    for member, choice in zip(group.members, group.spellings[pick], strict=True):
        choices[member] = choice


def _written(choices: Sequence[int], group: Group, pick: int) -> tuple[int, ...]:
    changed = list(choices)
    _write(changed, group, pick)
    return tuple(changed)


def _groups(decisions: Sequence[Decision], rules: Sequence[Rule], space: str) -> Iterator[Group]:
    """Join what is tied, in the order of first members, and leave each the options that no rule takes away."""
    about = [(rule, frozenset(matched(rule, decisions, space))) for rule in rules]
    joined = [frozenset({at}) for at in range(len(decisions))]
    for rule, found in about:
        if rule.kind == "tie":
            together = found.union(*(joined[at] for at in found))
            joined = [together if at in together else members for at, members in enumerate(joined)]
    for members in dict.fromkeys(joined):
        yield _group(decisions, tuple(sorted(members)), [(rule, found) for rule, found in about if found & members])


def _group(
    decisions: Sequence[Decision], members: tuple[int, ...], about: Sequence[tuple[Rule, frozenset[int]]]
) -> Group:
    cut: dict[str, Rule] = {}
    for rule, found in about:
        for option in (option for at in members if at in found for option in decisions[at].options):
            offered = rule.kind != "tie" or all(option in decisions[at].options for at in members)
            if rule.forbids(option) or not offered:
                cut.setdefault(option, rule)
    first = decisions[members[0]]
    options = tuple(option for option in first.options if option not in cut)
    ties = [rule.decisions for rule, _ in about if rule.kind == "tie"]
    name = ties[0] if ties else first.name
    if not options:
        rule = list(cut.values())[-1]
        raise Refused("The rule {rule} leaves {decision} without an option.", rule=str(rule), decision=name)
    spellings = tuple(tuple(decisions[at].options.index(option) for at in members) for option in options)
    return Group(Decision(name, options), members, spellings, cut)

"""Rules on any space: what is left keeps to every rule, nothing that keeps to them is lost, the rest is refused."""

import contextlib
import itertools
from dataclasses import dataclass
from functools import cache
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nas import codec
from nas.architecture import Architecture, Decision
from nas.objectives import Limit
from nas.sentences import Refused
from nas.spaces import moves
from nas.spaces.catalogue import SEARCHABLE, SpaceSpec, build, plain, serves
from nas.spaces.graph import Task
from nas.spaces.rule import Rule, is_power_of_two, pattern, rule
from nas.spaces.ruled import Ruled

TASKS = (Task((1, 8, 8), 10), Task((4,), 3), Task((6,), 2, vocabulary=9))
DIGITS = TASKS[0]
# Names that a cell or a layer would not have are in no rule, so that random rules are seldom about nothing.
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6)


@dataclass(frozen=True)
class Slots:
    """Up to three slots, of which `count` are read, with options that differ from slot to slot.

    Read slots are sorted where `sort`, so that the canonical form moves choices as that of a chain does.
    """

    sort: bool = False
    name = "slots"
    decisions = (
        Decision("count", ("1", "2", "3")),
        Decision("slot 1", ("2", "3", "8")),
        Decision("slot 2", ("3", "2", "8")),
        Decision("slot 3", ("8", "2", "5")),
        Decision("ending", ("2", "none")),
    )

    def canonical(self, architecture):
        count, *slots, ending = architecture.choices
        read = slots[: count + 1]
        if self.sort:
            read = sorted(read)
        return Architecture(self.name, (count, *read, *[0] * (2 - count), ending))

    def complaint(self, architecture):
        return None


@cache
def tiny_chain():
    sizes = {"kernels": (1, 3), "filters": (8, 12), "pools": ("max 2",), "units": (4,), "smallest": 3}
    choices = {"min_layers": 1, "max_layers": 2, "activations": ("relu",), "norm": False, "skip": False}
    return build(SpaceSpec("chain", sizes | choices), DIGITS)


@cache
def tiny_mlp():
    return build(SpaceSpec("mlp", {"min_layers": 1, "max_layers": 2, "units": (8, 12, 16)}), TASKS[1])


def whole(space):
    """Every canonical architecture of a small space."""
    ranges = (range(len(one.options)) for one in space.decisions)
    return {space.canonical(Architecture(space.name, choices)) for choices in itertools.product(*ranges)}


def with_choice(architecture, at, choice):
    choices = architecture.choices
    return Architecture(architecture.space, (*choices[:at], choice, *choices[at + 1 :]))


def reads(space, architecture, at):
    """Whether another choice at a decision makes another network; one that is not 0 was kept because it is read."""
    if architecture.choices[at]:
        return True
    changed = (with_choice(architecture, at, choice) for choice in range(len(space.decisions[at].options)))
    return any(space.canonical(other) != architecture for other in changed)


def tied_sets(space, rules):
    names = [one.name for one in space.decisions]
    sets = [{at} for at in range(len(names))]
    for one in rules:
        if one.kind == "tie":
            about = {at for at, name in enumerate(names) if one.asks(name)}
            touched = [members for members in sets if members & about]
            sets = [members for members in sets if not members & about] + [set().union(*touched)]
    return sets


def keeps(space, architecture, rules):
    """The meaning of rules, said slowly: each set of tied decisions agrees, where it is read, on an option left."""
    for members in tied_sets(space, rules):
        left = set.intersection(*(set(space.decisions[at].options) for at in members))
        for one in rules:
            if any(one.asks(space.decisions[at].name) for at in members):
                left = {option for option in left if not one.forbids(option)}
        read = {
            space.decisions[at].options[architecture.choices[at]] for at in members if reads(space, architecture, at)
        }
        if len(read) > 1 or not read <= left:
            return False
    return True


def some_rules(space):
    """Rules about the space's own decisions and options."""
    names = st.sampled_from(sorted({name for one in space.decisions for name in (one.name, pattern(one.name), "*")}))
    options = st.sampled_from(sorted({option for one in space.decisions for option in one.options}))
    one = st.one_of(
        st.builds(Rule, st.just("forbid"), names, options),
        st.builds(Rule, st.just("tie"), names),
        st.builds(Rule, st.just("powers of two"), names),
    )
    return st.lists(one, min_size=1, max_size=4).map(lambda rules: workable(space, rules)).filter(bool)


def workable(space, rules):
    """Those of the rules that the space takes, one after another."""
    kept = ()
    for one in rules:
        with contextlib.suppress(Refused):
            Ruled(space, (*kept, one))
            kept = (*kept, one)
    return kept


SMALL = [tiny_chain(), tiny_mlp(), Slots(), Slots(sort=True)]
EVERY = [build(SpaceSpec(name, {}), task) for name in SEARCHABLE for task in TASKS if serves(name, task)]


@pytest.mark.parametrize("inner", SMALL, ids=["chain", "mlp", "slots", "sorted slots"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_is_left_is_exactly_what_keeps_to_the_rules(inner, data):
    rules = data.draw(some_rules(inner))
    space = Ruled(inner, rules)
    left = [one for one in whole(space) if not space.complaint(one)]
    networks = [space.expanded(one) for one in left]
    assert set(networks) == {one for one in whole(inner) if keeps(inner, one, rules)}
    assert len(set(networks)) == len(networks)


@settings(max_examples=60, deadline=None)
@given(inner=st.sampled_from(EVERY), seed=st.integers(0, 10_000), data=st.data())
def test_every_spelling_of_a_ruled_space_is_repaired_once_or_breaks_a_rule(inner, seed, data):
    rules = data.draw(some_rules(inner))
    space = Ruled(inner, rules)
    random = Random(seed)
    spelling = Architecture(space.name, tuple(random.randrange(len(one.options)) for one in space.decisions))
    one = space.canonical(spelling)
    assert space.canonical(one) == one
    assert space.expanded(one) == space.expanded(spelling)
    assert space.graph(one) == inner.graph(space.expanded(one))
    assert (space.complaint(one) is None) == keeps(inner, space.expanded(one), rules)


@settings(max_examples=30, deadline=None)
@given(inner=st.sampled_from(EVERY), seed=st.integers(0, 10_000), data=st.data())
def test_moves_stay_within_the_rules_and_one_network_keeps_one_spelling(inner, seed, data):
    rules = data.draw(some_rules(inner))
    space = Ruled(inner, rules)
    random = Random(seed)
    try:
        mother, father = moves.sample(space, random), moves.sample(space, random)
    except Refused:
        assume(False)
    child = moves.crossover(space, mother, father, "uniform", random)
    made = [mother, moves.mutate(space, child, 0.1, random), *itertools.islice(moves.neighbours(space, mother), 4)]
    for one in made:
        assert space.canonical(one) == one
        assert keeps(inner, space.expanded(one), rules)
    for one, other in itertools.combinations(set(made), 2):
        assert space.expanded(one) != space.expanded(other)


@settings(max_examples=50, deadline=None)
@given(inner=st.sampled_from([one for one in EVERY if one.name != "nasnet"]), seed=st.integers(0, 10_000))
def test_a_choice_that_a_network_does_not_read_is_0(inner, seed):
    """Rules rely on it. A cell whose node has but two inputs to read spells both of them, as it reads both."""
    one = moves.sample(inner, Random(seed))
    for at in Random(seed).sample(range(len(one.choices)), min(6, len(one.choices))):
        others = (with_choice(one, at, choice) for choice in range(len(inner.decisions[at].options)))
        read = any(inner.canonical(other) != one for other in others)
        assert read or one.choices[at] == 0


@pytest.mark.parametrize(
    ("rules", "decisions"),
    [
        (["forbid: * = 8"], {"slot 1": "2 3", "slot 2": "3 2", "slot 3": "2 5"}),
        (["tie: slot *"], {"slot *": "2 8"}),
        (["tie: slot *", "forbid: slot 2 = 8"], {"slot *": "2"}),
        (["powers of two: slot *"], {"slot 1": "2 8", "slot 2": "2 8", "slot 3": "8 2"}),
        (["powers of two: *"], {"count": "1 2", "ending": "2 none", "slot 1": "2 8"}),
    ],
)
def test_what_is_tied_or_forbidden_is_no_longer_asked(rules, decisions):
    space = Ruled(Slots(), tuple(map(rule, rules)))
    asked = {one.name: " ".join(one.options) for one in space.decisions}
    assert asked | decisions == asked
    assert len(asked) == (3 if "slot *" in decisions else 5)


def test_a_complaint_names_the_decision_the_option_and_the_rule():
    chain = build(
        SpaceSpec("chain", {"pools": ("max 2",)}, rules=(rule("forbid: layer 1 operation = conv 3"),)), DIGITS
    )
    pooled_first = Architecture(
        "chain", tuple("max 2" in one.options and one.options.index("max 2") for one in chain.decisions)
    )
    assert str(chain.complaint(chain.canonical(pooled_first))) == (
        "layer 1 operation is conv 3, which the rule forbid: layer 1 operation = conv 3 does not allow."
    )
    tied = Ruled(tiny_chain(), (rule("tie: layer * operation"),))
    pooled = Architecture(
        "chain", tuple("max 2" in one.options and one.options.index("max 2") for one in tied.decisions)
    )
    deep = tied.canonical(with_choice(pooled, 0, 1))
    assert str(tied.complaint(deep)) == (
        "layer 1 operation is conv 1 and layer 2 operation is max 2; the rule tie: layer * operation ties them."
    )
    moved = Ruled(Slots(sort=True), (rule("tie: slot *"),))
    # 8 is the third option of slot 1 and the first of slot 3, where sorting by index puts it no longer.
    assert str(moved.complaint(moved.canonical(Architecture("slots", (2, 1, 0))))) == (
        "slot 3 is 5, which the rule tie: slot * does not allow."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "forbid: layer * operatoin = dense",
            "about no decision of the space chain; the nearest is layer * operation.",
        ),
        ("tie: layer 12 filters", "about no decision of the space chain; the nearest is layer 2 filters."),
        ("forbid: layer * operation = densa", "there is no such option; the nearest is dense."),
        ("forbid: max 3", "there is no such option; the nearest is max 2."),
        ("tie: head", "ties nothing: it is about head alone."),
        ("powers of two: layer * operation", "options that are no numbers, such as conv 3."),
        ("forbid: head = *", "forbid: head = * leaves head without an option."),
        ("tie: *", "tie: * leaves * without an option."),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_what_is_nearest(text, sentence):
    with pytest.raises(Refused) as refused:
        build(SpaceSpec("chain", {}, rules=(rule(text),)), DIGITS)
    assert str(refused.value).startswith(f"The rule {text} ")
    assert str(refused.value).endswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "forbit: dense",
            "forbit: dense is no rule: it begins with forbid:, tie:, powers of two:; the nearest is forbid.",
        ),
        ("dense", "dense is no rule: it begins with forbid:, tie:, powers of two:; the nearest is "),
        ("", "is no rule"),
        ("tie:", "tie: is not complete: after tie: comes what it is about."),
        ("tie", "tie is not complete: after tie: comes what it is about."),
        ("forbid: head =", "forbid: head = is not complete: it is written forbid: decision = option."),
        ("forbid: = dense", "forbid: = dense is not complete: it is written forbid: decision = option."),
    ],
)
def test_a_text_that_is_no_rule_is_refused(text, sentence):
    with pytest.raises(Refused) as refused:
        rule(text)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("forbid: dense", Rule("forbid", "*", "dense")),
        ("forbid:layer * operation=dense", Rule("forbid", "layer * operation", "dense")),
        ("  forbid : a=b = c ", Rule("forbid", "a=b", "c")),
        ("tie: layer * filters", Rule("tie", "layer * filters")),
        ("powers of two: *", Rule("powers of two", "*")),
    ],
)
def test_a_rule_is_read_as_people_write_it(text, meant):
    assert rule(text) == meant


@given(st.sampled_from(["forbid", "tie", "powers of two"]), WORDS, WORDS)
def test_the_text_of_a_rule_reads_as_that_rule(kind, decisions, option):
    one = Rule(kind, decisions, option if kind == "forbid" else "")
    assert rule(str(one)) == one


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_is_refused(text):
    with contextlib.suppress(Refused):
        assert rule(text).kind in text


@given(WORDS, WORDS, WORDS)
def test_a_star_stands_for_any_text_and_nothing_else_is_special(before, between, after):
    assert Rule("tie", f"{before}*{after}").asks(f"{before}{between}{after}")
    assert Rule("tie", before).asks(before)
    assert Rule("tie", "[a]?").asks("[a]?")
    assert not Rule("tie", "[a]?").asks("ab")


@given(st.integers(0, 5000))
def test_powers_of_two(number):
    assert is_power_of_two(str(number)) == (number in {2**power for power in range(20)})
    assert not is_power_of_two(f"{number}.5")


def test_a_space_in_which_the_rules_leave_no_network_is_refused_with_a_reason():
    kept = {"kernels": (3,), "pools": ("max 2",), "min_layers": 1}
    # A pooling that comes first becomes a convolution.
    spec = SpaceSpec("chain", kept, rules=(rule("forbid: conv 3"), rule("forbid: dense")))
    with pytest.raises(Refused, match=r"None of 1000 .* the last: layer 1 operation is conv 3, which the rule"):
        moves.sample(build(spec, DIGITS), Random(0))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), depth=st.integers(3, 6))
def test_rules_and_limits_hold_together(seed, depth):
    limits = (Limit("depth", depth), Limit("parameters", 40_000), Limit("multiply_adds", 2e6))
    spec = SpaceSpec("chain", {}, limits, (rule("tie: layer * filters"), rule("forbid: max 2")))
    space = build(spec, DIGITS)
    one = moves.sample(space, Random(seed))
    costs = space.graph(one).costs
    assert costs["depth"] <= depth
    assert costs["parameters"] <= 40_000
    assert costs["multiply_adds"] <= 2e6
    assert len({node.options["filters"] for node in space.graph(one).nodes if node.op == "conv"}) <= 1
    inner, inside = plain(space, one)
    assert inner == build(SpaceSpec("chain", {}), DIGITS)
    assert inner.graph(inside) == space.graph(one)
    assert keeps(inner, inside, spec.rules)


def test_a_depth_that_is_broken_is_told():
    space = build(SpaceSpec("chain", {"min_layers": 4}, (Limit("depth", 2),)), DIGITS)
    with pytest.raises(Refused, match=r"the last: Depth: \d, the limit 2\."):
        moves.sample(space, Random(0))


def test_rules_are_stored_with_the_space_and_a_space_stored_before_there_were_any_still_loads():
    spec = SpaceSpec("chain", {}, rules=(rule("forbid: dense"), rule("powers of two: layer * units")))
    assert codec.load(SpaceSpec, codec.dump(spec)) == spec
    assert codec.load(SpaceSpec, {"kind": "chain", "settings": {}, "limits": []}).rules == ()

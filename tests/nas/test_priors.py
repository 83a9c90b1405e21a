"""What earlier searches give to a new one: translated by name, best first, in turns, and only what is valid."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.architecture import Architecture, Decision
from nas.priors import Prior, Source, is_similar, translate, warm_start


@dataclass(frozen=True)
class Space:
    """Two layers of an operation and a width each; `forbidden` are choices that are not in it."""

    decisions: tuple = (
        Decision("layer 1 operation", ("conv", "pool", "skip")),
        Decision("layer 1 width", ("8", "16", "32")),
        Decision("layer 2 operation", ("conv", "pool", "skip")),
        Decision("layer 2 width", ("8", "16", "32")),
    )
    forbidden: frozenset = frozenset()
    name = "new"

    def canonical(self, architecture):
        # A layer that is skipped has no width.
        first, wide, second, wider = architecture.choices
        return Architecture("new", (first, 0 if first == 2 else wide, second, 0 if second == 2 else wider))

    def complaint(self, architecture):
        return "forbidden" if architecture.choices in self.forbidden else None


SPACE = Space()
SAME = SPACE.decisions
OTHER = (
    Decision("layer 2 width", ("64", "32", "16")),
    Decision("layer 1 operation", ("dense", "pool", "conv")),
    Decision("dropout", ("0", "0.5")),
)


def prior(*measured, title="a", decisions=SAME):
    """A search with these (choices, score); what it came to stands in its source."""
    return Prior(Source(title, 90.0, len(measured)), decisions, measured)


def starts(*priors, count=10, space=SPACE):
    return list(warm_start(priors, space, count).starts)


def test_options_are_found_by_the_names_of_decision_and_option():
    # Wide "32", "conv", and nothing is asked of layer 1's width and layer 2's operation: the first option.
    assert translate(OTHER, (1, 2, 1), SPACE).choices == (0, 0, 0, 2)
    assert translate(OTHER, (2, 1, 0), SPACE).choices == (1, 0, 0, 1)


def test_an_option_that_is_not_there_becomes_the_first():
    assert translate(OTHER, (0, 0, 0), SPACE).choices == (0, 0, 0, 0)


def test_a_translation_is_spelled_canonically_and_belongs_to_the_space():
    assert translate(SAME, (2, 2, 1, 2), SPACE) == Architecture("new", (2, 0, 1, 2))
    assert translate(SAME, (2, 2, 1, 2), Space(forbidden=frozenset([(2, 0, 1, 2)]))) is None


@given(st.tuples(*[st.integers(0, 2)] * 4))
def test_within_one_space_nothing_but_the_spelling_changes(choices):
    assert translate(SAME, choices, SPACE) == SPACE.canonical(Architecture("new", choices))


def test_the_best_come_first_whatever_their_order():
    far = [((0, 0, 0, 0), 3.0), ((1, 1, 1, 1), 1.0), ((0, 2, 1, 2), 2.0)]
    assert starts(prior(*far)) == [(1, 1, 1, 1), (0, 2, 1, 2), (0, 0, 0, 0)]
    assert starts(prior(*far), count=1) == [(1, 1, 1, 1)]
    assert starts(prior(*far), count=0) == starts() == []


def test_near_repetitions_come_last():
    measured = [((1, 1, 1, 1), 1.0), ((1, 1, 1, 0), 2.0), ((0, 0, 0, 0), 3.0), ((0, 1, 0, 0), 4.0)]
    assert starts(prior(*measured)) == [(1, 1, 1, 1), (0, 0, 0, 0), (1, 1, 1, 0), (0, 1, 0, 0)]
    assert starts(prior(*measured), count=2) == [(1, 1, 1, 1), (0, 0, 0, 0)]


def test_two_spellings_of_one_network_are_one_start():
    assert starts(prior(((2, 1, 0, 0), 1.0), ((2, 2, 0, 0), 2.0))) == [(2, 0, 0, 0)]


def test_what_is_not_in_the_space_is_left_out():
    space = Space(forbidden=frozenset([(1, 1, 1, 1)]))
    assert starts(prior(((1, 1, 1, 1), 1.0), ((0, 0, 0, 0), 2.0)), space=space) == [(0, 0, 0, 0)]


def test_searches_take_turns_and_repeat_nothing():
    one = prior(((0, 0, 0, 0), 1.0), ((1, 1, 1, 1), 2.0))
    other = prior(((0, 2, 1, 2), -9.0), ((1, 1, 1, 1), -8.0), ((1, 0, 0, 2), -7.0), title="b")
    assert starts(one, other) == [(0, 0, 0, 0), (0, 2, 1, 2), (1, 1, 1, 1), (1, 0, 0, 2)]


def test_only_the_searches_that_gave_something_are_sources():
    one, same = prior(((0, 0, 0, 0), 1.0)), prior(((0, 0, 0, 0), 0.0), title="the same again")
    empty, late = prior(title="empty"), prior(((1, 1, 1, 1), 1.0), title="late")
    assert [source.title for source in warm_start([one, same, empty, late], SPACE, 10).sources] == ["a", "late"]
    assert [source.title for source in warm_start([one, late], SPACE, 1).sources] == ["a"]
    assert warm_start([empty], SPACE, 10).sources == ()


@given(
    st.lists(
        st.lists(st.tuples(st.tuples(*[st.integers(0, 2)] * 4), st.floats(-100, 100)), max_size=12).map(
            lambda rows: prior(*rows)
        ),
        max_size=4,
    ),
    st.integers(0, 15),
)
def test_starts_are_different_networks_and_as_many_as_there_are(priors, count):
    found = starts(*priors, count=count)
    networks = {SPACE.canonical(Architecture("new", choices)).choices for one in priors for choices, _ in one.measured}
    assert len(set(found)) == len(found) == min(count, len(networks))
    assert set(found) <= networks


@pytest.mark.parametrize(
    ("kept", "similar"),
    [((0, 1, 2, 3), True), ((0, 1), True), ((0,), False), ((), False)],
)
def test_two_spaces_are_similar_where_they_share_half_of_the_decisions(kept, similar):
    decisions = [SAME[at] for at in kept] + [Decision(f"other {n}", ("conv", "8")) for n in range(4)]
    assert is_similar(decisions, SPACE) is similar


def test_a_decision_without_a_common_option_is_not_shared():
    renamed = [Decision(one.name, tuple(f"new {option}" for option in one.options)) for one in SAME]
    assert not is_similar(renamed, SPACE)
    assert is_similar([*renamed[:2], *SAME[2:]], SPACE)

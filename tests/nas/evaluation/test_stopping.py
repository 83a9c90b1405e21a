"""Hopeless trainings end early, and no other: by hand on curves, and once in a search that trains."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.evaluation.protocol import Split
from nas.evaluation.stopping import accuracies, is_hopeless
from nas.events import EpochEnded
from nas.plan import Plan
from nas.policy import Policy
from nas.search import Search
from nas.spaces.catalogue import SpaceSpec

RULES = ["median", "extrapolation"]
EPOCHS = 10
MEDIAN = Policy(stopping="median", grace=2)
# Running averages after two epochs: 10, 20, 30, 40, 50; the median is 30.
PEERS = [(level - 5.0, level + 5.0, *[90.0] * 8) for level in (10.0, 20.0, 30.0, 40.0, 50.0)]


def rising(end, epochs=EPOCHS):
    """A curve that approaches `end` from a start of 10."""
    return tuple(end - (end - 10) * exp(-epoch / 3) for epoch in range(1, epochs + 1))


FAMILY = [rising(end) for end in (40, 50, 55, 60, 70, 75, 80, 90)]


@pytest.mark.parametrize(("curve", "stopped"), [((20.0, 29.9), True), ((29.9, 1.0), True), ((20.0, 30.0), False)])
def test_the_best_so_far_is_compared_with_the_median_of_running_averages(curve, stopped):
    assert is_hopeless(MEDIAN, curve, PEERS, EPOCHS) is stopped


def test_only_the_same_beginning_of_the_others_counts():
    # After three epochs the averages are 36.7 and more, the median 50.
    assert not is_hopeless(MEDIAN, (1.0, 30.0), PEERS, EPOCHS)
    assert is_hopeless(MEDIAN, (1.0, 30.0, 49.9), PEERS, EPOCHS)
    assert not is_hopeless(MEDIAN, (1.0, 30.0, 50.1), PEERS, EPOCHS)


@pytest.mark.parametrize(("end", "stopped"), [(30, True), (45, True), (65, True), (89, True), (92, False), (99, False)])
def test_the_extrapolated_end_is_compared_with_the_best_end(end, stopped):
    # All curves are of one family, so after three epochs the end is known nearly exactly.
    policy = Policy(stopping="extrapolation", grace=3)
    assert is_hopeless(policy, rising(end)[:3], FAMILY, EPOCHS) is stopped


def test_what_cannot_be_predicted_is_not_stopped():
    # The beginnings tell nothing of the ends: the doubt is as large as the ends differ.
    beginnings = [(10.0, 11.0, 12.0), (10.0, 11.5, 12.5), (10.0, 11.0, 12.5), (10.0, 11.5, 12.0)]
    peers = [(*begin, *[50.0] * 6, end) for begin in beginnings for end in (40.0, 90.0)]
    policy = Policy(stopping="extrapolation", grace=3)
    assert not is_hopeless(policy, (10.0, 11.2, 12.2), peers, EPOCHS)


def test_a_rung_is_judged_by_where_the_others_were_at_its_end():
    # They went on to 90, but had 20 at most at the end of the rung that this one is on.
    peers = [(5.0, 6.0 + n, 7.0 + n, 10.0 + n, *[90.0] * 6) for n in range(10)]
    policy = Policy(stopping="extrapolation", grace=3)
    assert not is_hopeless(policy, (5.0, 16.0, 17.0), peers, 4)
    assert is_hopeless(policy, (5.0, 6.0, 7.0), peers, 4)


CURVES = st.lists(st.floats(0, 100), min_size=EPOCHS, max_size=EPOCHS).map(tuple)
SOME_PEERS = st.lists(CURVES, min_size=5, max_size=12)


@given(st.sampled_from(RULES), CURVES, SOME_PEERS, st.integers(1, EPOCHS))
def test_within_grace_and_at_the_end_nothing_is_stopped(rule, curve, peers, at):
    assert not is_hopeless(Policy(stopping=rule, grace=at + 1), curve[:at], peers, EPOCHS)
    assert not is_hopeless(Policy(stopping=rule, grace=1), curve, peers, EPOCHS)


@given(st.sampled_from(RULES), st.integers(0, 4), st.integers(0, 20), st.integers(1, EPOCHS - 1))
def test_fewer_than_five_complete_curves_stop_nothing(rule, complete, short, at):
    peers = [(90.0,) * EPOCHS] * complete + [(90.0,) * (EPOCHS - 1)] * short
    assert not is_hopeless(Policy(stopping=rule, grace=1), (0.0,) * at, peers, EPOCHS)


@given(st.sampled_from(RULES), st.lists(st.floats(20, 99), min_size=5, max_size=8), st.integers(1, EPOCHS - 1))
def test_a_curve_as_good_as_the_best_is_never_stopped(rule, ends, at):
    peers = [rising(end) for end in ends]
    assert not is_hopeless(Policy(stopping=rule, grace=1), rising(max(ends))[:at], peers, EPOCHS)


@given(CURVES, SOME_PEERS, st.integers(1, EPOCHS - 1))
def test_nothing_is_stopped_unless_asked_for(curve, peers, at):
    assert not is_hopeless(Policy(), curve[:at], peers, EPOCHS)


def test_a_curve_is_its_validation_accuracies():
    points = [EpochEnded(n, 3, 1.0, 1.0, accuracy, 0.1) for n, accuracy in ((1, 50.0), (2, None), (3, 70.0))]
    assert accuracies(points) == (50.0, 70.0)


def test_a_search_stops_what_lags_behind_and_remembers_how_far_it_came():
    small = SpaceSpec("chain", {"min_layers": 1, "max_layers": 2})
    policy = Policy(stopping="median", grace=1)
    plan = Plan(Split("digits"), small, "random", budget=12, epochs=3, policy=policy, seed=1)
    search = Search(plan)
    lines = list(search.candidates())
    epochs = [line["metrics"]["epochs"] for line in lines]
    assert epochs[:5] == [3.0] * 5
    assert any(count < 3 for count in epochs[5:])
    (curves,) = search.curves.values()
    assert [len(curve) for curve in curves] == epochs
    # Who was stopped was below the median of those who were complete before it.
    for at, curve in enumerate(curves):
        before = curves[:at]
        assert (len(curve) < 3) == is_hopeless(policy, curve, before, 3)
        assert not any(is_hopeless(policy, curve[:epoch], before, 3) for epoch in range(1, len(curve)))

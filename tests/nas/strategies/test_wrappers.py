"""What may be wrapped around any strategy: a warm start, and rejection by a proxy that has proved itself."""

import json
from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from nas import codec
from nas.architecture import Architecture
from nas.spaces import moves
from nas.strategies.catalogue import STRATEGIES, bare
from nas.strategies.distinct import Distinct
from nas.strategies.nested import opened
from nas.strategies.protocol import PROMOTED, Failed, Proposal, Scored, Terms
from nas.strategies.ranks import rank_correlation, ranks
from nas.strategies.screened import CORRELATION, PATIENCE, REJECTED, TRUSTED, Screened
from nas.strategies.warm import ORIGIN, Warm
from tests.nas.strategies.landscapes import ToySpace, distance

SPACE, LARGE = ToySpace(), ToySpace(16, 4)
STARTS = tuple(Architecture("toy", (n, 3 - n, *(n,) * 6)) for n in range(4))
SOME = st.sampled_from(["genetic", "aging_evolution", "local_search", "asha", "hyperband", "nsga2", "random"])


def wrapped(name, share=0.5):
    """The strategy in all that can be around it, as a run has it."""
    return Distinct(Screened(Distinct(Warm(bare(name, {}), STARTS)), distance, share))


def through_json(strategy, state):
    return codec.load(strategy.state, json.loads(json.dumps(codec.dump(state), allow_nan=False)))


def drive(strategy, *, budget, seed=1, seats=1, space=SPACE, value=distance, objectives=1, between=lambda state: state):
    """Ask and tell in order, with `seats` in flight; returns the proposals and the last state."""
    state, asked, waiting = strategy.begin(seed, Terms(budget, objectives, (1, 4, 16))), [], []
    while len(asked) < budget or waiting:
        state, proposals = strategy.ask(space, state, max(0, min(seats - len(waiting), budget - len(asked))))
        state = between(state)
        asked, waiting = asked + proposals, waiting + proposals
        if not waiting:
            break
        done = waiting.pop(0)
        scores = (value(done.architecture), -distance(done.architecture))[:objectives]
        state = between(strategy.tell(space, state, Scored(done.number, done.architecture, done.fidelity, scores)))
    return asked, state


def objectives_of(name):
    return 2 if name == "nsga2" else 1


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_search_begins_with_the_given_architectures_and_goes_on(name):
    asked, _ = drive(Distinct(Warm(bare(name, {}), STARTS)), budget=30, seats=2, objectives=objectives_of(name))
    orphans = [one for one in asked if not one.parents]
    given = [one for one in asked if one.origin == ORIGIN]
    assert [one.architecture for one in given] == list(STARTS)
    assert given == orphans[: len(STARTS)]
    assert len(asked) == 30
    assert len({(one.architecture, one.fidelity) for one in asked}) == 30


@pytest.mark.parametrize("name", ["local_search", "annealing"])
def test_a_strategy_learns_from_its_warm_start(name):
    def best(starts, seed):
        asked, _ = drive(Distinct(Warm(bare(name, {}), starts)), budget=30, seed=seed, space=LARGE)
        return min(distance(one.architecture) for one in asked[1:])

    near = (Architecture("toy", (0,) * 14 + (3, 3)),)
    assert sum(best(near, seed) for seed in range(4)) < 4 * 6
    assert sum(best((), seed) for seed in range(4)) > 4 * 6


@settings(max_examples=20, deadline=None)
@given(SOME, st.integers(0, 1000), st.integers(1, 4))
def test_dump_and_load_between_any_two_calls_changes_nothing(name, seed, seats):
    strategy = wrapped(name)
    options = {"budget": 30, "seed": seed, "seats": seats, "objectives": objectives_of(name)}
    straight, last = drive(strategy, **options)
    stored, again = drive(strategy, **options, between=lambda state: through_json(strategy, state))
    assert straight == stored
    assert strategy.trace(last) == strategy.trace(again)


@settings(max_examples=20, deadline=None)
@given(SOME, st.integers(0, 1000), st.integers(1, 4))
def test_numbers_count_without_gaps_and_parents_are_who_they_were(name, seed, seats):
    asked, _ = drive(wrapped(name), budget=60, seed=seed, seats=seats, objectives=objectives_of(name))
    assert [one.number for one in asked] == list(range(1, 61))
    by_number = {one.number: one.architecture for one in asked}
    for one in asked:
        assert all(parent < one.number for parent in one.parents)
        if one.origin == "promoted":
            assert [by_number[parent] for parent in one.parents] == [one.architecture]


def test_a_child_is_one_change_from_its_parent_though_others_were_rejected_between():
    strategy = Distinct(Screened(bare("aging_evolution", {}), distance, 0.8))
    asked, state = drive(strategy, budget=80, space=LARGE)
    by_number = {one.number: one.architecture for one in asked}
    children = [one for one in asked if one.origin == "mutated" and len(one.parents) == 1]
    changes = [
        sum(a != b for a, b in zip(by_number[one.parents[0]].choices, one.architecture.choices, strict=True))
        for one in children
    ]
    assert state.inner.rejected > 20
    assert len(children) > 20
    assert set(changes) == {1}


@dataclass(frozen=True)
class Sampler:
    """Samples for ever, under the origin it was given; its state counts the proposals and the failures."""

    origin: str = "sampled"
    state = tuple
    many_objectives = True

    def begin(self, seed, terms):
        return (0, 0)

    def ask(self, space, state, count):
        numbers = range(state[0] + 1, state[0] + count + 1)
        return (state[0] + count, state[1]), [Proposal(n, moves.sample(space, Random(n)), self.origin) for n in numbers]

    def tell(self, space, state, outcome):
        return (state[0], state[1] + isinstance(outcome, Failed))

    def trace(self, state):
        return {}


def taught(value, count=20, origin="sampled"):
    """A screen around samples that was told `count` outcomes, scored by `value`, and its state."""
    screen = Screened(Sampler(origin), distance, 0.5)
    state, random = screen.begin(0, Terms(1000)), Random(5)
    state, _ = screen.ask(SPACE, state, count)
    for number in range(1, count + 1):
        one = moves.sample(SPACE, random)
        state = screen.tell(SPACE, state, Scored(number, one, 0, (value(one),)))
    return screen, state


def test_all_pass_while_too_few_were_measured():
    screen, state = taught(distance, count=9)
    state, passed = screen.ask(SPACE, state, 100)
    assert [one.number for one in passed] == list(range(10, 110))
    assert screen.trace(state) == {"rejected by proxy": 0, CORRELATION: 0, TRUSTED: 0}


def test_all_pass_where_the_proxy_ranks_no_better_than_chance():
    noise = Random(1)
    screen, state = taught(lambda one: noise.random(), count=100)
    assert screen.trace(state)["proxy rank correlation"] < 0.2
    assert screen.ask(SPACE, state, 100)[0].rejected == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_it_learns_which_way_the_proxy_points(sign):
    screen, state = taught(lambda one: sign * distance(one), count=50)
    state, passed = screen.ask(SPACE, state, 200)
    assert len(passed) == 200
    everyone = [distance(moves.sample(SPACE, Random(n))) for n in range(1, 1000)]
    middle = sum(everyone) / len(everyone)
    kept = [sign * (distance(one.architecture) - middle) for one in passed]
    # Half of them are rejected, the worse half; the strategy hears of each one as of a failure.
    assert sum(one < 1 for one in kept) > 0.9 * len(kept)
    assert 100 < state.rejected < 300
    assert state.inner == (50 + 200 + state.rejected, state.rejected)


def test_a_proxy_that_stops_ranking_rejects_nothing_until_it_ranks_better_again():
    screen, state = taught(distance, count=50)
    assert state.trusted
    noise = Random(4)

    def told(state, value, count):
        for _ in range(count):
            one = moves.sample(SPACE, noise)
            state = through_json(screen, screen.tell(SPACE, state, Scored(1, one, 0, (value(one),))))
        return state

    lost = told(state, lambda one: noise.random(), 100)
    assert (lost.trusted, lost.demoted, len(lost.measured)) == (False, True, 100)
    before = lost.rejected
    lost, passed = screen.ask(SPACE, lost, 50)
    assert (lost.rejected, len(passed)) == (before, 50)
    # Between the bound and a little above it nothing changes: it must do better than what it was demoted for.
    between = replace(lost, measured=tuple((float(n), float(m)) for n, m in enumerate(shuffled(0.25))))
    assert not told(between, lambda one: noise.random(), 1).trusted
    assert told(replace(between, trusted=True), lambda one: noise.random(), 1).trusted
    assert told(lost, distance, 100).trusted


def shuffled(wanted, count=100):
    """A permutation whose rank correlation with counting up is near what is wanted."""
    for seed in range(10_000):
        random = Random(seed)
        found = sorted(range(count), key=lambda n: wanted * n + random.uniform(0, count))
        if abs(rank_correlation(list(range(count)), found) - wanted) < 0.01:
            return found
    raise AssertionError(wanted)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-5, 5), min_size=10, max_size=100), st.integers(-6, 6), st.floats(0.05, 0.95), st.booleans()
)
def test_the_bar_is_where_the_share_of_the_worst_begins(seen, value, share, high):
    measured = tuple((float(n), float(-n if high else n)) for n in range(20))
    state = replace(
        Screened(Sampler("sampled"), None, share).begin(0, Terms(1)), seen=tuple(map(float, seen)), measured=measured
    )
    assert Screened(Sampler("sampled"), None, share).bar(state) is None
    bar = Screened(Sampler("sampled"), None, share).bar(replace(state, trusted=True))
    better = sum(other > value if high else other < value for other in seen)
    assert bar.high == high
    assert bar.rejects(value) == (better > (1 - share) * len(seen))
    assert Screened(Sampler("sampled"), None, share).bar(replace(state, trusted=True, in_row=PATIENCE)) is None


def judged(strategy, *, measured, space=SPACE):
    """Ask and tell one after the other, as a worker would that holds each against the bar; returns who was rejected."""
    state, passed, rejected = strategy.begin(1, Terms(measured, 1, (1, 4, 16))), [], []
    while len(passed) < measured:
        state, (one,) = strategy.ask(space, through_json(strategy, state), 1)
        screen, value = strategy.inner, distance(one.architecture)
        bar = None if one.origin == PROMOTED else screen.bar(opened(screen, state.inner))
        about = (one.number, one.architecture, one.fidelity)
        if bar is not None and bar.rejects(value):
            rejected.append(one)
            state = strategy.tell(space, state, Failed(*about, proxy=value, rejected=True))
        else:
            passed.append(one)
            state = strategy.tell(space, state, Scored(*about, (value,), proxy=value))
    return passed, rejected, state


@pytest.mark.parametrize("name", ["random", "genetic", "asha", "local_search"])
def test_what_a_worker_rejects_is_told_counted_and_followed_by_another(name):
    strategy = Distinct(Screened(Distinct(bare(name, {})), None, 0.5))
    passed, rejected, state = judged(strategy, measured=60)
    assert (len(passed), strategy.trace(state)[REJECTED]) == (60, len(rejected))
    assert rejected
    assert all(one.number > 10 and one.origin != PROMOTED for one in rejected)
    numbers = [one.number for one in (*passed, *rejected)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    worst = max(distance(one.architecture) for one in passed[-20:])
    assert worst <= max(distance(one.architecture) for one in rejected)


def test_a_screen_around_what_answers_repeats_rejects_its_share_of_the_new_ones():
    space = ToySpace(5, 3)
    seen: list[Architecture] = []

    def noted(one):
        seen.append(one)
        return distance(one) + int(one.key, 16) / 16 ** len(one.key)  # without ties

    strategy = Distinct(Screened(Distinct(bare("random", {})), noted, 0.5))
    asked, state = drive(strategy, budget=100, space=space)
    assert len({one.architecture for one in asked}) == len(asked) == 100
    proposed = len(asked) + state.inner.rejected
    assert 0.4 < state.inner.rejected / (proposed - 10) < 0.6
    assert len(set(seen)) == proposed  # no architecture is judged twice


def test_whoever_climbs_to_a_higher_rung_passes():
    screen, state = taught(distance, count=50, origin="promoted")
    state, passed = screen.ask(SPACE, state, 100)
    assert (len(passed), state.rejected) == (100, 0)


def test_where_all_are_rejected_one_passes_in_the_end():
    screen, state = taught(distance, count=50)
    state = replace(state, seen=(-1.0,) * 100)
    state, passed = screen.ask(SPACE, state, 1)
    assert (len(passed), state.rejected) == (1, PATIENCE)


@pytest.mark.parametrize("name", ["random", "genetic", "local_search"])
def test_a_search_ends_when_the_space_is_spent(name):
    asked, _ = drive(Distinct(Screened(bare(name, {}), distance, 0.5)), budget=300, space=ToySpace(3, 4))
    assert len({one.architecture for one in asked}) == len(asked) == 4**3


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=30))
def test_ranks_and_their_correlation_are_those_of_scipy(pairs):
    first, second = [list(side) for side in zip(*pairs, strict=True)]
    assert list(ranks(first)) == list(rankdata(first) - 1)
    found = rank_correlation(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert found == 0
    else:
        assert found == pytest.approx(spearmanr(first, second).statistic)

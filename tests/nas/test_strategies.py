"""The contract of every strategy; being in the catalogue is what puts a strategy under test."""

import json
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas import codec
from nas.architecture import Architecture, Decision
from nas.sentences import Refused
from nas.spaces.graph import Task
from nas.spaces.sketch import Sketch
from nas.strategies.catalogue import STRATEGIES, build
from nas.strategies.genetic import Genetic
from nas.strategies.protocol import Failed, Scored, Terms


@dataclass(frozen=True)
class ToySpace:
    """`length` decisions of `width` options; the best architecture is all zeros."""

    length: int = 8
    width: int = 4
    name = "toy"

    @property
    def decisions(self):
        return tuple(Decision(f"d{n}", tuple("abcdefgh"[: self.width])) for n in range(self.length))

    def canonical(self, architecture):
        return architecture

    def complaint(self, architecture):
        return None

    def graph(self, architecture):
        return Sketch(Task((1, 1, 1), 2)).classify("input")


def value(architecture: Architecture) -> float:
    return float(sum(architecture.choices))


def drive(strategy, space, *, seed, budget, seats=3, fail=lambda number: False, shuffle=False, through_json=False):
    """Ask and tell until the budget is spent; returns proposals and scores in order of asking."""
    state, asked, waiting = strategy.begin(seed, Terms(budget=100)), [], []
    random = Random(seed)
    while len(asked) < budget:
        state, proposals = strategy.ask(space, state, min(seats, budget - len(asked)))
        assert len(proposals) <= seats
        asked += proposals
        waiting += proposals
        if not waiting:
            break
        if shuffle:
            random.shuffle(waiting)
        # One outcome at a time comes in, the rest stays in flight as with real workers.
        done = waiting.pop(0)
        outcome = Failed(done.number, done.architecture, done.fidelity)
        if not fail(done.number):
            outcome = Scored(done.number, done.architecture, done.fidelity, (value(done.architecture),))
        state = strategy.tell(space, state, outcome)
        if through_json:
            state = codec.load(strategy.state, json.loads(json.dumps(codec.dump(state), allow_nan=False)))
    return asked


names = st.sampled_from(list(STRATEGIES))
small = {"genetic": {"population": 5, "elitism": 1}}


def made(name):
    return build(name, small.get(name, {}))


@settings(max_examples=25, deadline=None)
@given(names, st.integers(0, 1000), st.booleans(), st.integers(1, 6))
def test_dump_and_load_between_any_two_calls_changes_nothing(name, seed, shuffle, seats):
    options = {"seed": seed, "budget": 25, "shuffle": shuffle, "seats": seats}
    assert drive(made(name), ToySpace(), **options) == drive(made(name), ToySpace(), **options, through_json=True)


@settings(max_examples=25, deadline=None)
@given(names, st.integers(0, 1000), st.sampled_from([0, 2, 3]), st.booleans())
def test_it_survives_failures_and_late_tells(name, seed, every, shuffle):
    fail = (lambda number: number % every == 0) if every else (lambda number: True)
    asked = drive(made(name), ToySpace(), seed=seed, budget=30, fail=fail, shuffle=shuffle)
    assert [one.number for one in asked] == list(range(1, 31))
    assert all(parent < one.number for one in asked for parent in one.parents)


@settings(max_examples=15, deadline=None)
@given(names, st.integers(0, 1000), st.sampled_from([1, 10]))
def test_it_keeps_to_small_budgets(name, seed, budget):
    assert len(drive(made(name), ToySpace(), seed=seed, budget=budget)) == budget


@settings(max_examples=15, deadline=None)
@given(names, st.integers(0, 1000))
def test_it_measures_no_architecture_twice_and_ends_when_the_space_is_spent(name, seed):
    space = ToySpace(length=1, width=3)
    strategy = build(name, {"population": 2, "elitism": 1} if name == "genetic" else {})
    keys = [one.architecture.key for one in drive(strategy, space, seed=seed, budget=50)]
    assert len(keys) == len(set(keys)) <= 3


def test_the_genetic_algorithm_beats_random_on_a_toy():
    def best(name, seed):
        return min(value(one.architecture) for one in drive(made(name), ToySpace(12, 6), seed=seed, budget=200))

    genetic = [best("genetic", seed) for seed in range(10)]
    uniform = [best("random", seed) for seed in range(10)]
    assert sum(genetic) / 10 < sum(uniform) / 10 - 5


@pytest.mark.parametrize("selection", ["tournament", "roulette"])
@pytest.mark.parametrize("crossover", ["uniform", "one_point"])
def test_each_generation_waits_for_the_one_before(selection, crossover):
    strategy = build("genetic", {"population": 6, "elitism": 2, "selection": selection, "crossover": crossover})
    asked = drive(strategy, ToySpace(), seed=1, budget=40, shuffle=True)
    by_generation = {}
    for one in asked:
        by_generation.setdefault(one.generation, []).append(one)
    first = by_generation[1]
    assert len(first) == 6
    assert all(one.origin == "sampled" for one in first)
    for number, members in by_generation.items():
        assert all(one.parents and max(one.parents) < members[0].number for one in members if number > 1)


def test_the_generations_are_an_end_of_their_own():
    strategy = build("genetic", {"population": 4, "elitism": 1, "generations": 3})
    assert 4 < len(drive(strategy, ToySpace(), seed=0, budget=1000)) <= 4 + 3 + 3


def test_the_best_live_on_without_being_measured_again():
    strategy = Genetic(population=4, elitism=2)
    space, state = ToySpace(), strategy.begin(3, Terms(budget=100))
    state, first = strategy.ask(space, state, 4)
    for one in first:
        state = strategy.tell(space, state, Scored(one.number, one.architecture, 0, (value(one.architecture),)))
    state, _ = strategy.ask(space, state, 4)
    before = {one.number for one in sorted(state.parents, key=lambda one: one.score)[:2]}
    for one in state.offspring:
        state = strategy.tell(space, state, Failed(one.number, Architecture("toy", one.choices)))
    state, _ = strategy.ask(space, state, 4)
    assert before <= {one.number for one in state.parents}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"population": 100}, "The population is 100, but the space has at most 3 architectures."),
        ({"population": 2, "elitism": 2}, "elitism is 2 and the population 2; it must be smaller."),
    ],
)
def test_it_refuses_early_what_cannot_work(values, said):
    with pytest.raises(Refused) as refusal:
        build("genetic", values).refuse(ToySpace(1, 3), Terms(budget=10))
    assert str(refusal.value) == said


def test_the_classic_settings_can_be_chosen():
    classic = {"population": 100, "generations": 50, "crossover_rate": 0.5, "mutation_rate": 0.1}
    assert len(drive(build("genetic", classic), ToySpace(), seed=0, budget=150)) == 150


def test_the_trace_tells_the_spread_of_a_generation():
    strategy = Genetic(population=2, elitism=1)
    space, state = ToySpace(2, 2), strategy.begin(0, Terms(budget=100))
    state, pair = strategy.ask(space, state, 2)
    for one in pair:
        state = strategy.tell(space, state, Scored(one.number, one.architecture, 0, (value(one.architecture),)))
    trace = strategy.trace(state)
    differing = sum(a != b for a, b in zip(pair[0].architecture.choices, pair[1].architecture.choices, strict=True))
    assert trace["diversity"] == pytest.approx(differing / 2)
    assert trace["best"] <= trace["mean"]

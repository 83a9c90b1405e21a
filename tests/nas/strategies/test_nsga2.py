import json

import pytest

from nas import codec, pareto
from nas.strategies.distinct import Distinct
from nas.strategies.nsga2 import Nsga2
from nas.strategies.protocol import Failed, Scored, Terms
from tests.nas.strategies.places import ToySpace, nasbench201, needs_tables

TERMS = Terms(budget=100, objectives=2)


def both(architecture):
    """Two goals at odds: zeros please the first and ones the second; any other option pleases neither."""
    return (
        float(sum(choice != 0 for choice in architecture.choices)),
        float(sum(choice != 1 for choice in architecture.choices)),
    )


def searched(budget, scores=both, seed=0, seats=1, space=None, objectives=2):
    space = space or ToySpace()
    strategy = Distinct(Nsga2())
    state, told, waiting = strategy.begin(seed, Terms(budget, objectives)), [], []
    while len(told) < budget:
        state, proposals = strategy.ask(space, state, min(seats, budget - len(told)) - len(waiting))
        waiting += proposals
        if not waiting:
            break
        one = waiting.pop(0)
        told.append((one, scores(one.architecture)))
        state = strategy.tell(space, state, Scored(one.number, one.architecture, 0, told[-1][1]))
    return told, state.inner, strategy.trace(state)


@pytest.mark.parametrize("seats", [1, 16])
def test_it_finds_the_whole_front_of_two_goals_at_odds(seats):
    told, _, _ = searched(600, seats=seats, space=ToySpace(6, 4))
    found = {told[index][1] for index in pareto.front([scores for _, scores in told])}
    assert found == {(float(zeros), float(6 - zeros)) for zeros in range(7)}


def test_it_works_with_one_objective():
    told, _, _ = searched(300, lambda architecture: both(architecture)[:1], objectives=1)
    assert min(scores for _, scores in told) == (0.0,)


def test_the_trace_tells_the_hypervolume_of_everything_measured():
    told, _, trace = searched(60)
    points = [scores for _, scores in told]
    low, high = ([pick(column) for column in zip(*points, strict=True)] for pick in (min, max))
    box = (high[0] - low[0]) * (high[1] - low[1])
    assert trace["hypervolume"] == pytest.approx(pareto.hypervolume(points, high) / box)
    assert trace["front size"] == len({points[index] for index in pareto.front(points)})


def test_the_best_fronts_and_the_widest_gaps_survive():
    strategy, space = Nsga2(population=4), ToySpace(1, 8)
    state = strategy.begin(0, TERMS)
    points = [(0.0, 9.0), (9.0, 0.0), (4.0, 4.0), (4.5, 3.9), (5.0, 5.0), (1.0, 7.0)]
    for number, scores in enumerate(points, start=1):
        told = Scored(number, space.at(number - 1), 0, scores)
        state = strategy.tell(space, state, told)
    assert [member.scores for member in state.population[:2]] == [(0.0, 9.0), (9.0, 0.0)]
    assert {member.scores for member in state.population[2:]} == {(4.5, 3.9), (1.0, 7.0)}
    assert set(state.front) == set(points) - {(5.0, 5.0)}


def test_failed_networks_have_no_children():
    strategy, space = Nsga2(population=4), ToySpace()
    state = strategy.begin(0, TERMS)
    state, asked = strategy.ask(space, state, 40)
    for one in asked[:39]:
        state = strategy.tell(space, state, Failed(one.number, one.architecture))
    assert strategy.trace(state) == {}
    assert strategy.ask(space, state, 1)[1][0].origin == "sampled"
    state = strategy.tell(space, state, Scored(40, asked[39].architecture, 0, (1.0, 1.0)))
    assert strategy.ask(space, state, 1)[1][0].parents == (40,)


def test_its_state_is_plain_json():
    _, state, _ = searched(30)
    text = json.dumps(codec.dump(state), allow_nan=False)
    assert codec.load(type(state), json.loads(text)) == state


@needs_tables
def test_it_covers_the_front_of_accuracy_size_and_latency():
    space, table = nasbench201()
    names = ("cifar10.valid_accuracy.12ep", "cifar10.parameters", "latency.raspi4")
    columns = [table.values[name] * (-1.0 if "accuracy" in name else 1.0) for name in names]
    scaled = [(column - column.min()) / (column.max() - column.min()) for column in columns]
    points = list(zip(*(column.tolist() for column in scaled), strict=True))
    told, _, _ = searched(1_000, lambda one: points[table.row(one.choices)], seed=1, space=space, objectives=3)
    reference = (1.0, 1.0, 1.0)
    assert pareto.hypervolume([scores for _, scores in told], reference) > 0.98 * pareto.hypervolume(points, reference)

"""The cell spaces against the field: NAS-Bench-201's table, published sizes of DARTS cells, text forms both ways."""

import os
from collections import Counter
from itertools import permutations
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.architecture import Architecture
from nas.sentences import Refused
from nas.spaces import moves
from nas.spaces.genotype import Genotype, genotype
from nas.spaces.graph import Task
from nas.spaces.nasbench201 import OPERATIONS as BENCH_OPERATIONS
from nas.spaces.nasbench201 import NasBench201
from nas.spaces.nasnet import NasNet
from nas.spaces.operations import OPERATIONS
from nas.tables.reading import read

CIFAR10 = Task((3, 32, 32), 10)
DIGITS = Task((1, 8, 8), 10)
SMALL = NasNet(DIGITS, cells=3, channels=4)
BEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)
P_DARTS = (
    "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), ('dil_conv_5x5', 4)], normal_concat=range(2, 6), "
    "reduce=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), ('max_pool_3x3', 0), "
    "('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)], reduce_concat=range(2, 6))"
)
PC_DARTS = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
    "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], normal_concat=range(2, 6), "
    "reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], reduce_concat=range(2, 6))"
)
AMOEBANET_A = (
    "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), "
    "('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), "
    "('avg_pool_3x3', 1)], normal_concat=[4, 5, 6], reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), "
    "('max_pool_3x3', 0), ('sep_conv_7x7', 2), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6])"
)


@pytest.fixture(scope="module")
def bench():
    """The benchmark's own table."""
    places = [Path(place) for place in os.environ.get("NAS_DATA_DIR", "").split(os.pathsep) if place]
    files = [place / "nasbench201.npz" for place in places if (place / "nasbench201.npz").exists()]
    if not files:
        pytest.skip("nasbench201.npz is in no folder of NAS_DATA_DIR")
    return read(files[0])


def costs(space, choices):
    graph = space.graph(Architecture(space.name, tuple(int(choice) for choice in choices)))
    return np.array([graph.parameters, graph.multiply_adds])


def cell(space, seed):
    return moves.sample(space, Random(seed))


@pytest.mark.parametrize(("dataset", "classes"), [("cifar10", 10), ("cifar100", 100)])
def test_parameters_and_flops_are_those_of_the_benchmark_for_every_cell(bench, dataset, classes):
    """An edge costs the same whatever the others carry, so 25 graphs tell all 15,625; 100 are drawn to check that."""
    space = NasBench201(Task((3, 32, 32), classes))
    assert space.decisions == bench.decisions
    nothing = costs(space, (0,) * 6)
    alone = np.array(
        [
            [costs(space, [operation * (e == edge) for e in range(6)]) - nothing for operation in range(5)]
            for edge in range(6)
        ]
    )
    known = nothing + sum(alone[edge, bench.choices[:, edge]] for edge in range(6))
    assert len(known) == 15_625
    assert (known[:, 0] == bench.values[f"{dataset}.parameters"]).all()
    # The benchmark counts the additions of the classifier's bias with the multiply-adds.
    assert (np.float32((known[:, 1] + classes) / 1e6) == bench.values[f"{dataset}.mega_flops"]).all()
    for row in Random(classes).sample(range(15_625), 100):
        assert (costs(space, bench.choices[row]) == known[row]).all()


@pytest.mark.parametrize(
    ("dataset", "best", "row"), [("cifar10", BEST.replace("3x3~2", "1x1~2"), 6111), ("cifar100", BEST, 9930)]
)
def test_the_texts_of_the_best_cells_find_them_in_the_table(bench, dataset, best, row):
    """The rows are numbered as the benchmark's architectures are."""
    assert bench.values[f"{dataset}.test_accuracy.200ep"].argmax() == row
    assert bench.row(NasBench201(CIFAR10).architecture_of(best).choices) == row


@given(st.lists(st.integers(0, 4), min_size=6, max_size=6), st.permutations(BENCH_OPERATIONS))
def test_a_bench_cell_survives_its_text(choices, operations):
    space = NasBench201(CIFAR10, operations=tuple(operations))
    architecture = Architecture(space.name, tuple(choices))
    assert space.architecture_of(space.text_of(architecture)) == architecture
    assert space.canonical(architecture) == architecture


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "three groups joined by"),
        ("|none~0|+|none~0|none~1|", "has 2"),
        ("|none~0|+|none~0|+|none~0|none~1|none~2|", r"Node 2 has 2 edges; \|none~0\| has 1"),
        ("|none~0|+|none~1|none~0|+|none~0|none~1|none~2|", "none~1 stands where an edge from node 0 is due"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|conv_9x9~2|", "no operation conv_9x9 in the space; there are none"),
        ("|none|+|none~0|none~1|+|none~0|none~1|none~2|", "none stands where"),
    ],
)
def test_a_text_that_is_no_bench_cell_is_refused_with_the_part_that_is_wrong(text, reason):
    with pytest.raises(Refused, match=reason):
        NasBench201(CIFAR10).architecture_of(text)


def test_an_operation_that_the_settings_leave_out_cannot_be_read():
    with pytest.raises(Refused, match="no operation skip_connect in the space; there are nor_conv_3x3"):
        NasBench201(CIFAR10, operations=("nor_conv_3x3",)).architecture_of(BEST)


def test_skips_alone_make_four_paths_through_a_cell():
    """Node 3 sums what comes along 0-3, 0-1-3, 0-2-3 and 0-1-2-3."""
    space = NasBench201(DIGITS, operations=("skip_connect",), cells=1)
    paths = Counter({"stem": 1})
    for node in space.graph(Architecture(space.name, (0,) * 6)).nodes:
        if node.id.startswith("cell1."):
            paths[node.id] = sum(paths[source] for source in node.inputs)
    assert paths["cell1.node3"] == 4


def test_a_node_that_nothing_reaches_is_zero():
    space = NasBench201(DIGITS, cells=1, channels=4)
    text = "|none~0|+|none~0|nor_conv_1x1~1|+|none~0|skip_connect~1|avg_pool_3x3~2|"
    ops = {node.id: (node.op, node.inputs) for node in space.graph(space.architecture_of(text)).nodes}
    assert ops["cell1.node1"] == ("zero", ("stem",))
    assert ops["cell1.node2"] == ("add", ("cell1.edge12",))
    assert ops["cell1.node3"] == ("add", ("cell1.node1", "cell1.edge23"))


@pytest.mark.parametrize(
    ("shape", "sides"),
    [((1, 8, 8), [(8, 8), (4, 4), (2, 2)]), ((2, 5, 3), [(5, 3), (3, 2), (2, 1)]), ((1, 1, 1), [(1, 1)] * 3)],
)
def test_small_and_odd_images_pass_the_residual_blocks(shape, sides):
    space = NasBench201(Task(shape, 2), cells=1, channels=4)
    shapes = {node.id: node.shape for node in space.graph(space.architecture_of(BEST)).nodes}
    found = [shapes[f"cell{stage}.node3"] for stage in (1, 2, 3)]
    assert found == [(4 * 2**stage, *side) for stage, side in enumerate(sides)]


@pytest.mark.parametrize(
    ("text", "parameters", "mega_adds"),
    [(DARTS_V2, 3.349342, None), (P_DARTS, 3.43, 532), (PC_DARTS, 3.63, 558)],
    ids=["DARTS second order", "P-DARTS", "PC-DARTS"],
)
def test_published_genotypes_have_their_published_size(text, parameters, mega_adds):
    space = NasNet(CIFAR10, cells=20, channels=36)
    graph = space.graph(space.architecture_of(text))
    digits = len(str(parameters).partition(".")[2])
    assert round(graph.parameters / 1e6, digits) == parameters
    if mega_adds:
        assert graph.multiply_adds / 1e6 == pytest.approx(mega_adds, rel=0.005)


def test_a_cell_that_concatenates_what_is_not_read_is_read_and_written():
    space = NasNet(CIFAR10, operations=OPERATIONS, nodes=5, distinct_inputs=False, concat="unused")
    read = space.architecture_of(AMOEBANET_A)
    written = space.genotype_of(read)
    published = genotype(AMOEBANET_A)
    for ours, theirs in ((written.normal, published.normal), (written.reduce, published.reduce)):
        assert Counter(operation for operation, _ in ours) == Counter(operation for operation, _ in theirs)
    assert (len(written.normal_concat), len(written.reduce_concat)) == (3, 3)
    with pytest.raises(Refused, match=r"normal cell concatenates the states \[4, 5, 6\]; with concat all it would be"):
        NasNet(CIFAR10, operations=OPERATIONS, nodes=5, distinct_inputs=False).architecture_of(AMOEBANET_A)


nets = st.builds(
    NasNet,
    st.just(DIGITS),
    operations=st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=3, unique=True).map(tuple),
    nodes=st.integers(1, 4),
    cells=st.just(3),
    channels=st.just(2),
    distinct_inputs=st.booleans(),
    concat=st.sampled_from(["all", "unused"]),
)


@given(nets, st.integers(0, 10_000))
def test_a_pair_of_cells_survives_its_text(space, seed):
    architecture = cell(space, seed)
    text = space.text_of(architecture)
    assert space.architecture_of(text) == architecture
    assert str(genotype(text)) == text


def meaning(space, choices):
    """Return what both cells compute: their output states as nested sums of operations, in no order."""
    found = []
    for start in (0, 4 * space.nodes):
        states, read = ["a", "b"], set()
        for node in range(space.nodes):
            first, one, second, other = choices[start + 4 * node : start + 4 * node + 4]
            pairs = [(space.operations[one], first), (space.operations[other], second)]
            pairs = [(operation, state) for operation, state in pairs if operation != "none"]
            read |= {state for _, state in pairs}
            states.append(str(sorted((operation, states[state]) for operation, state in pairs)))
        kept = [
            state for index, state in enumerate(states) if index > 1 and (space.concat == "all" or index not in read)
        ]
        found.append(sorted(kept))
    return found


@given(nets, st.integers(0, 10_000))
def test_the_canonical_cell_computes_the_same_and_no_order_of_its_nodes_is_another_cell(space, seed):
    """Every legal order of the nodes, either order of each pair and any input of `none` lead to one spelling."""
    random = Random(seed)
    one = cell(space, seed)
    swapped: list[int] = []
    for start in (0, 4 * space.nodes):
        nodes = [one.choices[start + 4 * node : start + 4 * node + 4] for node in range(space.nodes)]
        orders = [order for order in permutations(range(space.nodes)) if legal(nodes, order)]
        order = random.choice(orders)
        place = {0: 0, 1: 1} | {2 + node: 2 + index for index, node in enumerate(order)}
        for node in order:
            first, operation, second, other = nodes[node]
            pairs = [(place[first], operation), (place[second], other)]
            random.shuffle(pairs)
            swapped += [number for pair in pairs for number in pair]
    assert meaning(space, swapped) == meaning(space, one.choices)
    assert space.canonical(Architecture(space.name, tuple(swapped))) == one


def legal(nodes, order):
    seen = {0, 1}
    for node in order:
        if not {nodes[node][0], nodes[node][2]} <= seen:
            return False
        seen.add(2 + node)
    return True


@given(nets, st.integers(0, 10_000))
def test_repair_keeps_what_may_stay_and_separates_what_must_differ(space, seed):
    random = Random(seed)
    choices = tuple(random.randrange(len(decision.options)) for decision in space.decisions)
    canonical = space.canonical(Architecture(space.name, choices))
    inputs = [canonical.choices[index : index + 3 : 2] for index in range(0, len(choices), 4)]
    assert not space.distinct_inputs or all(first != second for first, second in inputs)
    given_inputs = [choices[index : index + 3 : 2] for index in range(0, len(choices), 4)]
    if not space.distinct_inputs or all(first != second for first, second in given_inputs):
        assert meaning(space, canonical.choices) == meaning(space, choices)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_reduction_cells_halve_the_image_and_double_the_channels(seed):
    space = NasNet(DIGITS, operations=OPERATIONS, cells=6, channels=4)
    shapes = {node.id: node.shape for node in space.graph(cell(space, seed)).nodes}
    assert [shapes[f"cell{number}.out"] for number in range(1, 7)] == [
        *((16, 8, 8), (16, 8, 8)),
        *((32, 4, 4), (32, 4, 4)),
        *((64, 2, 2), (64, 2, 2)),
    ]


def test_a_separable_convolution_is_applied_twice_with_one_norm_each():
    """ReLU, depthwise, pointwise, norm; and again with stride 1 (Liu et al. 2019, section 3.1)."""
    pairs = "[('sep_conv_3x3', 0), ('skip_connect', 1)]"
    text = f"Genotype(normal={pairs}, normal_concat=[2], reduce={pairs}, reduce_concat=[2])"
    space = NasNet(DIGITS, nodes=1, cells=3, channels=4)
    nodes = {node.id: node for node in space.graph(space.architecture_of(text)).nodes}
    asked = ("groups", "kernel", "stride", "norm", "activation", "order")
    found = [
        [nodes[f"cell2.node1.op1.{part}"].options[name] for name in asked]
        for part in ("a.depthwise", "a.pointwise", "b.depthwise", "b.pointwise")
    ]
    assert found == [
        [8, 3, 2, False, "relu", "activation first"],
        [1, 1, 1, True, "none", "conv first"],
        [8, 3, 1, False, "relu", "activation first"],
        [1, 1, 1, True, "none", "conv first"],
    ]
    assert nodes["cell2.node1.op2"].op == "factorized_reduce"
    assert nodes["cell1.node1"].inputs[1] == "cell1.input2"


PAIRS = "[('skip_connect', 0), ('skip_connect', 1)]"


def written(normal=PAIRS, normal_concat="[2]", reduce=PAIRS, reduce_concat="[2]"):
    return f"Genotype(normal={normal}, normal_concat={normal_concat}, reduce={reduce}, reduce_concat={reduce_concat})"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", r"Genotype\(\.\.\.\) here, not "),
        ("__import__('os').system('true')", r"Genotype\(\.\.\.\) here, not __import__"),
        ("Genotype()", "names normal, normal_concat, reduce, reduce_concat, each once"),
        (f"Genotype({PAIRS}, [2], {PAIRS}, [2])", "each once"),
        (written() + " or 1", r"Genotype\(\.\.\.\) here"),
        (written(normal="[('skip_connect', 0) for _ in range(2)]"), r"\[\.\.\.\] here, not \[\('skip"),
        (written(normal="[('skip_connect', True)] * 2"), r"\[\.\.\.\] here"),
        (written(normal="[('skip_connect', True), ('skip_connect', 0)]"), "a state below 100 here, not True"),
        (written(normal="[('skip_connect', -1), ('skip_connect', 0)]"), "a state below 100 here, not -1"),
        (written(normal="[(f'skip', 0), ('skip_connect', 0)]"), r"\('operation', state\) here, not \(f'skip', 0\)"),
        (written(normal="[('skip_connect', 0, 1)]"), r"\('operation', state\) here"),
        (written(normal_concat="range(0, 1000000000000)"), "a state below 100 here, not 1000000000000"),
        (written(normal_concat="range(2, 6, 1)"), r"\[\.\.\.\] here, not range\(2, 6, 1\)"),
        (written(normal_concat="list(range(9))"), r"\[\.\.\.\] here"),
        (written(normal="-" * 5_000 + "1"), "A genotype has"),
        ("(" * 5_000 + ")" * 5_000, r"Genotype\(\.\.\.\) here"),
        ("Genotype(\0)", r"Genotype\(\.\.\.\) here"),
        ("x" * 20_001, "at most 20000 characters; this has 20001"),
        (written(normal=PAIRS[:-1] + ", ('skip_connect', 0)]"), "normal cell has 3 pairs; 1 nodes need 2"),
        (written(reduce="[('skip_connect', 0), ('skip_connect', 2)]"), "reduction cell reads the state 2; the last"),
        (written(reduce="[('skip_connect', 1), ('skip_connect', 1)]"), "reads the state 1 twice"),
        (written(normal="[('sep_conv_9x9', 0), ('skip_connect', 1)]"), "There is no operation sep_conv_9x9"),
        (written(reduce_concat="range(2, 4)"), r"reduction cell concatenates the states \[2, 3\]"),
    ],
)
def test_a_text_that_is_no_genotype_of_the_space_is_refused_with_the_reason(text, reason):
    with pytest.raises(Refused, match=reason):
        NasNet(DIGITS, nodes=1, cells=3).architecture_of(text)


@given(
    st.text(max_size=60) | st.text("Genotyp(normal=[]',0)_12ceduxiab", max_size=60).map(lambda text: f"Genotype({text}")
)
def test_any_text_is_a_genotype_or_refused(text):
    try:
        assert isinstance(genotype(text), Genotype)
    except Refused:
        pass


def test_a_genotype_may_use_tuples_and_ranges():
    loose = written(
        normal="(('skip_connect', 0), ['skip_connect', 1])", normal_concat="range(2, 3)", reduce_concat="(2,)"
    )
    assert genotype(loose) == genotype(written())

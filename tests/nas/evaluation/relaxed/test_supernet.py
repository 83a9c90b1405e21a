"""A supernet is made of the layers of the space's networks: under a one-hot mixture it is the network."""

from dataclasses import replace
from random import Random

import pytest
import torch

from nas.architecture import Architecture
from nas.evaluation.networks import build
from nas.evaluation.relaxed.chain import RelaxedChain
from nas.evaluation.relaxed.nasbench201 import RelaxedNasBench201
from nas.evaluation.relaxed.nasnet import RelaxedNasNet
from nas.evaluation.relaxed.supernet import Cell, Edge, Mixture, one_hot, shuffled
from nas.spaces import moves
from nas.spaces.chain import Chain
from nas.spaces.nasbench201 import OPERATIONS, NasBench201
from nas.spaces.nasnet import NasNet
from tests.nas.evaluation.relaxed.searches import BENCH, CHAIN, DARTS, TASK, images, weights_of

MODERN = RelaxedNasNet(NasNet(TASK, cells=3, channels=4, nodes=3, operations=("none", "sep_conv_3x3", "conv_7x1_1x7")))


def edge_of(supernet, cell, row):
    found = [block for block in supernet.blocks if isinstance(block, Cell)][cell]
    return found.edges[row]


@pytest.mark.parametrize("relaxed", [BENCH, DARTS], ids=["nasbench201", "nasnet"])
def test_an_edge_with_one_hot_weights_is_the_plain_operation(relaxed):
    edge = edge_of(relaxed.supernet(1), 0, 0)
    read = images(3, 4)
    for option, name in enumerate(relaxed.edges.options):
        weights = torch.eye(len(relaxed.edges.options))[option]
        plain = torch.zeros_like(read) if name == "none" else edge.operations[option](read)
        torch.testing.assert_close(edge(read, weights), plain)
        torch.testing.assert_close(edge(read, weights, option), plain)


def test_an_edge_is_the_weighted_sum_of_its_operations():
    edge, read = edge_of(BENCH.supernet(1), 1, 2), images(3, 8)
    weights = torch.tensor([0.1, 0.4, 0.2, 0.3, 0.0])
    by_hand = sum(w * op(read) for w, op in list(zip(weights, edge.operations, strict=True))[1:])
    torch.testing.assert_close(edge(read, weights), by_hand)


def test_under_a_one_hot_mixture_the_supernet_is_the_network_of_the_architecture():
    supernet = BENCH.supernet(3)
    for number in range(5):
        architecture = moves.sample(BENCH.space, Random(number))
        alone = build(BENCH.space.graph(architecture), seed=9)
        for cell in (block for block in supernet.blocks if isinstance(block, Cell)):
            for edge, option in zip(cell.edges, architecture.choices, strict=True):
                alone.load_state_dict(weights_of(edge.operations[option]), strict=False)
        for block in supernet.blocks:
            if not isinstance(block, Cell):
                alone.load_state_dict(weights_of(block), strict=False)
        # In training mode both normalise by the batch.
        inputs = images(6)
        found = supernet(inputs, one_hot(architecture.choices, len(OPERATIONS)))
        torch.testing.assert_close(found, alone.train()(inputs))


@pytest.mark.parametrize("relaxed", [DARTS, MODERN], ids=["darts", "none and convolutions"])
def test_a_derived_nasnet_is_the_network_of_its_genotype(relaxed):
    supernet = relaxed.supernet(3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        picked = relaxed.strongest(
            torch.rand(len(relaxed.edges.names), len(relaxed.edges.options), generator=generator)
        )
        # The spelling before it is made canonical, whose nodes stand in the order of the supernet's.
        pairs = [
            (relaxed._source(edge), relaxed.space.operations.index(relaxed.edges.options[picked[edge]]))
            for edge in relaxed.kept(picked)
        ]
        spelled = Architecture("nasnet", tuple(number for pair in pairs for number in pair))
        assert relaxed.space.canonical(spelled) == relaxed.architecture(picked)
        alone = build(relaxed.space.graph(spelled), seed=9)
        own = dict.fromkeys(alone.state_dict())
        for cell in (block for block in supernet.blocks if isinstance(block, Cell)):
            own |= weights_of(cell.prepare)
            rows = [edge for edge in relaxed.kept(picked) if cell.first <= edge < cell.first + len(cell.edges)]
            for which, row in enumerate(rows):
                found = weights_of(cell.edges[row - cell.first].operations[picked[row]])
                # A node's second pair has its layers under another name.
                own |= {name.replace("_op1", f"_op{1 + which % 2}"): value for name, value in found.items()}
        for block in supernet.blocks:
            if not isinstance(block, Cell):
                own |= weights_of(block)
        missing = alone.load_state_dict({name: value for name, value in own.items() if value is not None}, strict=False)
        assert not missing.unexpected_keys
        assert all("running" in name or "num_batches" in name for name in missing.missing_keys)
        inputs = images(6)
        found = supernet(inputs, one_hot(picked, len(relaxed.edges.options)))
        torch.testing.assert_close(found, alone.train()(inputs), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("changes", [{}, {"norm": False}, {"skip": False, "pools": ("average 3",), "max_layers": 7}])
def test_a_derived_chain_is_its_own_network_and_canonical(changes):
    relaxed = RelaxedChain(replace(CHAIN.space, **changes))
    supernet = relaxed.supernet(3)
    for number in range(4):
        random = Random(number)
        picked = tuple(random.randrange(len(relaxed.edges.options)) for _ in relaxed.edges.names)
        architecture = relaxed.architecture(picked)
        assert relaxed.space.canonical(architecture) == architecture
        for layer, option in zip(relaxed.edges.targets, picked, strict=True):
            asked = {
                decision.name.removeprefix(f"layer {layer} "): decision.options[choice]
                for decision, choice in zip(relaxed.space.decisions, architecture.choices, strict=True)
                if decision.name.startswith(f"layer {layer} ")
            }
            spelled = [asked["operation"], asked["activation"], *(["skip"] if asked["skip"] == "yes" else [])]
            assert " ".join(spelled) == relaxed.edges.options[option]
            assert asked["filters"] == "8"
        own = {}
        for block in supernet.blocks:
            own |= weights_of(block.edges[0].operations[picked[block.first]] if isinstance(block, Cell) else block)
        alone = build(relaxed.space.graph(architecture), seed=9)
        missing = alone.load_state_dict(own, strict=False)
        assert not missing.unexpected_keys
        assert all("running" in name or "num_batches" in name for name in missing.missing_keys)
        inputs = images(6)
        torch.testing.assert_close(
            supernet(inputs, one_hot(picked, len(relaxed.edges.options))), alone.train()(inputs), rtol=1e-4, atol=1e-5
        )


def test_a_chain_pools_as_often_as_the_image_allows():
    assert CHAIN._pooled == (2,)
    large = RelaxedChain(Chain(TASK.__class__((3, 32, 32), 10), max_layers=8))
    assert large._pooled == (2, 4, 6)
    assert RelaxedChain(replace(CHAIN.space, smallest=8))._pooled == ()


def test_equal_operations_do_not_begin_with_equal_weights():
    supernet = BENCH.supernet(1)
    first, second = (edge_of(supernet, 0, row).operations[3].state_dict() for row in (0, 1))
    assert not torch.equal(*(next(iter(state.values())) for state in (first, second)))


def test_the_same_seed_gives_the_same_supernet():
    one, again, other = (DARTS.supernet(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(value, again[name]) for name, value in one.items())
    assert any(not torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("relaxed", [BENCH, DARTS, CHAIN], ids=["nasbench201", "nasnet", "chain"])
def test_of_partial_channels_a_part_is_mixed_and_the_shapes_stay(relaxed):
    whole, partial = relaxed.supernet(1), relaxed.supernet(1, parts=2)
    rows = len(relaxed.edges.names)
    mixture = Mixture(torch.full((rows, len(relaxed.edges.options)), 0.2), edges=torch.full((rows,), 0.5))
    assert partial(images(4), mixture).shape == whole(images(4), mixture).shape == (4, 10)
    assert sum(p.numel() for p in partial.parameters()) < sum(p.numel() for p in whole.parameters())


def test_what_is_not_mixed_goes_around_untouched():
    edge, read = edge_of(BENCH.supernet(1, parts=2), 0, 0), images(3, 4)
    made = edge(read, torch.eye(5)[0], 0)  # nothing passes the mixture
    torch.testing.assert_close(made[:, 0::2], torch.zeros(3, 2, 8, 8))
    torch.testing.assert_close(made[:, 1::2], read[:, 2:])


def test_a_strided_edge_halves_what_goes_around_too():
    for side in (7, 8):
        edge = Edge([None], stride=2, parts=2)
        assert edge(images(2, 4, side), torch.ones(1)).shape == (2, 4, 4, 4)


def test_shuffling_deals_every_part_to_every_part():
    channels = torch.arange(8.0).view(1, 8, 1, 1)
    assert shuffled(channels, 4).flatten().tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    assert shuffled(channels, 2).flatten().tolist() == [0, 4, 1, 5, 2, 6, 3, 7]


def test_norms_in_cells_do_not_rescale_and_all_norms_use_the_batch():
    supernet = BENCH.supernet(1)
    norms = [module for module in supernet.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    inside = [
        n
        for block in supernet.blocks
        if isinstance(block, Cell)
        for n in block.modules()
        if isinstance(n, torch.nn.BatchNorm2d)
    ]
    assert inside
    assert not any(norm.weight.requires_grad or norm.bias.requires_grad for norm in inside)
    assert all(norm.running_mean is None for norm in norms)
    inputs = images(5)
    mixture = one_hot((3,) * 6, 5)
    torch.testing.assert_close(supernet.train()(inputs, mixture), supernet.eval()(inputs, mixture))


def test_an_image_of_one_pixel_is_still_searched():
    space = NasBench201(TASK.__class__((1, 2, 2), 10), cells=1, channels=4)
    relaxed = RelaxedNasBench201(space)
    assert relaxed.supernet(1)(images(3, 1, 2), one_hot((4,) * 6, 5)).shape == (3, 10)

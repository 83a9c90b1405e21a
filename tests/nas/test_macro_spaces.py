"""The spaces of whole networks hold the field's own: counted as published, computing what torchvision's compute."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nas.architecture import Architecture
from nas.evaluation.networks import Network
from nas.evaluation.vision import torchvision
from nas.sentences import Refused
from nas.spaces.catalogue import SpaceSpec, build, suited
from nas.spaces.graph import Graph, Task
from nas.spaces.protocol import SearchSpace

IMAGENET, CIFAR, DIGITS = Task((3, 224, 224), 1000), Task((3, 32, 32), 10), Task((1, 8, 8), 10)
FEATURES, TEXT = Task((5,), 3), Task((12,), 4, vocabulary=30)
NOTHING_ASKED = {"more_layers": (0,), "factors": (1.0,)}


def spelled(space: SearchSpace, wanted: Mapping[str, object]) -> Architecture:
    """Return the canonical architecture with the options named; every other choice is 0."""
    assert set(wanted) <= {decision.name for decision in space.decisions}
    picked = [(decision, str(wanted.get(decision.name, decision.options[0]))) for decision in space.decisions]
    return space.canonical(Architecture(space.name, tuple(one.options.index(option) for one, option in picked)))


def options(space: SearchSpace, architecture: Architecture) -> dict[str, str]:
    return {one.name: one.options[choice] for one, choice in zip(space.decisions, architecture.choices, strict=True)}


def resnet(task: Task, block: str, depths: tuple[int, ...], width: int, **settings: Any) -> Graph:
    """Return the network whose stages double from a first one as wide as the stem."""
    asked = {"max_stages": len(depths), "depths": tuple(sorted(set(depths))), "stems": (width,), "factors": (1.0, 2.0)}
    space = build(SpaceSpec("resnet", asked | {"cardinalities": (1,), "inner": (1.0,)} | settings), task)
    wanted: dict[str, object] = {"stages": len(depths), "block": block}
    for stage, depth in enumerate(depths, start=1):
        wanted |= {f"stage {stage} blocks": depth, f"stage {stage} width": "x 1" if stage == 1 else "x 2"}
    return space.graph(spelled(space, wanted))


def large(name: str, task: Task) -> Graph:
    settings = {"stem": "large images", "kernels": (7,), "smallest": 1}
    match name:
        case "resnet18":
            return resnet(task, "basic", (2, 2, 2, 2), 64, **settings)
        case "resnet50":
            return resnet(task, "bottleneck", (3, 4, 6, 3), 64, **settings)
        case _:
            return resnet(task, "bottleneck", (3, 4, 6, 3), 64, cardinalities=(32,), inner=(2.0,), **settings)


def mnasnet(skeleton: str, task: Task, blocks: tuple[tuple[str, int, int, float], ...], **settings: Any) -> Graph:
    """Return the network of (operation, kernel, expansion, squeeze-excite) per block, with skips where they fit."""
    space = build(SpaceSpec("mnasnet", {"skeleton": skeleton} | NOTHING_ASKED | settings), task)
    wanted: dict[str, object] = {}
    for number, (operation, kernel, expansion, ratio) in enumerate(blocks, start=1):
        wanted |= {f"block {number} operation": operation, f"block {number} kernel": kernel}
        wanted |= {f"block {number} expansion": expansion, f"block {number} squeeze-excite": f"{ratio:g}"}
        wanted |= {f"block {number} skip": "identity"}
    return space.graph(spelled(space, wanted))


def mnasnet_b1(task: Task, **settings: Any) -> Graph:
    kernels_and_expansions = ((3, 3), (5, 3), (5, 6), (3, 6), (5, 6), (3, 6))
    blocks = tuple(("mbconv", kernel, expansion, 0) for kernel, expansion in kernels_and_expansions)
    return mnasnet("MnasNet-B1", task, (("sepconv", 3, 3, 0), *blocks), **settings)


PUBLISHED = {
    "resnet18": ("ResNet18_Weights", lambda: large("resnet18", IMAGENET)),
    "resnet50": ("ResNet50_Weights", lambda: large("resnet50", IMAGENET)),
    "resnext50_32x4d": ("ResNeXt50_32X4D_Weights", lambda: large("resnext50_32x4d", IMAGENET)),
    "mnasnet1_0": ("MNASNet1_0_Weights", lambda: mnasnet_b1(IMAGENET)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_torchvisions_networks_are_in_the_spaces_with_their_published_costs(name: str) -> None:
    weights, graph = PUBLISHED[name]
    published = getattr(torchvision("torchvision.models"), weights).IMAGENET1K_V1.meta
    assert graph().parameters == published["num_params"]
    assert round(graph().multiply_adds / 1e9, 3) == published["_ops"]


@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d", "mnasnet1_0"])
def test_with_torchvisions_weights_they_compute_what_torchvisions_networks_compute(name: str) -> None:
    """Both list layers in the order of computation, so weights correspond place by place."""
    task = Task((3, 64, 64), 10)
    graph = mnasnet_b1(task, smallest=2) if name == "mnasnet1_0" else large(name, task)
    torch.manual_seed(1)
    theirs = getattr(torchvision("torchvision.models"), name)(num_classes=10).eval()
    ours = Network(graph).eval()
    place_by_place = zip(ours.state_dict(), theirs.state_dict().values(), strict=True)
    ours.load_state_dict(dict(place_by_place))
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("block", "stem", "inner", "cardinality", "published"),
    [
        ("basic", 16, 1.0, 1, 0.272),  # ResNet-20, He et al., table 6: 0.27M; 272,474 with projections
        ("bottleneck", 64, 8.0, 8, 34.4),  # ResNeXt-29 8 x 64d, Xie et al., table 7
        ("bottleneck", 64, 16.0, 16, 68.1),  # ResNeXt-29 16 x 64d, there
    ],
)
def test_the_papers_networks_for_cifar_have_their_published_sizes(
    block: str, stem: int, inner: float, cardinality: int, published: float
) -> None:
    graph = resnet(CIFAR, block, (3, 3, 3), stem, inner=(inner,), cardinalities=(cardinality,))
    assert graph.parameters / 1e6 == pytest.approx(published, rel=2e-3)
    if block == "basic":
        assert graph.parameters == 272_474
        assert graph.costs["depth"] == 20


def test_mnasnet_a1_has_its_published_costs() -> None:
    """Tan et al., table 1: 3.9M parameters and 312M multiply-adds."""
    blocks = (("mbconv", 3, 6, 0), ("mbconv", 5, 3, 0.25), ("mbconv", 3, 6, 0), ("mbconv", 3, 6, 0.25))
    last = (("mbconv", 5, 6, 0.25), ("mbconv", 3, 6, 0))
    graph = mnasnet("MnasNet-A1", IMAGENET, (("sepconv", 3, 3, 0), *blocks, *last))
    assert graph.parameters == 3_887_038
    assert graph.multiply_adds == pytest.approx(312e6, rel=2e-3)


def test_vit_b_16_has_its_published_size_but_for_the_class_token() -> None:
    settings = {"min_layers": 12, "max_layers": 12, "widths": (768,), "heads": (12,), "ratios": (4,), "tied": True}
    space = build(SpaceSpec("transformer", settings), IMAGENET)
    graph = space.graph(spelled(space, {"patch size": 16}))
    published = torchvision("torchvision.models").ViT_B_16_Weights.IMAGENET1K_V1.meta["num_params"]
    assert graph.parameters == published - 2 * 768  # the token and its position


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_an_encoder_layer_computes_what_torchs_does(activation: str) -> None:
    settings = {"max_layers": 1, "widths": (8,), "heads": (4,), "ratios": (2,)}
    space = build(SpaceSpec("transformer", settings), TEXT)
    network = Network(space.graph(spelled(space, {"activation": activation}))).eval()
    layer = nn.TransformerEncoderLayer(8, 4, 16, 0.0, activation, norm_first=True, batch_first=True).eval()
    torch.manual_seed(1)
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    theirs = list(layer.state_dict().values())
    norms, others = theirs[8:], theirs[:8]  # torch lists attention, the two dense layers, then both norms
    in_order = [*norms[:2], *others[:4], *norms[2:], *others[4:]]
    names = [name for name in network.state_dict() if name.startswith("layer1")]
    network.load_state_dict(dict(zip(names, in_order, strict=True)), strict=False)
    ids = torch.arange(24).reshape(2, 12)
    with torch.inference_mode():
        tokens = layer(network.tokens(ids))
        expected = network.output(network.norm_norm(tokens).mean(1))
        torch.testing.assert_close(network(ids), expected)


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (224, [112, 112, 56, 28, 14, 14, 7, 7]),
        (32, [32, 32, 32, 16, 8, 8, 4, 4]),
        (28, [28, 28, 28, 14, 7, 7, 4, 4]),
        (8, [8, 8, 8, 8, 8, 8, 4, 4]),
        (3, [3] * 8),
    ],
)
def test_a_small_image_keeps_the_later_strides_of_a_mobile_network(side: int, expected: list[int]) -> None:
    space = build(SpaceSpec("mnasnet", {"skeleton": "MobileNetV2", "operations": ("conv",)}), Task((3, side, side), 2))
    graph = space.graph(space.canonical(Architecture("mnasnet", (0,) * len(space.decisions))))
    sides = {node.id: node.shape[-1] for node in graph.nodes if node.op == "conv"}
    assert [sides["stem"], *(sides[f"block{number}.1.conv"] for number in range(1, 8))] == expected


def test_a_residual_network_shrinks_an_image_only_while_it_is_large_enough() -> None:
    space = build(SpaceSpec("resnet", {"max_stages": 4, "min_stages": 4, "depths": (1,), "blocks": ("basic",)}), DIGITS)
    graph = space.graph(spelled(space, {}))
    sides = [node.shape[-1] for node in graph.nodes if node.id.endswith(".conv2")]
    assert sides == [8, 4, 4, 4]


@pytest.mark.parametrize(
    ("width", "heads", "wanted", "repaired"),
    [
        (12, (1, 3, 5, 7), 7, 3),
        (20, (1, 3, 5, 7), 7, 5),
        (20, (1, 3, 5), 3, 1),
        (12, (6, 5, 4), 5, 4),
        (8, (1, 2), 2, 2),
    ],
)
def test_heads_that_do_not_divide_the_width_become_the_nearest_that_do_the_fewer_on_a_tie(
    width: int, heads: tuple[int, ...], wanted: int, repaired: int
) -> None:
    space = build(SpaceSpec("transformer", {"max_layers": 1, "widths": (width,), "heads": heads}), DIGITS)
    assert options(space, spelled(space, {"layer 1 heads": wanted}))["layer 1 heads"] == str(repaired)


def test_patches_are_those_that_cut_the_image_into_whole_ones_and_not_too_many() -> None:
    asked = {side: build(SpaceSpec("transformer", {}), Task((1, side, side), 2)).decisions[3] for side in (8, 28, 32)}
    assert asked[8].options == ("1", "2", "4")
    assert asked[28].options == ("2", "4", "7", "14")
    assert asked[32].options == ("2", "4", "16")
    with pytest.raises(Refused, match="No patch side of 3, 5 cuts an image of 8 x 8 into at most 256 whole patches"):
        build(SpaceSpec("transformer", {"patches": (3, 5)}), DIGITS)


def test_tied_layers_are_alike_and_ask_once() -> None:
    space = build(SpaceSpec("transformer", {"tied": True}), TEXT)
    assert len(space.decisions) == 5
    graph = space.graph(spelled(space, {"depth": 3, "width": 32, "layer every heads": 4}))
    assert [node.options["heads"] for node in graph.nodes if node.op == "attention"] == [4, 4, 4]


@given(st.lists(st.sampled_from([4, 5]), min_size=3, max_size=3), st.lists(st.booleans(), min_size=3, max_size=3))
def test_a_perceptron_skips_exactly_the_layers_that_keep_the_width(units: list[int], skips: list[bool]) -> None:
    space = build(SpaceSpec("mlp", {"units": (4, 5)}), FEATURES)
    wanted: dict[str, object] = {"depth": 3}
    for layer, (width, skip) in enumerate(zip(units, skips, strict=True), start=1):
        wanted |= {f"layer {layer} units": width, f"layer {layer} skip": "yes" if skip else "no"}
    graph = space.graph(spelled(space, wanted))
    widths = [5, *units]
    kept = [f"layer{at}.add" for at in (1, 2, 3) if widths[at] == widths[at - 1] and skips[at - 1]]
    assert [node.id for node in graph.nodes if node.op == "add"] == kept
    assert graph.parameters == sum((a + 1) * b for a, b in zip(widths, [*units, 3], strict=True))


def test_no_layers_at_all_are_a_linear_classifier() -> None:
    space = build(SpaceSpec("mlp", {"min_layers": 0}), FEATURES)
    graph = space.graph(spelled(space, {"norm": "yes", "activation": "gelu"}))
    assert graph.parameters == 18


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        ("mlp", {"min_layers": 5}, "min_layers is 5 and max_layers 4"),
        ("transformer", {"min_layers": 5}, "min_layers is 5 and max_layers 4"),
        ("transformer", {"widths": (9,), "heads": (2, 4)}, "None of the heads 2, 4 divides the width 9"),
        ("resnet", {"min_stages": 4}, "min_stages is 4 and max_stages 3"),
        ("mnasnet", {"skeleton": "EfficientNet"}, "skeleton cannot be EfficientNet; it is one of small, MobileNetV2"),
        ("mnasnet", {"expansions": (1,)}, "expansions is 1; it must be between 2 and 16"),
    ],
)
def test_settings_that_make_no_space_are_refused(kind: str, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        build(SpaceSpec(kind, settings), DIGITS)


@pytest.mark.parametrize(
    ("kind", "task", "sentence"),
    [
        ("mlp", TEXT, "The space mlp has no networks for text data; these have: .*transformer"),
        ("resnet", FEATURES, "The space resnet has no networks for tabular data; these have: .*mlp"),
        ("chain", TEXT, "The space chain has no networks for text data"),
        ("transformer", FEATURES, "The space transformer has no networks for tabular data"),
    ],
)
def test_a_space_is_refused_for_data_it_has_no_networks_for(kind: str, task: Task, sentence: str) -> None:
    assert kind not in suited(task)
    with pytest.raises(Refused, match=sentence):
        build(SpaceSpec(kind, {}), task)


def test_every_kind_of_data_has_a_space() -> None:
    assert {"chain", "mlp", "resnet", "mnasnet", "transformer"} <= set(suited(DIGITS))
    assert "mlp" in suited(FEATURES)
    assert "transformer" in suited(TEXT)

"""The contract of every search space; being in the catalogue is what puts a space under test.

A space keeps the laws with its defaults; `SETTINGS` adds what its defaults leave out, `SMALL` instances whose networks
can be counted by hand.
"""

import itertools
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from functools import cache
from math import isfinite
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from nas.architecture import Architecture
from nas.evaluation.networks import Network, layer_name
from nas.evaluation.networks import build as network_of
from nas.spaces import moves
from nas.spaces.catalogue import ABOUT, SEARCHABLE, SPACES, SpaceSpec, build, serves
from nas.spaces.graph import Graph, Node, Task
from nas.spaces.protocol import SearchSpace, magnitude
from searches.drawing.svg import draw
from tests.nas.evaluation import measured

DIGITS, FASHION, CIFAR = Task((1, 8, 8), 10), Task((1, 28, 28), 10), Task((3, 32, 32), 100)
ODD, PIXEL = Task((2, 5, 3), 2), Task((1, 1, 1), 2)
FEATURES, TEXT = Task((4,), 3), Task((6,), 2, vocabulary=9)
TASKS = (DIGITS, FASHION, CIFAR, ODD, PIXEL, FEATURES, TEXT)
LIGHT = (DIGITS, ODD, FEATURES, TEXT)
# Answers are looked up, so there is no network to build; and a row for every spelling that was trained.
TABULATED = ("table",)
AS_TRAINED = ("table", "nasbench201")


@cache
def tiny_table() -> str:
    """Write a table of 7 of 12 architectures and return its path."""
    decisions = [{"name": "edge 0-1", "options": ["conv", "none"]}, {"name": "edge 0-2", "options": ["conv", "none"]}]
    decisions.append({"name": "edge 1-2", "options": ["none", "skip", "conv"]})
    column = {"goal": "max", "unit": "", "dataset": "digits", "split": "valid", "epochs": 1, "device": "", "kind": ""}
    about = {"format": 1, "name": "Tiny", "decisions": decisions, "metrics": {"valid_accuracy": column}}
    rows = list(itertools.product(range(2), range(2), range(3)))[::2]
    path = Path(os.environ["NASWEB_HOME"]) / "tiny.npz"
    np.savez(
        path,
        about=np.frombuffer(json.dumps(about).encode(), np.uint8),
        choices=np.array([*rows, (1, 1, 2)], np.uint8),
        valid_accuracy=np.linspace(0, 1, 7),
    )
    return str(path)


WIDE_STEM = {"stem": "large images", "kernels": (1, 7), "smallest": 1, "max_stages": 4, "depths": (1,)}
EVERY_POOL = ("max 2", "max 3", "average 2", "average 3")
SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "chain": (
        {},
        {"kernels": (1, 7), "filters": (2, 3), "pools": EVERY_POOL, "activations": ("tanh", "relu"), "smallest": 1},
    ),
    "mlp": ({}, {"min_layers": 0, "units": (3, 4), "activations": ("tanh", "hardswish", "relu6")}),
    "resnet": ({}, WIDE_STEM | {"cardinalities": (2, 3), "inner": (0.5, 1.1), "factors": (0.5, 1.1)}),
    "mnasnet": ({}, {"skips": ("pool", "identity"), "kernels": (7,), "ratios": (0.1, 0.15), "smallest": 1}),
    "transformer": ({}, {"tied": True, "heads": (3, 4), "widths": (4, 12), "activations": ("silu",)}),
    "nasbench201": ({"cells": 1, "channels": 4},),
    # In a network of three cells only the first is a normal one, which reads the stem twice: its inputs can be swapped.
    "nasnet": ({"nodes": 2, "cells": 4, "channels": 4}, {"cells": 4, "channels": 2, "concat": "unused"}),
    "table": ({"table": tiny_table()},),
}
ONE_LAYER = {"kernels": (3,), "filters": (4,), "pools": ("max 2",), "units": (4,), "activations": ("relu",)}
ONE_WAY = {"kernels": (3,), "factors": (1.0,)}
MOBILE = {"operations": ("mbconv",), "expansions": (2,)}
ENCODER = {"max_layers": 2, "ratios": (1, 2), "activations": ("gelu",)}
RESNET = {"stems": (4,), "depths": (1, 2)}
# Settings, task, and the number of different networks, counted by hand.
SMALL: dict[str, tuple[tuple[dict[str, Any], Task, int], ...]] = {
    "baseline": (({}, DIGITS, 1),),
    # One layer: a convolution 4 ways under 2 heads, or dense 2 ways. Two: 16 and 4 pooled and 8 with a dense one, each
    # under 2 heads, or dense 4 ways.
    "chain": ((ONE_LAYER | {"min_layers": 1, "max_layers": 2}, DIGITS, 10 + 60),),
    # None; one of 4 units, with or without a skip, or of 8; two: 2 x (2 + 1) and 1 x (1 + 2); times 4 but the first.
    "mlp": (({"min_layers": 0, "max_layers": 2, "units": (4, 8), "activations": ("relu", "tanh")}, FEATURES, 49),),
    "resnet": (
        # Widths 4 and 8; basic, or grouped by 1 or 2 with inner width 4, or 8 and 9 or 10; times two depths.
        (
            RESNET | {"max_stages": 1, "factors": (1.0, 1.1, 2.0), "cardinalities": (1, 2), "inner": (1.0, 1.1)},
            DIGITS,
            16,
        ),
        # One stage: 2 depths x 2 widths; two: that squared.
        (RESNET | {"max_stages": 2, "factors": (1.0, 2.0), "blocks": ("basic",)}, DIGITS, 4 + 16),
    ),
    "mnasnet": (
        # Expansion is read by the third operation alone.
        (ONE_WAY | {"ratios": (0.0,), "skips": ("none",), "more_layers": (0,)}, DIGITS, 4**4),
        # An identity fits in the first block, which keeps the stem's filters, and in those of two layers.
        (ONE_WAY | MOBILE | {"skips": ("none", "identity"), "more_layers": (-1, 0)}, DIGITS, 4 * 6**3),
    ),
    # Each width has two numbers of heads that divide it.
    "transformer": ((ENCODER | {"widths": (4, 6), "heads": (2, 3, 4)}, TEXT, 2 * (4 + 16)),),
    "nasbench201": (({"cells": 1, "channels": 2, "operations": ("none", "nor_conv_1x1")}, DIGITS, 64),),
    "table": (({"table": tiny_table()}, DIGITS, 7),),
}
seeds = st.integers(0, 2**32)


@st.composite
def instances(draw: st.DrawFn, name: str, tasks: tuple[Task, ...] = TASKS) -> SearchSpace:
    settings = draw(st.sampled_from(SETTINGS.get(name, ({},))))
    return build(SpaceSpec(name, settings), draw(st.sampled_from([task for task in tasks if serves(name, task)])))


def spelling(space: SearchSpace, random: Random) -> Architecture:
    return Architecture(space.name, tuple(random.randrange(len(one.options)) for one in space.decisions))


def inside(space: SearchSpace, architecture: Architecture) -> bool:
    in_range = (
        0 <= choice < len(one.options) for choice, one in zip(architecture.choices, space.decisions, strict=True)
    )
    return all(in_range) and space.canonical(architecture) == architecture and not space.complaint(architecture)


def network(graph: Graph) -> tuple[int, ...]:
    """Spell a network without its ids: equal where nodes correspond, whatever their names and order.

    Each node is named by what it is and reads, then by what reads it too; a zero reads nothing, sums and
    concatenations read in any order.
    """
    reads: dict[str, int] = {}
    for node in graph.nodes:
        sources = sorted(reads[id] for id in read_by(node))
        reads[node.id] = hash((node.op, tuple(sorted(node.options.items())), node.shape, tuple(sources)))
    readers: defaultdict[str, list[int]] = defaultdict(list)
    named = []
    for node in reversed(graph.nodes):
        named.append(hash((reads[node.id], tuple(sorted(readers[node.id])))))
        for id in read_by(node):
            readers[id].append(named[-1])
    return tuple(sorted(named))


def read_by(node: Node) -> tuple[str, ...]:
    return () if node.op == "zero" else node.inputs


def inputs_of(task: Task, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    if task.kind == "text":
        return torch.randint(task.vocabulary, (count, *task.input_shape), generator=generator)
    return torch.randn(count, *task.input_shape, generator=generator)


def parametrize(*left_out: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name in SPACES if name not in left_out])


@parametrize()
@settings(max_examples=15, deadline=None)
@given(data=st.data(), seed=seeds)
def test_canonical_repairs_any_choices_once_and_for_all(name: str, data: st.DataObject, seed: int) -> None:
    space = data.draw(instances(name))
    once = space.canonical(spelling(space, Random(seed)))
    assert once.space == space.name
    assert all(0 <= choice < len(one.options) for choice, one in zip(once.choices, space.decisions, strict=True))
    assert space.canonical(once) == once
    if not space.complaint(once):
        assert space.graph(once).nodes[-1].shape == (space.graph(once).task.classes,)


@parametrize()
@settings(max_examples=10, deadline=None)
@given(data=st.data(), seed=seeds, rate=st.floats(0, 1), how=st.sampled_from(["uniform", "one_point"]))
def test_moves_stay_inside(name: str, data: st.DataObject, seed: int, rate: float, how: Any) -> None:
    space, random = data.draw(instances(name)), Random(seed)
    mother, father = moves.sample(space, random), moves.sample(space, random)
    near = list(itertools.islice(moves.neighbours(space, mother), 5))
    children = moves.mutate(space, mother, rate, random), moves.crossover(space, mother, father, how, random)
    assert all(inside(space, made) for made in (mother, father, *children, *near))
    assert mother not in near
    assert (moves.mutate(space, mother, 0.0, random) != mother) == bool(near)


@parametrize(*AS_TRAINED)
@settings(max_examples=10, deadline=None)
@given(data=st.data(), seed=seeds)
def test_one_network_has_one_spelling(name: str, data: st.DataObject, seed: int) -> None:
    """Compared with what one changed choice makes of any spelling, legal or not."""
    space, random = data.draw(instances(name)), Random(seed)
    start = spelling(space, random)
    one = space.canonical(start)
    drawn = network(space.graph(one))
    for index in random.sample(range(len(space.decisions)), min(8, len(space.decisions))):
        choices = list(start.choices)
        choices[index] = random.randrange(len(space.decisions[index].options))
        other = space.canonical(Architecture(space.name, tuple(choices)))
        assert (one == other) == (drawn == network(space.graph(other)))


@pytest.mark.parametrize(
    ("name", "asked", "task", "expected"),
    [(name, *instance) for name, known in SMALL.items() if name in SPACES for instance in known],
)
def test_a_small_space_has_as_many_networks_spellings_and_keys_as_counted_by_hand(
    name: str, asked: dict[str, Any], task: Task, expected: int
) -> None:
    space = build(SpaceSpec(name, asked), task)
    every = itertools.product(*(range(len(decision.options)) for decision in space.decisions))
    found = {space.canonical(Architecture(space.name, choices)) for choices in every}
    allowed = [architecture for architecture in found if not space.complaint(architecture)]
    assert len(allowed) == expected
    assert len({architecture.key for architecture in allowed}) == expected
    drawn = {network(space.graph(architecture)) for architecture in allowed}
    assert len(drawn) == expected or name in AS_TRAINED


def test_keys_are_the_same_in_every_process() -> None:
    program = """
from random import Random
from nas.spaces import moves
from nas.spaces.catalogue import SPACES, SpaceSpec, build, serves
from nas.spaces.graph import Task
task = Task((1, 8, 8), 10)
for name in SPACES:
    if serves(name, task) and name != "table":
        print(moves.sample(build(SpaceSpec(name, {}), task), Random(1)).key)
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True
        ).stdout
        for salt in ("1", "2")
    ]
    assert told[0] == told[1]
    assert len(set(told[0].split())) >= 6


@parametrize()
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_decisions_have_names_and_options_of_their_own(name: str, data: st.DataObject) -> None:
    space = data.draw(instances(name))
    names = [decision.name for decision in space.decisions]
    assert len(names) == len(set(names))
    assert all(decision.options for decision in space.decisions)
    assert all(len(decision.options) == len(set(decision.options)) for decision in space.decisions)
    assert round(10 ** magnitude(space)) >= 1


@parametrize()
@settings(max_examples=10, deadline=None)
@given(data=st.data(), seed=seeds)
def test_a_graph_reads_only_what_came_before_and_every_node_says_what_it_is(
    name: str, data: st.DataObject, seed: int
) -> None:
    space = data.draw(instances(name))
    seen: set[str] = set()
    for node in space.graph(moves.sample(space, Random(seed))).nodes:
        assert set(node.inputs) <= seen
        assert node.id not in seen
        assert node.label
        seen.add(node.id)


@parametrize(*TABULATED)
@settings(max_examples=6, deadline=None)
@given(data=st.data(), seed=seeds)
def test_the_module_has_the_shapes_and_costs_of_the_graph(name: str, data: st.DataObject, seed: int) -> None:
    space = data.draw(instances(name, LIGHT))
    graph = space.graph(moves.sample(space, Random(seed)))
    module, inputs = network_of(graph), inputs_of(graph.task, 2)
    children, shapes = dict(module.named_children()), {}
    for node in graph.nodes:
        if layer := children.get(layer_name(node.id)):
            layer.register_forward_hook(lambda _, __, out, id=node.id: shapes.__setitem__(id, tuple(out.shape[1:])))
    assert measured.multiply_adds(module, inputs) == graph.multiply_adds
    assert measured.parameters(module) == graph.parameters
    assert shapes
    assert all(node.shape == shapes[node.id] for node in graph.nodes if node.id in shapes)


@parametrize(*TABULATED)
@settings(max_examples=6, deadline=None)
@given(data=st.data(), seed=seeds)
def test_every_sampled_network_trains_a_step(name: str, data: st.DataObject, seed: int) -> None:
    space = data.draw(instances(name, LIGHT))
    graph = space.graph(moves.sample(space, Random(seed)))
    module, inputs = network_of(graph).train(), inputs_of(graph.task, 4)
    labels = torch.arange(4) % graph.task.classes
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
    loss = functional.cross_entropy(module(inputs), labels)
    loss.backward()
    for parameter in parameters_that_matter(module, graph):
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
    optimizer.step()
    assert isfinite(loss.item())
    assert isfinite(functional.cross_entropy(module(inputs), labels).item())


def parameters_that_matter(module: Network, graph: Graph) -> list[Tensor]:
    """The parameters of nodes from which a path leads to the classifier."""
    matter = {graph.nodes[-1].id}
    for node in reversed(graph.nodes):
        if node.id in matter:
            matter.update(read_by(node))
    names = {layer_name(id) for id in matter} | {f"{layer_name(id)}_norm" for id in matter}
    return [parameter for name, parameter in module.named_parameters() if name.partition(".")[0] in names]


@parametrize()
def test_a_graph_takes_under_5_ms_for_every_100_nodes(name: str) -> None:
    space = build(SpaceSpec(name, SETTINGS[name][0] if name in TABULATED else {}), served(name))
    sampled = [moves.sample(space, Random(seed)) for seed in range(20)]
    seconds, sizes = [], []
    for architecture in sampled:
        start = time.perf_counter()
        sizes.append(len(space.graph(architecture).nodes))
        seconds.append(time.perf_counter() - start)
    assert median(seconds) < 0.005 * max(1.0, median(sizes) / 100)


@parametrize()
@pytest.mark.parametrize("seed", range(2))
def test_no_two_boxes_of_a_diagram_overlap(name: str, seed: int) -> None:
    space = build(SpaceSpec(name, SETTINGS[name][0] if name in TABULATED else {}), served(name))
    root = ElementTree.fromstring(draw(space.graph(moves.sample(space, Random(seed))), name="one", title="One"))
    boxes = []
    for element in root.iter("{http://www.w3.org/2000/svg}g"):
        if "node" in element.get("class", "").split():
            left, top = re.findall(r"-?[\d.]+(?=px)", element.get("style", ""))
            rect = element[0]
            boxes.append((float(left), float(top), float(rect.get("width", "")), float(rect.get("height", ""))))
    assert boxes
    for (x, y, width, height), (other_x, other_y, other_width, other_height) in itertools.combinations(boxes, 2):
        beside = x + width <= other_x or other_x + other_width <= x
        assert beside or y + height <= other_y or other_y + other_height <= y


def served(name: str) -> Task:
    return next(task for task in TASKS if serves(name, task))


def test_every_searchable_space_is_described() -> None:
    assert set(SEARCHABLE) <= set(ABOUT)

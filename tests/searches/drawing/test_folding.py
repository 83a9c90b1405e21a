"""Deep networks stay readable: groups built alike are drawn once, and a long one is laid out in time."""

import itertools
import time
import xml.etree.ElementTree as ElementTree

from nas.spaces.graph import Graph, Task
from nas.spaces.sketch import Sketch
from searches.drawing.folding import LARGEST, Repeat, folded
from searches.drawing.layout import layout
from searches.drawing.svg import _box, draw
from searches.drawing.thumbnail import MOST, thumbnail

SVG = "{http://www.w3.org/2000/svg}"


def cells(count: int, *, kernels: tuple[int, ...] = (3,)) -> Graph:
    """Cells that read the two before them, the kernels in turn, twice as wide from the middle on."""
    sketch = Sketch(Task((3, 32, 32), 10))
    before = last = sketch.conv("stem", "input", filters=4, kernel=3)
    for number in range(count):
        id, group = f"cell{number}", f"cell {number}"
        filters, kernel = 4 if number < count / 2 else 8, kernels[number % len(kernels)]
        left = sketch.conv(f"{id}.left", before, filters=filters, kernel=1, group=group)
        right = sketch.conv(f"{id}.right", last, filters=filters, kernel=1, group=group)
        deep = sketch.conv(f"{id}.depthwise", right, filters=filters, kernel=kernel, groups=filters, group=group)
        added = sketch.add(f"{id}.add", (left, deep), group=group)
        before, last = last, sketch.concat(f"{id}.out", (added, right), group=group)
    return sketch.classify(sketch.global_pool("pool", last))


def test_a_small_network_is_drawn_in_full() -> None:
    graph = cells(11)
    assert len(graph.nodes) <= LARGEST
    assert folded(graph) is graph


def test_cells_like_the_first_become_one_box_each() -> None:
    graph = cells(20)
    found = folded(graph)
    repeats = [node for node in found.nodes if isinstance(node, Repeat)]
    assert [node.label for node in repeats] == [f"cell {number}" for number in range(1, 20)]
    assert {node.detail for node in repeats} == {"like cell 0"}
    assert repeats[-1].inputs == ("cell17.out", "cell18.out")
    assert (found.parameters, found.multiply_adds) == (graph.parameters, graph.multiply_adds)


def test_a_folded_network_reads_only_what_is_drawn() -> None:
    seen: set[str] = set()
    for node in folded(cells(20, kernels=(3, 5, 3, 3, 7))).nodes:
        assert set(node.inputs) <= seen
        seen.add(node.id)


def test_each_kernel_is_drawn_in_full_once() -> None:
    found = folded(cells(15, kernels=(3, 5, 5)))
    depthwise = [node.label for node in found.nodes if node.id.endswith(".depthwise")]
    assert depthwise == ["dw conv 3×3, 4", "dw conv 5×5, 4"]


def test_groups_that_come_in_pieces_are_not_folded() -> None:
    sketch = Sketch(Task((3, 8, 8), 10))
    last = "input"
    for number in range(40):
        group = f"block {number // 4}" if number % 2 else ""
        last = sketch.conv(f"conv{number}", sketch.activate(f"norm{number}", last), filters=4, kernel=3, group=group)
    graph = sketch.classify(sketch.global_pool("pool", last))
    assert folded(graph).nodes == graph.nodes


def test_a_sum_of_one_node_with_itself_has_two_edges_under_two_keys() -> None:
    sketch = Sketch(Task((3, 8, 8), 10))
    graph = sketch.classify(sketch.global_pool("pool", sketch.add("twice", ("input", "input"))))
    root = ElementTree.fromstring(draw(graph, name="one", title="One"))
    keys = [element.get("data-key") for element in root.iter(f"{SVG}path") if element.get("class") == "edge"]
    assert keys[:2] == ["e:input>twice", "e:input>twice 2"]


def test_three_hundred_nodes_are_laid_out_apart_within_a_second() -> None:
    graph = cells(60)
    boxes = {node.id: _box(node) for node in graph.nodes}
    assert len(boxes) > 300
    start = time.process_time()
    placed = layout(boxes, graph.edges)
    assert time.process_time() - start < 1
    for a, b in itertools.combinations(boxes, 2):
        across, along = (abs(one - other) for one, other in zip(placed.centres[a], placed.centres[b], strict=True))
        beside = across >= (boxes[a].width + boxes[b].width) / 2 - 0.01
        assert beside or along >= (boxes[a].height + boxes[b].height) / 2 - 0.01


def test_the_thumbnail_of_a_deep_network_fits_a_table() -> None:
    bars = ElementTree.fromstring(thumbnail(cells(60))).findall("rect")
    assert len(bars) == MOST

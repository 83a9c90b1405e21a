"""A drawing says what the graph says, can be parsed, and carries a stable key on every element."""

import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from nas.architecture import Architecture
from nas.spaces.baseline import BASELINE, Baseline
from nas.spaces.chain import Chain
from nas.spaces.graph import Graph, Task
from searches.drawing.sparkline import sparkline
from searches.drawing.svg import draw
from searches.drawing.text import short
from searches.drawing.thumbnail import thumbnail

SVG = "{http://www.w3.org/2000/svg}"
TASK = Task((1, 28, 28), 10)
CHAIN = Chain(TASK, max_layers=8)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Random networks of the chain space."""
    choices = tuple(draw(st.integers(0, len(decision.options) - 1)) for decision in CHAIN.decisions)
    return CHAIN.graph(CHAIN.canonical(Architecture(CHAIN.name, choices)))


@given(graphs())
def test_every_node_and_edge_is_drawn_once_under_its_key(graph: Graph) -> None:
    root = ElementTree.fromstring(draw(graph, name="best", title="Best"))
    keys = [element.get("data-key", "") for element in root.iter() if element.get("data-key")]
    assert len(keys) == len(set(keys))
    assert {key for key in keys if key.startswith("n:")} == {f"n:{node.id}" for node in graph.nodes}
    assert {key for key in keys if key.startswith("e:")} == {f"e:{a}>{b}" for a, b in graph.edges}


@given(graphs())
def test_a_drawing_is_the_same_each_time(graph: Graph) -> None:
    assert draw(graph, name="best", title="Best") == draw(graph, name="best", title="Best")


@given(graphs())
def test_exactly_one_node_is_a_tab_stop_and_each_says_what_it_is(graph: Graph) -> None:
    root = ElementTree.fromstring(draw(graph, name="best", title="Best"))
    nodes = [element for element in root.iter(f"{SVG}g") if "node" in (element.get("class") or "").split()]
    assert [node.get("tabindex") for node in nodes].count("0") == 1
    assert all(node.get("aria-label") for node in nodes)


def test_the_title_and_the_description_are_in_words() -> None:
    root = ElementTree.fromstring(draw(Baseline(TASK).graph(BASELINE), name="b", title="<Baseline> & co"))
    assert root.findtext(f"{SVG}title") == "<Baseline> & co"
    assert "parameters" in (root.findtext(f"{SVG}desc") or "")


def test_groups_of_several_nodes_are_framed() -> None:
    root = ElementTree.fromstring(draw(Baseline(TASK).graph(BASELINE), name="b", title="Baseline"))
    frames = [element.get("data-key") for element in root.iter() if element.get("class") == "frame"]
    assert frames == ["f:block 1", "f:block 2"]


@given(graphs())
def test_a_thumbnail_has_a_bar_for_every_operation(graph: Graph) -> None:
    bars = ElementTree.fromstring(thumbnail(graph)).findall("rect")
    assert len(bars) == sum(node.kind not in ("io", "merge") for node in graph.nodes)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_a_sparkline_stays_within_its_frame(values: list[float]) -> None:
    line = ElementTree.fromstring(sparkline(values)).find("polyline")
    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert len(points) == len(values)
    assert all(0 <= x <= 60 and 0 <= y <= 20 for x, y in points)


def test_a_sparkline_of_nothing_is_empty() -> None:
    assert sparkline([]) == ""


def test_counts_are_written_short() -> None:
    assert [short(count) for count in (0, 940, 35914, 999_999, 3_210_000)] == ["0", "940", "35.9k", "1M", "3.21M"]

"""The layout keeps boxes apart and edges out of boxes, whatever the graph."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searches.drawing.layout import Box, Edge, Layout, Point, layout
from searches.drawing.ordering import crossings

Drawing = tuple[dict[str, Box], list[Edge]]
SLACK = 0.01


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Random graphs whose edges lead from lower to higher numbers, in shuffled order, boxes of all sizes."""
    count = draw(st.integers(1, 14))
    sizes = st.builds(Box, st.floats(20, 160), st.floats(20, 60))
    boxes = {f"n{number}": draw(sizes) for number in draw(st.permutations(range(count)))}
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])
    found = draw(st.lists(pairs, max_size=30, unique=True)) if count > 1 else []
    return boxes, [(f"n{a}", f"n{b}") for a, b in found]


@given(drawings())
def test_no_two_boxes_overlap(drawing: Drawing) -> None:
    boxes, edges = drawing
    placed = layout(boxes, edges)
    for a in boxes:
        for b in boxes:
            if a != b:
                assert _apart(placed, boxes, a, b)


@given(drawings())
def test_no_edge_runs_through_a_box(drawing: Drawing) -> None:
    boxes, edges = drawing
    placed = layout(boxes, edges)
    for (source, target), route in zip(edges, placed.routes, strict=True):
        for point in _curve(route):
            for name in boxes:
                if name not in (source, target):
                    assert not _inside(placed, boxes, name, point)


@given(drawings())
def test_edges_start_below_their_source_and_end_above_their_target(drawing: Drawing) -> None:
    boxes, edges = drawing
    placed = layout(boxes, edges)
    for (source, target), route in zip(edges, placed.routes, strict=True):
        assert route[0][1] == pytest.approx(placed.centres[source][1] + boxes[source].height / 2)
        assert route[-1][1] == pytest.approx(placed.centres[target][1] - boxes[target].height / 2)
        assert abs(route[0][0] - placed.centres[source][0]) <= boxes[source].width / 2
        assert [y for _, y in route] == sorted(y for _, y in route)


@given(drawings())
def test_everything_stands_within_the_drawing(drawing: Drawing) -> None:
    boxes, edges = drawing
    placed = layout(boxes, edges)
    for name, (x, y) in placed.centres.items():
        assert x - boxes[name].width / 2 >= 0
        assert x + boxes[name].width / 2 <= placed.width + SLACK
        assert y - boxes[name].height / 2 >= 0
        assert y + boxes[name].height / 2 <= placed.height + SLACK


@given(drawings())
def test_the_same_graph_is_drawn_the_same_again(drawing: Drawing) -> None:
    assert layout(*drawing) == layout(*drawing)


def test_a_circle_is_refused() -> None:
    boxes = {name: Box(10, 10) for name in "abc"}
    with pytest.raises(ValueError, match="circle"):
        layout(boxes, [("a", "b"), ("b", "c"), ("c", "b")])


def test_a_chain_is_a_straight_line() -> None:
    boxes = {name: Box(40 + index * 10, 30) for index, name in enumerate("abcd")}
    placed = layout(boxes, [("a", "b"), ("b", "c"), ("c", "d")])
    assert len({round(x, 6) for x, _ in placed.centres.values()}) == 1
    assert all(len({round(x, 6) for x, _ in route}) == 1 for route in placed.routes)


def test_a_planar_graph_given_crossed_is_uncrossed() -> None:
    boxes = {name: Box(40, 30) for name in ("a", "b", "y", "x")}
    placed = layout(boxes, [("a", "x"), ("b", "y")])
    assert (placed.centres["a"][0] < placed.centres["b"][0]) == (placed.centres["x"][0] < placed.centres["y"][0])


def test_crossings_are_counted() -> None:
    assert crossings([[0, 1], [2, 3]], [[3], [2], [], []]) == 1


def test_nothing_can_be_drawn() -> None:
    assert layout({}, []).centres == {}


def _apart(placed: Layout, boxes: dict[str, Box], a: str, b: str) -> bool:
    (ax, ay), (bx, by) = placed.centres[a], placed.centres[b]
    across = (boxes[a].width + boxes[b].width) / 2 - SLACK
    along = (boxes[a].height + boxes[b].height) / 2 - SLACK
    return abs(ax - bx) >= across or abs(ay - by) >= along


def _inside(placed: Layout, boxes: dict[str, Box], name: str, point: Point) -> bool:
    (x, y), box = placed.centres[name], boxes[name]
    return abs(point[0] - x) < box.width / 2 - SLACK and abs(point[1] - y) < box.height / 2 - SLACK


def _curve(route: tuple[Point, ...]) -> list[Point]:
    """Points on the curves that the SVG draws between the points of a route."""
    found = []
    for (x0, y0), (x1, y1) in itertools.pairwise(route):
        middle = (y0 + y1) / 2
        for step in range(21):
            t = step / 20
            a, b, c, d = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
            found.append(((a + b) * x0 + (c + d) * x1, a * y0 + (b + c) * middle + d * y1))
    return found

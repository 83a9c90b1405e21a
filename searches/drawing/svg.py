"""Draw a network as SVG: themed by classes, readable by screen readers, with a key per element to morph by."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from nas.spaces.graph import Graph, Node
from searches.drawing.folding import folded
from searches.drawing.layout import Box, Layout, Point, layout
from searches.drawing.text import shape_text, short, text_width

LABEL_SIZE, DETAIL_SIZE = 12.0, 10.5
LOW, HIGH = 30.0, 44.0
ONE_LINE = ("add", "zero")
NO_SHAPE = (1,)  # A table does not tell what flows through its networks.
FRAME_PAD = 9.0
READABLE = 0.75  # Where there is no room a drawing shrinks so far, then it scrolls.


@dataclass(frozen=True)
class _Frame:
    name: str
    left: float
    top: float
    right: float
    bottom: float


def draw(graph: Graph, *, name: str, title: str) -> SafeString:
    """Return the SVG of a network; `name` makes ids unique on a page, `title` is what it is called in words."""
    words, graph = about(graph), folded(graph)
    boxes = {node.id: _box(node) for node in graph.nodes}
    placed = layout(boxes, graph.edges)
    frames = _frames(graph, boxes, placed)
    right = max([placed.width, *(frame.right + 2 for frame in frames)])
    width, height = round(right), round(placed.height)
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="arch" viewBox="0 0 {} {}" width="{}" height="{}" '
        'style="min-width:{}px" role="group" '
        'aria-labelledby="{}-title {}-about"><title id="{}-title">{}</title><desc id="{}-about">{}</desc>'
        '<defs><marker id="{}-tip" viewBox="0 0 8 8" refX="7.2" refY="4" markerWidth="6.5" markerHeight="6.5" '
        'orient="auto"><path class="tip" d="M0,.8L7.4,4L0,7.2z"/></marker></defs>'
        '<g class="frames" aria-hidden="true">{}</g><g class="edges" aria-hidden="true">{}</g>'
        '<g class="labels" aria-hidden="true">{}</g><g class="nodes" role="list">{}</g></svg>',
        *(width, height, width, height, round(READABLE * width), name, name, name, title, name, words, name),
        format_html_join("", *_frame_parts(frames)),
        _edges(graph, placed, name),
        _shapes(graph, placed),
        _nodes(graph, boxes, placed),
    )


def about(graph: Graph) -> str:
    """Say in one sentence what a network consists of."""
    return _(
        "%(nodes)d operations, %(parameters)s parameters, %(multiply_adds)s multiply-adds, "
        "from %(first)s to %(last)s classes."
    ) % {
        "nodes": len(graph.nodes),
        "parameters": short(graph.parameters),
        "multiply_adds": short(graph.multiply_adds),
        "first": shape_text(graph.task.input_shape),
        "last": graph.task.classes,
    }


def _second_line(node: Node) -> str:
    if node.op == "choice":
        return str(node.options["decision"])
    if not node.parameters and node.shape == NO_SHAPE:
        return ""
    if node.detail or not node.parameters:
        return node.detail or shape_text(node.shape)
    return _("%(count)s parameters") % {"count": short(node.parameters)}


def _box(node: Node) -> Box:
    if _one_line(node):
        return Box(float(max(64, round(text_width(node.label, LABEL_SIZE) + 24))), LOW)
    wanted = max(text_width(node.label, LABEL_SIZE), text_width(_second_line(node), DETAIL_SIZE)) + 24
    return Box(float(max(72, round(wanted))), HIGH)


def _one_line(node: Node) -> bool:
    return (node.op in ONE_LINE and node.kind != "repeat") or not _second_line(node)


def _nodes(graph: Graph, boxes: Mapping[str, Box], placed: Layout) -> SafeString:
    labels = {node.id: node.label for node in graph.nodes}
    largest = max((node.parameters for node in graph.nodes), default=0)
    parts = []
    for index, node in enumerate(graph.nodes):
        box, (x, y) = boxes[node.id], placed.centres[node.id]
        parts.append(
            format_html(
                '<g class="node kind-{}" role="listitem" tabindex="{}" data-key="n:{}" aria-label="{}" '
                'style="transform:translate({}px,{}px)"><rect class="box" width="{}" height="{}" rx="9"/>{}{}</g>',
                *(node.kind, 0 if index == 0 else -1, node.id, _spoken(node, labels)),
                *(_n(x - box.width / 2), _n(y - box.height / 2), _n(box.width), _n(box.height)),
                _texts(node, box),
                _bar(node, box, largest),
            )
        )
    return format_html_join("", "{}", ((part,) for part in parts))


def _texts(node: Node, box: Box) -> SafeString:
    middle = _n(box.width / 2)
    if box.height == LOW:
        return format_html('<text x="{}" y="{}">{}</text>', middle, _n(box.height / 2 + 4.2), node.label)
    return format_html(
        '<text x="{}" y="{}">{}</text><text class="detail" x="{}" y="{}">{}</text>',
        *(middle, _n(box.height / 2 - 4), node.label),
        *(middle, _n(box.height / 2 + 11), _second_line(node)),
    )


def _bar(node: Node, box: Box, largest: int) -> SafeString:
    """Draw the parameters of a node beside those of the largest."""
    if not node.parameters or not largest:
        return SafeString("")
    length = max(2.0, node.parameters / largest * (box.width - 16))
    return format_html(
        '<rect class="bar" x="8" y="{}" width="{}" height="2.5" rx="1.2"/>', _n(box.height - 5), _n(length)
    )


def _spoken(node: Node, labels: Mapping[str, str]) -> str:
    parts = [node.label, node.detail, shape_text(node.shape)]
    if node.parameters:
        parts.append(_("%(count)s parameters") % {"count": short(node.parameters)})
    if node.inputs:
        parts.append(_("reads %(names)s") % {"names": ", ".join(labels[source] for source in node.inputs)})
    return ", ".join(part for part in parts if part)


def _edges(graph: Graph, placed: Layout, name: str) -> SafeString:
    drawn: Counter[tuple[str, str]] = Counter()
    rows = []
    for edge, route in zip(graph.edges, placed.routes, strict=True):
        drawn[edge] += 1
        again = f" {drawn[edge]}" if drawn[edge] > 1 else ""  # a sum may read one node twice
        rows.append((*edge, again, _path(route), name))
    return format_html_join("", '<path class="edge" data-key="e:{}&gt;{}{}" d="{}" marker-end="url(#{}-tip)"/>', rows)


def _path(route: Sequence[Point]) -> str:
    """Join the points by curves that leave and arrive vertically."""
    text = f"M{_n(route[0][0])},{_n(route[0][1])}"
    for (x0, y0), (x1, y1) in itertools.pairwise(route):
        middle = _n((y0 + y1) / 2)
        text += f"C{_n(x0)},{middle} {_n(x1)},{middle} {_n(x1)},{_n(y1)}"
    return text


def _shapes(graph: Graph, placed: Layout) -> SafeString:
    """Write a shape beside the first edge out of a node, where the node changed it and does not say so itself."""
    nodes = {node.id: node for node in graph.nodes}
    first: dict[str, Sequence[Point]] = {}
    for (source, _target), route in zip(graph.edges, placed.routes, strict=True):
        first.setdefault(source, route)
    rows = []
    for source, line in first.items():
        node = nodes[source]
        unchanged = node.inputs and nodes[node.inputs[0]].shape == node.shape
        if unchanged or _second_line(node) == shape_text(node.shape) or len(node.shape) == 1:
            continue
        (x, y), turn = line[0], line[-1][0]
        side, at = ("end", x - 6) if turn > x + 1 else ("start", x + 6)  # on the side that the edge leaves free
        rows.append((side, source, _n(at), _n(y + 15), shape_text(node.shape)))
    return format_html_join("", '<text class="shape {}" data-key="s:{}" x="{}" y="{}">{}</text>', rows)


def _frames(graph: Graph, boxes: Mapping[str, Box], placed: Layout) -> list[_Frame]:
    """Frame the groups of two nodes and more, unless a box of another group stands in the way."""
    groups: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.group:
            groups.setdefault(node.group, []).append(node.id)
    found = []
    for name, members in groups.items():
        if len(members) < 2:
            continue
        frame = _around(name, members, graph, boxes, placed)
        strangers = (node.id for node in graph.nodes if node.id not in members)
        if not any(_meets(frame, boxes[other], placed.centres[other]) for other in strangers):
            found.append(frame)
    return found


def _around(name: str, members: Sequence[str], graph: Graph, boxes: Mapping[str, Box], placed: Layout) -> _Frame:
    """Surround the boxes of a group, its inner edges, and the title, which stands to the right of it."""
    xs, ys = [], []
    for id in members:
        (x, y), box = placed.centres[id], boxes[id]
        xs += [x - box.width / 2, x + box.width / 2]
        ys += [y - box.height / 2, y + box.height / 2]
    top, bottom = min(ys), max(ys)
    for (_source, target), route in zip(graph.edges, placed.routes, strict=True):
        if target in members:
            xs += [x for x, y in route if top <= y <= bottom]
    return _Frame(name, min(xs) - FRAME_PAD, top - FRAME_PAD, max(xs) + FRAME_PAD, bottom + FRAME_PAD)


def _meets(frame: _Frame, box: Box, centre: Point) -> bool:
    x, y = centre
    beside = x + box.width / 2 < frame.left or x - box.width / 2 > frame.right
    apart = y + box.height / 2 < frame.top or y - box.height / 2 > frame.bottom
    return not (beside or apart)


def _frame_parts(frames: Sequence[_Frame]) -> tuple[str, Iterable[tuple[str, ...]]]:
    rows = (
        (
            *(frame.name, _n(frame.left), _n(frame.top)),
            *(_n(frame.right - frame.left), _n(frame.bottom - frame.top)),
            *(_n(frame.left + 8), _n(frame.top + 4), frame.name),
        )
        for frame in frames
    )
    template = (
        '<g class="frame" data-key="f:{}"><rect x="{}" y="{}" width="{}" height="{}" rx="12"/>'
        '<text x="{}" y="{}">{}</text></g>'
    )
    return template, rows


def _n(value: float) -> str:
    """Write a coordinate with one decimal, without a trailing zero."""
    return f"{value:.1f}".removesuffix(".0")

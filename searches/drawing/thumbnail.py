"""A network small enough for a table cell: one bar per operation, coloured by kind, as high as it is wide."""

from collections import Counter
from math import log2

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from nas.spaces.graph import Graph, Node

HEIGHT, BAR, PITCH, LOWEST = 18, 4, 6, 3
WIDEST = 256
MOST = 40


def thumbnail(graph: Graph) -> SafeString:
    """Return the SVG of a network's silhouette, input and classifier left out; of a long one, an even selection."""
    nodes = [node for node in graph.nodes if node.kind not in ("io", "merge")]
    count = min(len(nodes), MOST)
    shown = [nodes[index * len(nodes) // count] for index in range(count)]
    rows = ((node.kind, index * PITCH, HEIGHT - _height(node), BAR, _height(node)) for index, node in enumerate(shown))
    bars = format_html_join("", '<rect class="kind-{}" x="{}" y="{}" width="{}" height="{}" rx="1"/>', rows)
    width = max(1, count) * PITCH
    return format_html(
        '<svg class="thumbnail" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>',
        *(width, HEIGHT, width, HEIGHT, _spoken(nodes), bars),
    )


def _height(node: Node) -> int:
    width = node.shape[1] if len(node.shape) == 2 else node.shape[0]
    share = log2(min(width, WIDEST) + 1) / log2(WIDEST + 1)
    return round(LOWEST + share * (HEIGHT - LOWEST))


def _spoken(nodes: list[Node]) -> str:
    counts = Counter(node.op.replace("_", " ") for node in nodes)
    return ", ".join(f"{op} ×{count}" if count > 1 else op for op, count in counts.items()) or _("classifier only")

"""Makes the picture of a deep network readable: of groups that are built alike, the first is drawn in full."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from django.utils.translation import gettext as _

from nas.spaces.graph import Graph, Kind, Node

LARGEST = 60  # operations that are drawn one by one, whatever they repeat
WIDTHS = ("filters", "units", "squeezed")


@dataclass(frozen=True)
class Repeat(Node):
    """A whole group as one box: what it reads, the shape it puts out, the sums of its costs."""

    like: str = ""

    @property
    def kind(self) -> Kind:
        """A family of its own."""
        return "repeat"

    @property
    def label(self) -> str:
        """The name of the group."""
        return self.group

    @property
    def detail(self) -> str:
        """Which group was drawn in its place."""
        return _("like %(group)s") % {"group": self.like}


def folded(graph: Graph) -> Graph:
    """Return the graph with later groups like an earlier one as single nodes; small graphs stay as they are.

    Groups are alike where operations, kernels, strides and inner edges are the same; widths may differ. A group folds
    only if its nodes follow each other in the graph, so that no path leaves it and comes back.
    """
    if len(graph.nodes) <= LARGEST:
        return graph
    first: dict[tuple[object, ...], str] = {}
    drawn_as: dict[str, str] = {}
    nodes: list[Node] = []
    for group, run in groupby(graph.nodes, key=lambda node: node.group):
        members = tuple(run)
        like = first.setdefault(_structure(members), group) if group and len(members) > 1 else group
        if like == group:
            nodes += [replace(node, inputs=tuple(drawn_as.get(id, id) for id in node.inputs)) for node in members]
        else:
            nodes.append(_repeat(members, like, drawn_as))
            drawn_as |= dict.fromkeys((node.id for node in members), members[-1].id)
    return Graph(graph.task, tuple(nodes))


def _repeat(members: Sequence[Node], like: str, drawn_as: dict[str, str]) -> Repeat:
    inner, last = {node.id for node in members}, members[-1]
    outside = (id for node in members for id in node.inputs if id not in inner)
    return Repeat(
        id=last.id,
        op=last.op,
        inputs=tuple(dict.fromkeys(drawn_as.get(id, id) for id in outside)),
        shape=last.shape,
        parameters=sum(node.parameters for node in members),
        multiply_adds=sum(node.multiply_adds for node in members),
        group=last.group,
        like=like,
    )


def _structure(members: Sequence[Node]) -> tuple[object, ...]:
    """Describe a group without its ids, its widths, and what in particular it reads from outside."""
    numbers: dict[str, int] = {}
    described = []
    for index, node in enumerate(members):
        options = {name: value for name, value in node.options.items() if name not in WIDTHS}
        if node.options.get("groups") == node.options.get("filters"):
            options["groups"] = "depthwise"
        described.append((node.op, tuple(options.items()), tuple(numbers.get(id, -1) for id in node.inputs)))
        numbers[node.id] = index
    return tuple(described)

"""A layered layout of a directed acyclic graph: where boxes stand and how edges run around them.

The steps of Sugiyama's method: ranks by longest path, bends where an edge passes a rank, an order with few crossings,
coordinates, ports spread along the boxes. The same input gives the same output, so that a page can move one drawing
into the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from searches.drawing.coordinates import place
from searches.drawing.ordering import order

Point = tuple[float, float]
Edge = tuple[str, str]
BOX_GAP, EDGE_GAP = 26.0, 14.0
MARGIN = 14.0
PORT_PITCH, PORT_INSET = 16.0, 10.0


@dataclass(frozen=True)
class Box:
    """The size of a node."""

    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Centres of the boxes, one route per edge in the order given, and the size of the whole."""

    centres: Mapping[str, Point]
    routes: tuple[tuple[Point, ...], ...]
    width: float
    height: float


@dataclass(frozen=True)
class _Layers:
    """Vertices are numbers: boxes first, then the bends of long edges; `chains` follow each edge through them."""

    ranks: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]
    chains: list[list[int]]


def layout(boxes: Mapping[str, Box], edges: Sequence[Edge], *, rank_gap: float = 31.0) -> Layout:
    """Lay the boxes out from top to bottom; raises ValueError where the edges make a circle."""
    if not boxes:
        return Layout({}, (), 2 * MARGIN, 2 * MARGIN)
    names = {name: number for number, name in enumerate(boxes)}
    sizes = list(boxes.values())
    numbered = [(names[a], names[b]) for a, b in edges]
    layers = _layers(_ranks(len(sizes), numbered), numbered)

    widths = [size.width for size in sizes] + [0.0] * (len(layers.above) - len(sizes))

    def separation(a: int, b: int) -> float:
        both_bends = a >= len(sizes) and b >= len(sizes)
        return (widths[a] + widths[b]) / 2 + (EDGE_GAP if both_bends else BOX_GAP)

    ordered = order(layers.ranks, layers.above, layers.below)
    raw = place(ordered, layers.above, layers.below, len(sizes), separation)
    shift = MARGIN - min(x - widths[vertex] / 2 for vertex, x in raw.items())
    xs = [raw[vertex] + shift for vertex in range(len(widths))]
    bands = _bands(ordered, sizes, rank_gap)
    rank_of = {vertex: index for index, rank in enumerate(ordered) for vertex in rank}
    ys = [sum(bands[rank_of[number]]) / 2 for number in range(len(sizes))]

    leaving = _ports([(chain[0], xs[chain[1]]) for chain in layers.chains], xs, widths)
    arriving = _ports([(chain[-1], xs[chain[-2]]) for chain in layers.chains], xs, widths)
    routes = []
    for chain, start, end in zip(layers.chains, leaving, arriving, strict=True):
        a, b = chain[0], chain[-1]
        route = [(start, ys[a] + sizes[a].height / 2), (start, bands[rank_of[a]][1])]
        for bend in chain[1:-1]:
            # Straight down through the whole band: a bend never cuts the corner of a tall neighbour.
            route += [(xs[bend], y) for y in bands[rank_of[bend]]]
        route += [(end, bands[rank_of[b]][0]), (end, ys[b] - sizes[b].height / 2)]
        routes.append(_distinct(route))
    return Layout(
        {name: (xs[number], ys[number]) for name, number in names.items()},
        tuple(routes),
        max(x + width / 2 for x, width in zip(xs, widths, strict=True)) + MARGIN,
        bands[-1][1] + MARGIN,
    )


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Rank by the longest path from a source, then sink what has more readers than inputs towards its readers."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    waiting = [len(found) for found in before]
    ready = [vertex for vertex in range(count) if not waiting[vertex]]
    ranks = [0] * count
    for vertex in ready:  # grows while it is read
        for reader in after[vertex]:
            ranks[reader] = max(ranks[reader], ranks[vertex] + 1)
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    if len(ready) < count:
        raise ValueError("The edges make a circle.")
    for vertex in reversed(ready):
        if len(after[vertex]) > len(before[vertex]):
            ranks[vertex] = min(ranks[reader] for reader in after[vertex]) - 1
    return ranks


def _layers(ranks: Sequence[int], edges: Sequence[tuple[int, int]]) -> _Layers:
    """Insert a bend wherever an edge passes a rank, so that every edge joins adjacent ranks."""
    rank_of = list(ranks)
    chains = []
    for a, b in edges:
        bends = range(len(rank_of), len(rank_of) + ranks[b] - ranks[a] - 1)
        rank_of.extend(range(ranks[a] + 1, ranks[b]))
        chains.append([a, *bends, b])
    rows: list[list[int]] = [[] for _ in range(max(rank_of) + 1)]
    for vertex, rank in enumerate(rank_of):
        rows[rank].append(vertex)
    above: list[list[int]] = [[] for _ in rank_of]
    below: list[list[int]] = [[] for _ in rank_of]
    for chain in chains:
        for a, b in pairwise(chain):
            if b not in below[a]:
                below[a].append(b)
                above[b].append(a)
    return _Layers(rows, above, below, chains)


def _bands(ranks: Sequence[Sequence[int]], sizes: Sequence[Box], gap: float) -> list[Point]:
    """Return top and bottom of each rank."""
    bands = []
    top = MARGIN
    for rank in ranks:
        height = max((sizes[vertex].height for vertex in rank if vertex < len(sizes)), default=0.0)
        bands.append((top, top + height))
        top += height + gap
    return bands


def _distinct(route: Sequence[Point]) -> tuple[Point, ...]:
    """Leave out steps of no length, which would turn an arrow's tip."""
    kept = [route[0]]
    for point in route[1:]:
        if abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) > 1e-6:
            kept.append(point)
    return tuple(kept)


def _ports(ends: Sequence[tuple[int, float]], xs: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Spread edge ends along their boxes, in the order of where they lead; `ends` is (box, x of the other end)."""
    of_box: dict[int, list[int]] = {}
    for edge, (box, _) in enumerate(ends):
        of_box.setdefault(box, []).append(edge)
    ports = [0.0] * len(ends)
    for box, found in of_box.items():
        found.sort(key=lambda edge: ends[edge][1])
        room = max(widths[box] - 2 * PORT_INSET, 0.0)
        pitch = min(PORT_PITCH, room / max(len(found) - 1, 1))
        for index, edge in enumerate(found):
            ports[edge] = xs[box] + (index - (len(found) - 1) / 2) * pitch
    return ports

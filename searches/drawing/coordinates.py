"""Horizontal coordinates after Brandes and Köpf (2001): straight long edges, parents over the middle of children.

Four assignments, each aligned to one corner, are made; the mean of the two middle ones per vertex keeps every
separation that all four keep.
"""

import itertools
from collections.abc import Callable, Sequence

from searches.drawing.ordering import Neighbours, Ranks

Separation = Callable[[int, int], float]


def place(ranks: Ranks, above: Neighbours, below: Neighbours, boxes: int, separation: Separation) -> dict[int, float]:
    """Return the centre of each vertex; those from `boxes` on are bends of long edges.

    `separation(a, b)` is the smallest distance between the centres of neighbours a, b of one rank.
    """
    conflicts = _conflicts(ranks, above, boxes)
    found = []
    for downward in (True, False):
        neighbours = above if downward else below
        for leftward in (True, False):
            turned = [rank if leftward else rank[::-1] for rank in (ranks if downward else ranks[::-1])]
            root = _align(turned, neighbours, conflicts)
            xs = _compact(turned, root, separation)
            found.append(xs if leftward else {vertex: -x for vertex, x in xs.items()})
    return _balance(found)


def _conflicts(ranks: Ranks, above: Neighbours, boxes: int) -> set[frozenset[int]]:
    """Return the edges that cross a segment between two bends: those give way, so that long edges stay straight."""
    index = {vertex: place for rank in ranks for place, vertex in enumerate(rank)}
    found = set()
    for rank in ranks:
        edges = [(upper, lower) for lower in rank for upper in above[lower]]
        inner = [(a, b) for a, b in edges if a >= boxes and b >= boxes]
        for upper, lower in edges:
            if upper >= boxes and lower >= boxes:
                continue
            if any((index[a] - index[upper]) * (index[b] - index[lower]) < 0 for a, b in inner):
                found.add(frozenset((upper, lower)))
    return found


def _align(ranks: Ranks, neighbours: Neighbours, conflicts: set[frozenset[int]]) -> dict[int, int]:
    """Join each vertex to its median neighbour in a vertical block; return the first vertex of each one's block."""
    index = {vertex: place for rank in ranks for place, vertex in enumerate(rank)}
    root = {vertex: vertex for vertex in index}
    for rank in ranks:
        last = -1
        taken = set()
        for vertex in rank:
            near = sorted(neighbours[vertex], key=index.__getitem__)
            for median in sorted({(len(near) - 1) // 2, len(near) // 2}) if near else ():
                other = near[median]
                free = vertex not in taken and index[other] > last
                if free and frozenset((vertex, other)) not in conflicts:
                    root[vertex] = root[other]
                    last = index[other]
                    taken.add(vertex)
    return root


def _compact(ranks: Ranks, root: dict[int, int], separation: Separation) -> dict[int, float]:
    """Push every block as far to the left as its neighbours let it: longest paths over the graph of blocks."""
    left_of: dict[int, list[tuple[int, float]]] = {block: [] for block in root.values()}
    for rank in ranks:
        for a, b in itertools.pairwise(rank):
            left_of[root[b]].append((root[a], separation(a, b)))
    xs: dict[int, float] = {}
    for start in left_of:
        waiting = [start]
        while waiting:
            block = waiting[-1]
            missing = [other for other, _ in left_of[block] if other not in xs]
            if missing:
                waiting.extend(missing)
            else:
                waiting.pop()
                xs[block] = max((xs[other] + gap for other, gap in left_of[block]), default=0.0)
    _pull_loose_blocks(xs, left_of)
    return {vertex: xs[block] for vertex, block in root.items()}


def _pull_loose_blocks(xs: dict[int, float], left_of: dict[int, list[tuple[int, float]]]) -> None:
    # A block with nothing to its left was put at 0, perhaps far from the rest: bring it to its right neighbour.
    limit: dict[int, float] = {}
    for block, others in left_of.items():
        for other, gap in others:
            limit[other] = min(limit.get(other, float("inf")), xs[block] - gap)
    for block, bound in limit.items():
        if not left_of[block]:
            xs[block] = max(xs[block], bound)


def _balance(assignments: Sequence[dict[int, float]]) -> dict[int, float]:
    """Shift all assignments onto the narrowest one and return the mean of the middle two of each vertex."""
    narrowest = min(assignments, key=lambda xs: max(xs.values()) - min(xs.values()))
    shifted = []
    for number, xs in enumerate(assignments):
        edge = min if number % 2 == 0 else max
        shift = edge(narrowest.values()) - edge(xs.values())
        shifted.append({vertex: x + shift for vertex, x in xs.items()})
    balanced = {}
    for vertex in narrowest:
        _, low, high, _ = sorted(xs[vertex] for xs in shifted)
        balanced[vertex] = (low + high) / 2
    return balanced

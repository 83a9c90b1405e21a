"""Order the vertices of each rank so that few edges cross: weighted medians, then swaps of neighbours."""

import itertools
from collections.abc import Sequence

Ranks = list[list[int]]
Neighbours = Sequence[Sequence[int]]
SWEEPS = 16
SWAP_ROUNDS = 8


def order(ranks: Ranks, above: Neighbours, below: Neighbours) -> Ranks:
    """Return the ranks reordered; `above` and `below` hold each vertex's neighbours in the adjacent ranks."""
    current = [list(rank) for rank in ranks]
    best, fewest = [list(rank) for rank in current], crossings(current, below)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        _sweep(current, above, below, down=sweep % 2 == 0, leftmost_first=sweep // 2 % 2 == 0)
        _swap(current, above, below)
        count = crossings(current, below)
        if count < fewest:
            best, fewest = [list(rank) for rank in current], count
    return best


def crossings(ranks: Ranks, below: Neighbours) -> int:
    """Count the pairs of edges between adjacent ranks that cross."""
    total = 0
    for upper, lower in itertools.pairwise(ranks):
        place = _places(lower)
        ends = [end for vertex in upper for end in sorted(place[other] for other in below[vertex])]
        total += sum(1 for index, end in enumerate(ends) for later in ends[index + 1 :] if end > later)
    return total


def _sweep(ranks: Ranks, above: Neighbours, below: Neighbours, *, down: bool, leftmost_first: bool) -> None:
    indices = range(1, len(ranks)) if down else range(len(ranks) - 2, -1, -1)
    neighbours = above if down else below
    tie = 1 if leftmost_first else -1
    for index in indices:
        fixed = _places(ranks[index - 1 if down else index + 1])
        here = _places(ranks[index])
        # A vertex without neighbours on that side stays about where it is.
        medians = {
            vertex: _median(sorted(fixed[other] for other in neighbours[vertex]), here[vertex])
            for vertex in ranks[index]
        }
        ranks[index].sort(key=lambda vertex: (medians[vertex], tie * here[vertex]))


def _median(places: Sequence[int], otherwise: float) -> float:
    if not places:
        return otherwise
    middle = len(places) // 2
    if len(places) % 2:
        return places[middle]
    if len(places) == 2:
        return (places[0] + places[1]) / 2
    left, right = places[middle - 1] - places[0], places[-1] - places[middle]
    if left + right == 0:
        return (places[middle - 1] + places[middle]) / 2
    return (places[middle - 1] * right + places[middle] * left) / (left + right)


def _swap(ranks: Ranks, above: Neighbours, below: Neighbours) -> None:
    for _ in range(SWAP_ROUNDS):
        improved = False
        for index, rank in enumerate(ranks):
            sides = [
                (_places(ranks[other]), neighbours)
                for other, neighbours in ((index - 1, above), (index + 1, below))
                if 0 <= other < len(ranks)
            ]
            for left in range(len(rank) - 1):
                a, b = rank[left], rank[left + 1]
                kept = sum(_pair(a, b, place, neighbours) for place, neighbours in sides)
                swapped = sum(_pair(b, a, place, neighbours) for place, neighbours in sides)
                if swapped < kept:
                    rank[left], rank[left + 1] = b, a
                    improved = True
        if not improved:
            return


def _pair(left: int, right: int, place: dict[int, int], neighbours: Neighbours) -> int:
    return sum(1 for a in neighbours[left] for b in neighbours[right] if place[a] > place[b])


def _places(rank: Sequence[int]) -> dict[int, int]:
    return {vertex: index for index, vertex in enumerate(rank)}

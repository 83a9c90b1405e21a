"""What the weights of a mixture tell: how sure they are, and whether the search collapses."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from nas.evaluation.relaxed.relaxation import Edges
from nas.events import EpochSearched

WEIGHTLESS = ("skip_connect", "none")
COLLAPSED = 0.5  # share of edges


def entropy(probabilities: Tensor) -> float:
    """Return the mean entropy of the edges, in nats; log(options) where nothing is decided, 0 where all is."""
    return float(torch.special.entr(probabilities).sum(1).mean())


def table(edges: Edges, probabilities: Tensor) -> dict[str, Mapping[str, float]]:
    """Return the probabilities by edge and operation."""
    rows = probabilities.tolist()
    return {
        name: {option: round(value, 5) for option, value in zip(edges.options, row, strict=True)}
        for name, row in zip(edges.names, rows, strict=True)
    }


def shares(edges: Edges, picked: tuple[int, ...], kept: tuple[int, ...]) -> dict[str, float]:
    """Return the shares of derived edges that are skip connections and none, and whether they took over.

    `collapse` is 1 where both together have more than half of the derived edges of a cell: shared weights favour
    what needs no training, and a search that goes on from there finds shallow cells (Zela et al., "Understanding and
    robustifying differentiable architecture search", ICLR 2020; Liang et al., "DARTS+", 2019).
    """
    derived = [(edges.cells[edge], edges.options[picked[edge]]) for edge in kept]
    worst = max(
        sum(option in WEIGHTLESS for at, option in derived if at == cell) / sum(at == cell for at, _ in derived)
        for cell in dict.fromkeys(edges.cells)
    )
    return {
        "skip_share": sum(option == "skip_connect" for _, option in derived) / len(derived),
        "none_share": sum(option == "none" for _, option in derived) / len(derived),
        "collapse": float(worst > COLLAPSED),
    }


def has_collapsed(epochs: Sequence[EpochSearched], patience: int) -> bool:
    """Tell whether the alarm was raised in each of the last `patience` epochs, after one that was good; 0: never."""
    alarms = [bool(epoch.trace["collapse"]) for epoch in epochs]
    return bool(patience) and len(alarms) > patience and all(alarms[-patience:]) and not all(alarms)


def before_collapse(epochs: Sequence[EpochSearched], patience: int) -> EpochSearched:
    """Return the epoch to derive from: the last one, or the last good one of a search that ends by its collapse."""
    if not has_collapsed(epochs, patience):
        return epochs[-1]
    return next(epoch for epoch in reversed(epochs) if not epoch.trace["collapse"])

"""A space with hard limits on what is known before training: parameters, multiply-adds and depth."""

from dataclasses import dataclass

from nas.architecture import Architecture, Decision
from nas.objectives import METRICS, Limit
from nas.sentences import Sentence
from nas.spaces.graph import Graph
from nas.spaces.protocol import SearchSpace


@dataclass(frozen=True)
class Limited:
    """The architectures of `inner` whose graph keeps to every limit; limits on trained metrics are not asked here."""

    inner: SearchSpace
    limits: tuple[Limit, ...]

    @property
    def name(self) -> str:
        """The name of the space inside."""
        return self.inner.name

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The questions of the space inside."""
        return self.inner.decisions

    def canonical(self, architecture: Architecture) -> Architecture:
        """The spelling of the space inside."""
        return self.inner.canonical(architecture)

    def complaint(self, architecture: Architecture) -> Sentence | None:
        """Name the first limit that the architecture breaks."""
        inner = self.inner.complaint(architecture)
        if inner or not self.limits:
            return inner
        costs = self.inner.graph(architecture).costs
        for limit in self.limits:
            if not limit.holds(costs):
                title, found = METRICS[limit.metric].title, round(costs[limit.metric])
                return Sentence(
                    "{metric}: {found}, the limit {bound}.",
                    {"metric": title, "found": found, "bound": round(limit.bound)},
                )
        return None

    def graph(self, architecture: Architecture) -> Graph:
        """The network of the space inside."""
        return self.inner.graph(architecture)

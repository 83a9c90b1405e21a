"""Rejection by a proxy, around any strategy: proposals that a cheap number speaks against are not trained.

A proxy that looks at the network itself is computed by who evaluates it, and told with the outcome; there a proposal is
held against the bar before it is trained. What is known without a network is judged here, before it is proposed.

The proxy is trusted only as far as it has ranked what was measured so far, and in the direction in which it did:
Abdelfattah et al., "Zero-cost proxies for lightweight NAS", ICLR 2021, whose correlations change sign between spaces.
One that stops ranking stops rejecting, and has to do a little better than that to reject again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nas.architecture import Architecture
from nas.policy import Bar
from nas.spaces.protocol import SearchSpace
from nas.strategies.nested import opened
from nas.strategies.protocol import PROMOTED, AnyStrategy, Failed, Outcome, Proposal, Scored, Terms
from nas.strategies.ranks import rank_correlation

FEWEST = 10
LATEST = 100
REGAINED = 0.1  # by so much a demoted proxy must pass the bound that it fell below
PATIENCE = 50
TRUSTED, CORRELATION, REJECTED = "proxy is trusted", "proxy rank correlation", "rejected by proxy"


@dataclass(frozen=True)
class ScreenedState:
    """The inner state, the proxy values of the latest proposals, and (proxy, score) of the latest measurements.

    `trusted` says whether the proxy rejects now, `demoted` whether it ever lost that. `in_row` counts the latest
    outcomes that were rejections.
    """

    inner: Any
    seen: tuple[float, ...] = ()
    measured: tuple[tuple[float, float], ...] = ()
    rejected: int = 0
    trusted: bool = False
    demoted: bool = False
    in_row: int = 0


@dataclass(frozen=True)
class Screened:
    """Tells the inner strategy that a rejected proposal failed, so that it goes on with another.

    Without a `proxy` all proposals pass, and outcomes say what theirs was and whether it was below the bar.
    """

    inner: AnyStrategy
    proxy: Callable[[Architecture], float] | None
    share: float
    trust: float = 0.2

    state = ScreenedState

    @property
    def many_objectives(self) -> bool:
        """As the strategy inside."""
        return self.inner.many_objectives

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """As the strategy inside."""
        self.inner.refuse(space, terms)

    def begin(self, seed: int, terms: Terms) -> ScreenedState:
        """Nothing seen yet: the first proposals all pass."""
        return ScreenedState(self.inner.begin(seed, terms))

    def ask(self, space: SearchSpace, state: ScreenedState, count: int) -> tuple[ScreenedState, list[Proposal]]:
        """Ask until `count` have passed, the inner strategy waits, or 50 in a row were rejected."""
        state = replace(state, inner=opened(self.inner, state.inner))
        if self.proxy is None:
            inner, proposals = self.inner.ask(space, state.inner, count)
            return replace(state, inner=inner), proposals
        passed: list[Proposal] = []
        rejections = 0
        while len(passed) < count:
            inner, proposals = self.inner.ask(space, state.inner, count - len(passed))
            state = replace(state, inner=inner)
            if not proposals:
                break
            for proposal in proposals:
                value = self.proxy(proposal.architecture)
                # A promotion was trained already; what it costs was decided then.
                if proposal.origin != PROMOTED and rejections < PATIENCE and self._rejects(state, value):
                    rejections += 1
                    failed = Failed(proposal.number, proposal.architecture, proposal.fidelity)
                    state = replace(
                        state, inner=self.inner.tell(space, state.inner, failed), rejected=state.rejected + 1
                    )
                else:
                    rejections = 0
                    passed.append(proposal)
                state = replace(state, seen=(*state.seen[1 - LATEST :], value))
        return state, passed

    def tell(self, space: SearchSpace, state: ScreenedState, outcome: Outcome) -> ScreenedState:
        """Note how well the proxy ranks, and pass the outcome on."""
        state = replace(state, inner=opened(self.inner, state.inner))
        measured, value = state.measured, self.proxy(outcome.architecture) if self.proxy else outcome.proxy
        if isinstance(outcome, Scored) and value is not None:
            measured = (*measured[1 - LATEST :], (value, outcome.scores[0]))
        state = replace(state, inner=self.inner.tell(space, state.inner, outcome), measured=measured)
        if self.proxy is None and value is not None:
            state = _heard(state, value, isinstance(outcome, Failed) and outcome.rejected)
        needed = self.trust + REGAINED if state.demoted and not state.trusted else self.trust
        trusted = len(measured) >= FEWEST and abs(_correlation(state)) >= needed
        return replace(state, trusted=trusted, demoted=state.demoted or (state.trusted and not trusted))

    def trace(self, state: ScreenedState) -> Mapping[str, float]:
        """What the strategy inside shows, the rejected proposals and the proxy's rank correlation so far."""
        state = replace(state, inner=opened(self.inner, state.inner))
        shown = dict(self.inner.trace(state.inner))
        found = {REJECTED: state.rejected, CORRELATION: abs(_correlation(state))}
        return shown | found | {TRUSTED: float(state.trusted)}

    def bar(self, state: ScreenedState) -> Bar | None:
        """Return what the proxy of a proposal must reach now: all but the worst share do; None: it rejects nothing.

        After 50 rejections in a row the next one passes.
        """
        if not state.trusted or len(state.seen) < FEWEST or state.in_row >= PATIENCE:
            return None
        # Scores are minimised: a proxy that falls with the score is good where it is high.
        high = _correlation(state) < 0
        best_first = sorted(state.seen, reverse=high)
        return Bar(best_first[int((1 - self.share) * len(best_first))], high)

    def _rejects(self, state: ScreenedState, value: float) -> bool:
        bar = self.bar(state)
        return bar is not None and bar.rejects(value)


def _heard(state: ScreenedState, value: float, rejected: bool) -> ScreenedState:
    return replace(
        state,
        seen=(*state.seen[1 - LATEST :], value),
        rejected=state.rejected + rejected,
        in_row=state.in_row + 1 if rejected else 0,
    )


def _correlation(state: ScreenedState) -> float:
    if len(state.measured) < FEWEST:
        return 0.0
    return rank_correlation([one[0] for one in state.measured], [one[1] for one in state.measured])

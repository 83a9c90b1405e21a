"""Bayesian optimisation: measure what promises the largest improvement under a predictor of all scores so far.

White, Neiswanger and Savani, "BANANAS", AAAI 2021, whose candidates and path encoding these are; with a Gaussian
process in the place of its networks, as in Kandasamy et al., "NASBOT", NeurIPS 2018.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from nas.architecture import Architecture
from nas.settings import setting
from nas.spaces import moves
from nas.spaces.protocol import SearchSpace
from nas.strategies.acquisition import Choices, Wish, best_of_all, best_of_moves, whole
from nas.strategies.encoding import Features, encoding
from nas.strategies.predictor import Posterior, Vector, kernel, learned
from nas.strategies.protocol import Outcome, Proposal, Scored, Terms, dice
from nas.strategies.ranks import rank_correlation
from nas.strategies.warping import warp

PARENTS = 10
WINDOW = 30
TRIES = 100
LEARN_FROM = 150
FIRST, AGAIN = 30, 8


@dataclass(frozen=True, slots=True)
class Seen:
    """An architecture that was told: the number it was proposed under; no score where it failed."""

    number: int
    choices: Choices
    score: float | None


@dataclass(frozen=True, slots=True)
class Flying:
    """A proposal in flight and the score that was expected of it, None where it was sampled."""

    number: int
    choices: Choices
    expected: float | None


@dataclass(frozen=True, slots=True)
class BayesianState:
    """What was told and what is in flight; `theta` is the kernel as it was learned from `learned_from` outcomes.

    `forecasts` are the latest pairs of expected and measured score.
    """

    seed: int
    budget: int
    asked: int = 0
    seen: tuple[Seen, ...] = ()
    flying: tuple[Flying, ...] = ()
    theta: tuple[float, ...] = ()
    learned_from: int = 0
    forecasts: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Bayesian:
    """A Gaussian process and expected improvement, over the whole space where it is small, else over moves of the best.

    Proposals in flight count as measured with the score that is expected of them, so that workers spread out.
    """

    initial: int = setting(16, low=2, high=1000, help="Random networks first; at most a quarter of the budget.")
    candidates: int = setting(
        300, low=10, high=10_000, help="Networks that the predictor judges per proposal in a space of over 20,000."
    )
    most: int = setting(500, low=20, high=2000, help="Measured networks that the predictor learns from, best first.")

    state = BayesianState
    many_objectives = False

    def refuse(self, space: SearchSpace, terms: Terms) -> None:
        """It works everywhere that one architecture can be sampled."""
        moves.sample(space, dice(0, 0))

    def begin(self, seed: int, terms: Terms) -> BayesianState:
        """Nothing known yet."""
        return BayesianState(seed, terms.budget)

    def ask(self, space: SearchSpace, state: BayesianState, count: int) -> tuple[BayesianState, list[Proposal]]:
        """Sample first; then propose by expected improvement, until a small space is spent."""
        proposals: list[Proposal] = []
        belief: _Belief | None = None
        while len(proposals) < count:
            random = dice(state.seed, state.asked + 1)
            expected = None
            if self._is_early(state):
                origin, choices = "sampled", _sampled(space, state, random)
            else:
                if belief is None:
                    state = self._learned(space, state)
                    belief = _Belief(self, space, state)
                origin, (choices, expected) = "predicted", belief.pick(random)
            if choices is None:
                break
            number = state.asked + 1
            state = replace(state, asked=number, flying=(*state.flying, Flying(number, choices, expected)))
            proposals.append(Proposal(number, Architecture(space.name, choices), origin, number))
        return state, proposals

    def tell(self, space: SearchSpace, state: BayesianState, outcome: Outcome) -> BayesianState:
        """Note the score, or the failure, of the architecture that was measured."""
        score = outcome.scores[0] if isinstance(outcome, Scored) else None
        choices = outcome.architecture.choices
        mine = next((one for one in state.flying if one.number == outcome.number), None)
        forecasts = state.forecasts
        if score is not None and mine is not None and mine.expected is not None and mine.choices == choices:
            forecasts = (*forecasts, (mine.expected, score))[-WINDOW:]
        return replace(
            state,
            seen=(*state.seen, Seen(outcome.number, choices, score)),
            flying=tuple(one for one in state.flying if one.number != outcome.number),
            forecasts=forecasts,
        )

    def trace(self, state: BayesianState) -> Mapping[str, float]:
        """How well the latest predictions, made before measuring, ranked what was then measured."""
        if len(state.forecasts) < 3:
            return {}
        expected, measured = zip(*state.forecasts, strict=True)
        return {"predictor rank correlation": rank_correlation(expected, measured)}

    def sampled(self, state: BayesianState) -> int:
        """Return how many networks are random samples, before anything is predicted."""
        return min(self.initial, max(2, state.budget // 4))

    def _is_early(self, state: BayesianState) -> bool:
        return len(state.seen) + len(state.flying) < self.sampled(state) or all(one.score is None for one in state.seen)

    def _learned(self, space: SearchSpace, state: BayesianState) -> BayesianState:
        """Learn the kernel again when a twentieth more is known, from where it was."""
        known = len(state.seen)
        if state.theta and known < 1.05 * state.learned_from:
            return state
        form = encoding(tuple(space.decisions))
        shape = kernel(form)
        scores = [one.score for one in state.seen]
        y = warp(scores, self.sampled(state))(scores)
        kept = _informative(y, LEARN_FROM)
        rows = form.encode(np.array([state.seen[index].choices for index in kept]))
        theta, steps = (np.array(state.theta), AGAIN) if state.theta else (shape.prior, FIRST)
        theta = learned(shape, theta, rows, y[kept], steps)
        return replace(state, theta=tuple(map(float, theta)), learned_from=known)


class _Belief:
    """What one call to `ask` believes; each architecture that it picks is from then on believed to be as expected."""

    def __init__(self, settings: Bayesian, space: SearchSpace, state: BayesianState) -> None:
        self._settings, self._space = settings, space
        self._form = encoding(tuple(space.decisions))
        self._kernel, self._theta = kernel(self._form), np.array(state.theta)
        scores = [one.score for one in state.seen]
        self._scale = warp(scores, settings.sampled(state))
        y = self._scale(scores)
        kept = _informative(y, settings.most)
        self._best = float(y.min())
        self._near = [state.seen[index].choices for index in np.argsort(y, kind="stable")[:PARENTS]]
        self._known = _known(state)
        self._rows = self._form.encode(np.array([state.seen[index].choices for index in kept]))
        self._y = y[kept]
        self._posterior: Posterior | None = None
        if state.flying:
            self._believe(self._form.encode(np.array([one.choices for one in state.flying])))

    def pick(self, random: Random) -> tuple[Choices | None, float | None]:
        """Return the choices to measure next and the score expected of them; None where nothing is left."""
        wish, every = Wish(self._now(), self._best, self._known, self._near), whole(self._space)
        if every is None:
            choices = best_of_moves(self._space, wish, self._settings.candidates, random)
        else:
            choices = best_of_all(self._space, every, wish, random)
        if choices is None:
            return None, None
        self._known.add(choices)
        return choices, self._scale.back(self._believe(self._form.encode(np.array([choices]))))

    def _believe(self, rows: Features) -> float:
        expected = self._now().mean(rows)
        self._rows, self._y = np.concatenate([self._rows, rows]), np.concatenate([self._y, expected])
        self._posterior = None
        return float(expected[0])

    def _now(self) -> Posterior:
        if self._posterior is None:
            self._posterior = Posterior(self._kernel, self._theta, self._rows, self._y)
        return self._posterior


def _informative(y: Vector, most: int) -> NDArray[np.intp]:
    """Return the places of all scores; where they are more than `most`, of the best half and the latest others."""
    if len(y) <= most:
        return np.arange(len(y))
    order = np.argsort(y, kind="stable")
    best, others = order[: most // 2], order[most // 2 :]
    return np.sort(np.concatenate([best, np.sort(others)[-(most - most // 2) :]]))


def _sampled(space: SearchSpace, state: BayesianState, random: Random) -> Choices | None:
    """Return a sample that is neither known nor in flight; None where a small space, by all signs, has no other."""
    known = _known(state)
    tried = (moves.sample(space, random).choices for _ in range(TRIES))
    return next((choices for choices in tried if choices not in known), None)


def _known(state: BayesianState) -> set[Choices]:
    return {one.choices for one in state.seen} | {one.choices for one in state.flying}

"""A Gaussian process over encoded architectures, its kernel learned from the scores so far.

Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas.strategies.encoding import Block, Encoding, Features

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
JITTER = 1e-6
SPREAD = 1.5


@dataclass(frozen=True)
class Part:
    """One term of the kernel: s exp(-sum_b w_b |x_b - y_b|^2), or s sum_b w_b x_b y_b; `weight` is the prior of w."""

    kind: Literal["near", "trend"]
    blocks: tuple[Block, ...]
    weight: float


class Kernel:
    """A sum of parts; `theta` holds per part log s and each log w, and last the log of the noise's variance.

    A sum, for each part may explain what the others cannot: the marginal likelihood moves the weight to those that
    generalise on the space at hand.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = [part for part in parts if part.blocks]
        self.prior: Vector = np.array(
            [x for part in self.parts for x in (-log(len(self.parts)), *(log(part.weight) for _ in part.blocks))]
            + [log(0.05)]
        )
        self._starts = np.cumsum([0, *(1 + len(part.blocks) for part in self.parts)])

    def cross(self, theta: Vector, a: Features, b: Features) -> Matrix:
        """Return the covariances (n, m) of features (n, columns) and (m, columns)."""
        total = np.zeros((len(a), len(b)), np.float32)
        for part, start in zip(self.parts, self._starts, strict=False):
            x, y = (self._scaled(part, theta[start + 1 :], rows) for rows in (a, b))
            scale = np.float32(np.exp(theta[start]))
            if part.kind == "trend":
                total += scale * (x @ y.T)
            else:
                # In place, for this is where most of a proposal's time goes.
                near = x @ (-2 * y.T)
                near += (x * x).sum(1)[:, None]
                near += (y * y).sum(1)
                np.exp(np.negative(np.maximum(near, 0, out=near), out=near), out=near)
                total += np.multiply(near, scale, out=near)
        return total.astype(np.float64)

    def variance(self, theta: Vector, a: Features) -> Vector:
        """Return the prior variance of each row."""
        total = np.zeros(len(a))
        for part, start in zip(self.parts, self._starts, strict=False):
            scaled = self._scaled(part, theta[start + 1 :], a) if part.kind == "trend" else np.ones((len(a), 1))
            total += np.exp(theta[start]) * (scaled * scaled).sum(1)
        return total

    def _scaled(self, part: Part, log_weights: Vector, rows: Features) -> Features:
        columns = [
            rows[:, start:end] * np.exp(w / 2) for (start, end), w in zip(part.blocks, log_weights, strict=False)
        ]
        return np.concatenate(columns, axis=1, dtype=np.float32)

    def products(self, rows: Features) -> list[Matrix]:
        """Return per part the (blocks, n, n) squared distances, or products, that `slope` weighs."""
        found = []
        for part in self.parts:
            stack = []
            for start, end in part.blocks:
                x = rows[:, start:end].astype(np.float64)
                dot, square = x @ x.T, (x * x).sum(1)
                stack.append(dot if part.kind == "trend" else np.maximum(square[:, None] + square - 2 * dot, 0))
            found.append(np.stack(stack))
        return found

    def slope(self, theta: Vector, products: Sequence[Matrix], y: Vector) -> Vector:
        """Return the gradient of the negative log posterior of theta (Rasmussen and Williams, equation 5.9)."""
        covariance = np.diag(np.full(len(y), np.exp(theta[-1]) + JITTER))
        terms = []
        for part, start, product in zip(self.parts, self._starts, products, strict=False):
            weights, scale = np.exp(theta[start + 1 : start + 1 + len(product)]), np.exp(theta[start])
            sums = np.tensordot(weights, product, 1)
            terms.append((weights, scale * (sums if part.kind == "trend" else np.exp(-sums))))
            covariance += terms[-1][1]
        inverse = np.linalg.inv(covariance)
        residual = y - inverse.sum(0) @ y / inverse.sum()
        alpha = inverse @ residual
        outer = inverse - np.outer(alpha, alpha)
        slope = np.empty_like(theta)
        for part, start, product, (weights, term) in zip(self.parts, self._starts, products, terms, strict=False):
            slope[start] = (outer * term).sum() / 2
            by = outer * np.exp(theta[start]) if part.kind == "trend" else -outer * term
            slope[start + 1 : start + 1 + len(product)] = weights * np.tensordot(product, by, ([1, 2], [0, 1])) / 2
        slope[-1] = np.exp(theta[-1]) * np.trace(outer) / 2
        return slope + (theta - self.prior) / SPREAD**2


def kernel(encoding: Encoding) -> Kernel:
    """Return the kernel of a space: near in the choices, in the counts, in the paths, and a linear trend."""
    return Kernel(
        (
            Part("near", encoding.choices, 2 / max(1, len(encoding.choices))),
            Part("near", encoding.counts, 0.5),
            Part("near", encoding.paths, 0.5),
            Part("trend", encoding.trend, 0.3),
        )
    )


def learned(kernel: Kernel, theta: Vector, rows: Features, y: Vector, steps: int) -> Vector:
    """Return theta after `steps` of Rprop (Blum and Riedmiller, "Optimization of GP hyperparameters", ESANN 2013)."""
    products = kernel.products(rows)
    pace, before = np.full(len(theta), 0.2), np.zeros(len(theta))
    for _ in range(steps):
        slope = kernel.slope(theta, products, y)
        turned = np.sign(slope * before)
        pace = np.clip(pace * np.where(turned > 0, 1.2, np.where(turned < 0, 0.5, 1.0)), 1e-3, 1.0)
        before = np.where(turned < 0, 0.0, slope)
        theta = np.clip(theta - np.sign(before) * pace, kernel.prior - 7, kernel.prior + 5)
    return theta


class Posterior:
    """What the process believes after `rows` scored `y`, around a mean that is estimated with them."""

    def __init__(self, kernel: Kernel, theta: Vector, rows: Features, y: Vector) -> None:
        self._kernel, self._theta, self._rows = kernel, theta, rows
        self.size = len(rows)
        self.noise = float(np.exp(theta[-1]))
        self._whiten = np.linalg.inv(_factor(kernel.cross(theta, rows, rows), self.noise))
        white, ones = self._whiten @ y, self._whiten.sum(1)
        self._mean = float(ones @ white / (ones @ ones))
        self._alpha = self._whiten.T @ (white - self._mean * ones)

    def mean(self, rows: Features) -> Vector:
        """Return the expected score of each row."""
        return np.asarray(self._mean + self._kernel.cross(self._theta, rows, self._rows) @ self._alpha)

    def __call__(self, rows: Features) -> tuple[Vector, Vector]:
        """Return mean and variance of the score itself, noise included: an architecture is measured once."""
        cross = self._kernel.cross(self._theta, rows, self._rows)
        explained = ((cross @ self._whiten.T) ** 2).sum(1)
        variance = np.maximum(self._kernel.variance(self._theta, rows) - explained, 1e-9) + self.noise
        return self._mean + cross @ self._alpha, variance


def _factor(covariance: Matrix, noise: float) -> Matrix:
    """Return the Cholesky factor with the noise on the diagonal, and as much more as single precision makes necessary.

    Its rounding grows with the number of rows and the scale of the kernel, and can outweigh a small noise.
    """
    more = 10 * JITTER
    while True:
        try:
            return np.asarray(np.linalg.cholesky(covariance + (noise + more) * np.eye(len(covariance))), np.float64)
        except np.linalg.LinAlgError:
            more *= 10
            if not more < np.trace(covariance):
                raise

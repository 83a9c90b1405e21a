"""Kernel ridge regression over choices: what is known of an architecture tells of those that share its choices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Choices = NDArray[np.int16]
REACHES = (0.2, 0.5, 1.2)
RIDGES = (0.03, 0.3)


@dataclass(frozen=True, eq=False)
class Regression:
    """A fit to `choices` (n, decisions); `inverse` (n, n) is of the kernel matrix with the ridge on its diagonal."""

    choices: Choices
    inverse: Floats
    weights: Floats
    mean: float
    reach: float

    def predict(self, choices: Choices) -> tuple[Floats, Floats]:
        """Return what is expected of each row, and how unsure that is: 1 where nothing like it is known.

        Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, equations 2.25 and 2.26.
        """
        near = kernel(choices, self.choices, self.reach)
        explained = np.sum((near @ self.inverse) * near, axis=1)
        return self.mean + near @ self.weights, np.sqrt(np.maximum(1 - explained, 0))


def fit(choices: Choices, targets: Floats) -> Regression:
    """Fit to targets of about unit spread, with the reach and the ridge that have the least leave-one-out error."""
    mean = float(targets.mean())
    fits = []
    for reach in REACHES:
        gram = kernel(choices, choices, reach)
        for ridge in RIDGES:
            inverse = np.asarray(np.linalg.inv(gram + ridge * np.eye(len(choices))), np.float64)
            weights = inverse @ (targets - mean)
            # A leave-one-out residual is a weight over its diagonal entry of the inverse (equation 5.12).
            error = float(np.mean((weights / np.diag(inverse)) ** 2))
            fits.append((error, Regression(choices, inverse, weights, mean, reach)))
    return min(fits, key=lambda pair: pair[0])[1]


def kernel(left: Choices, right: Choices, reach: float) -> Floats:
    """Return exp(-(share of choices that differ) / reach) for each pair of rows, (n, m)."""
    differing = np.zeros((len(left), len(right)), np.int16)
    for index in range(left.shape[1]):
        differing += left[:, index, None] != right[None, :, index]
    near: Floats = np.exp(-differing / (max(left.shape[1], 1) * reach))
    return near

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from nas.architecture import Decision
from nas.strategies.encoding import Encoding
from nas.strategies.predictor import JITTER, SPREAD, Kernel, Part, Posterior, kernel, learned
from nas.strategies.warping import warp

OPERATIONS = ("none", "skip_connect", "conv 1", "conv 3", "pool")
CELL = [Decision(f"edge {a}-{b}", OPERATIONS) for a, b in ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))]
MIXED = [
    Decision("width", ("64", "16", "32")),
    Decision("stage 1", ("a", "b", "c")),
    Decision("stage 2", ("a", "b", "c")),
    Decision("fixed", ("only",)),
]
cells = st.lists(st.tuples(*[st.integers(0, 4)] * 6), min_size=2, max_size=2)


def columns(features, blocks):
    return np.concatenate([features[:, start:end] for start, end in blocks], axis=1)


@given(cells)
def test_the_squared_distance_of_choices_counts_those_that_differ(pair):
    form = Encoding(CELL)
    one, other = columns(form.encode(np.array(pair)), form.choices)
    assert ((one - other) ** 2).sum() == pytest.approx(sum(a != b for a, b in zip(*pair, strict=True)), abs=1e-5)


def test_numbers_are_ranked_and_shared_options_counted():
    form = Encoding(MIXED)
    features = form.encode(np.array([[0, 0, 0, 0], [1, 0, 1, 0], [2, 2, 2, 0]]))
    assert columns(features, form.choices[4:]).ravel().tolist() == [0.5, -0.5, 0.0]
    counts = columns(features, form.counts) * np.sqrt(2) + 2 / 3
    assert counts == pytest.approx(np.array([[2, 0, 0], [1, 1, 0], [0, 0, 2]]), abs=1e-6)
    assert form.paths == ()
    assert set(form.trend) == {*form.counts, form.choices[4]}


@given(st.tuples(*[st.integers(0, 4)] * 4))
def test_the_same_cell_with_its_inner_nodes_swapped_has_the_same_paths(picked):
    into_1, into_2, from_1, from_2 = picked
    pair = np.array([[into_1, into_2, 0, 3, from_1, from_2], [into_2, into_1, 0, 3, from_2, from_1]])
    form = Encoding(CELL)
    one, other = columns(form.encode(pair), form.paths)
    assert one == pytest.approx(other)


def test_an_edge_that_leads_nowhere_is_on_no_path():
    form = Encoding(CELL)
    dead, deader = np.array([0, 3, 0, 3, 0, 3]), np.array([4, 3, 0, 3, 0, 3])
    features = columns(form.encode(np.stack([dead, deader])), form.paths)
    assert features[0] == pytest.approx(features[1])


def landscape(count, seed=0):
    generator = np.random.default_rng(seed)
    choices = generator.integers(0, 5, (count, 6))
    y = (choices[:, 0] == 3) * 1.0 + (choices[:, 5] == 1) * 0.5 + 0.05 * generator.standard_normal(count)
    return Encoding(CELL), choices, y - y.mean()


def test_the_posterior_is_that_of_scikit_learn():
    form, choices, y = landscape(40)
    one = Kernel([Part("near", ((0, 30),), 0.3)])
    theta = np.log([0.8, 0.3, 0.02])
    rows = form.encode(choices)
    posterior = Posterior(one, theta, rows[:30], y[:30])
    mean = float(posterior._mean)
    oracle = GaussianProcessRegressor(
        ConstantKernel(0.8) * RBF(1 / np.sqrt(2 * 0.3)) + WhiteKernel(0.02), alpha=10 * JITTER, optimizer=None
    ).fit(rows[:30, :30], y[:30] - mean)
    expected, deviation = oracle.predict(rows[30:, :30], return_std=True)
    found, variance = posterior(rows[30:])
    assert found == pytest.approx(expected + mean, abs=1e-4)
    assert posterior.mean(rows[30:]) == pytest.approx(found)
    assert variance == pytest.approx(deviation**2, rel=1e-3)


def log_posterior(shape, theta, rows, y):
    """What `slope` descends: the mean is estimated, the prior of theta normal."""
    covariance = shape.cross(theta, rows, rows) + (np.exp(theta[-1]) + JITTER) * np.eye(len(y))
    inverse = np.linalg.inv(covariance)
    residual = y - inverse.sum(0) @ y / inverse.sum()
    likelihood = residual @ inverse @ residual / 2 + np.linalg.slogdet(covariance)[1] / 2
    return likelihood + (((theta - shape.prior) / SPREAD) ** 2).sum() / 2


def test_the_slope_is_that_of_finite_differences():
    form, choices, y = landscape(25)
    shape, rows = kernel(form), form.encode(choices).astype(np.float64)
    theta = shape.prior + 0.3 * np.random.default_rng(1).standard_normal(len(shape.prior))
    theta[-1] = -1.0
    slope = shape.slope(theta, shape.products(rows), y)
    for index in range(len(theta)):
        step = np.zeros(len(theta))
        step[index] = 0.02
        rise = log_posterior(shape, theta + step, rows, y) - log_posterior(shape, theta - step, rows, y)
        assert slope[index] == pytest.approx(rise / 0.04, abs=0.02)


def test_learning_finds_the_decisions_that_matter():
    form, choices, y = landscape(80)
    shape, rows = Kernel([Part("near", form.choices, 0.3)]), form.encode(choices)
    theta = learned(shape, shape.prior, rows, y, 40)
    assert log_posterior(shape, theta, rows, y) < log_posterior(shape, shape.prior, rows, y) - 10
    weights = theta[1:7]
    assert min(weights[0], weights[5]) > max(weights[1:5])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(0, 10))
def test_warping_keeps_the_order(scores, sampled):
    warped = warp(scores, sampled)(scores)
    order = np.argsort(scores, kind="stable")
    assert np.isfinite(warped).all()
    assert (np.diff(warped[order]) >= -1e-9).all()


def test_a_broken_network_does_not_stretch_the_scale():
    good = [float(score) for score in range(10)]
    usual, broken = warp([*good, 10.0], 11), warp([*good, 1e9], 11)
    assert usual(good)[:5] == pytest.approx(broken(good)[:5])
    assert broken([*good, 1e9])[-1] < 3


def test_scores_that_crowd_together_do_not_magnify_their_noise():
    sample, crowd = [0.0, 10.0, 20.0, 30.0], [0.0, 0.1] * 50
    alone, together = warp(crowd, 100), warp([*sample, *crowd], 4)
    assert together.spread > 10 * alone.spread
    assert together.back(-1.0) == pytest.approx(together.middle - together.spread)


def test_a_failure_is_as_bad_as_the_worst_and_equal_scores_are_equal():
    scores = [1.0, 2.0, 3.0, 3.0, None]
    scale = warp(scores, 5)
    warped = scale(scores)
    assert warped[4] == warped[3] == warped[2] > warped[1]
    assert scale.back(warped[0]) == pytest.approx(1.0)
    assert warp([5.0, 5.0, None], 2)([5.0, 5.0, None]).tolist() == [0.0] * 3


def test_a_covariance_that_rounding_spoiled_gets_as_much_noise_as_it_needs():
    rows = Encoding(CELL).encode(np.random.default_rng(1).integers(0, 5, (1500, 6)))
    shape = kernel(Encoding(CELL))
    # The largest scales there may be, the smallest weights, and so little noise.
    theta = shape.prior + np.where(shape.prior == shape.prior[0], 5, -7)
    y = rows[:, 0].astype(float)
    covariance = shape.cross(theta, rows, rows) + (np.exp(theta[-1]) + 10 * JITTER) * np.eye(len(rows))
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(covariance)
    assert np.corrcoef(Posterior(shape, theta, rows, y).mean(rows), y)[0, 1] > 0.9

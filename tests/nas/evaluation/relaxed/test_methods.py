"""Each method does what its paper says."""

import pytest
import torch
from torch import Generator, nn

from nas.evaluation.relaxed.catalogue import method
from nas.evaluation.relaxed.darts import unrolled
from nas.evaluation.relaxed.descent import Learner, cosine, gumbel
from nas.gradient import GRADIENT, Darts, Gdas, PcDarts, Snas
from nas.settings import configure
from tests.nas.evaluation.relaxed.searches import BENCH, DARTS, images


def draw(seed=0):
    return Generator().manual_seed(seed)


def batch(seed):
    return images(16), torch.randint(10, (16,), generator=draw(seed))


def learner(settings, seed=1, relaxed=BENCH):
    made = method(settings, relaxed.edges, draw(seed))
    parts = settings.parts if isinstance(settings, PcDarts) else 1
    return made, Learner.of(relaxed.supernet(seed, parts), made, settings, 100)


# DARTS


def toy():
    """Two losses of weights w and alpha a that know each other, in double precision."""
    w = nn.Parameter(torch.tensor([0.4, -0.7, 0.2], dtype=torch.float64))
    a = nn.Parameter(torch.tensor([0.3, -0.2], dtype=torch.float64))

    def train(w, a):
        return (a.softmax(0)[0] * (w**2).sum() + a.softmax(0)[1] * torch.sin(w).sum() + 0.1 * (w**4).sum()).tanh()

    def valid(w, a):
        return ((w - a[0]) ** 2).sum() + a[1] * w.prod() + torch.exp(0.3 * a).sum()

    return w, a, train, valid


def test_the_second_order_gradient_is_that_of_the_unrolled_loss():
    w, a, train, valid = toy()
    rate = 0.3

    def unrolled_loss(a):
        free = w.detach().clone().requires_grad_()
        (step,) = torch.autograd.grad(train(free, a), free, create_graph=True)
        return valid(free - rate * step, a)

    (exact,) = torch.autograd.grad(unrolled_loss(a), a)
    by_difference = []
    for index in range(2):
        shift = torch.zeros(2, dtype=torch.float64)
        shift[index] = 1e-6
        rise = unrolled_loss(a.detach() + shift) - unrolled_loss(a.detach() - shift)
        by_difference.append(float(rise.detach()) / 2e-6)
    before = w.detach().clone()
    loss, (found,) = unrolled(lambda: train(w, a), lambda: valid(w, a), [w], [a], rate)
    assert found.tolist() == pytest.approx(by_difference, rel=1e-3)
    assert found.tolist() == pytest.approx(exact.tolist(), rel=1e-3)
    assert float(loss) == pytest.approx(float(unrolled_loss(a).detach()))
    assert torch.equal(w, before), "the weights are put back"


def test_with_a_rate_of_zero_the_second_order_is_the_first():
    w, a, train, valid = toy()
    _, (found,) = unrolled(lambda: train(w, a), lambda: valid(w, a), [w], [a], 0.0)
    (first,) = torch.autograd.grad(valid(w, a), a)
    torch.testing.assert_close(found, first)


@pytest.mark.parametrize("order", ["first", "second"])
def test_darts_moves_alpha_by_the_held_batch_and_weights_by_the_other(order):
    made, learns = learner(Darts(order=order))
    twin, other = learner(Darts(order=order))
    made.step(learns, batch(1), batch(2), draw())
    twin.step(other, batch(1), batch(3), draw())
    assert not torch.equal(made.alpha, twin.alpha)
    if order == "first":
        pure, alone = learner(Darts())
        pure.step(alone, batch(3), batch(2), draw())
        torch.testing.assert_close(pure.alpha, made.alpha)
    assert not torch.equal(next(learns.supernet.parameters()), next(learner(Darts())[1].supernet.parameters()))


def test_the_two_orders_of_darts_differ():
    alphas = []
    for order in ("first", "second"):
        made, learns = learner(Darts(order=order, learning_rate=0.5))
        made.step(learns, batch(1), batch(2), draw())
        alphas.append(made.alpha.detach())
    assert not torch.equal(*alphas)


# SNAS


def test_cold_samples_of_snas_are_one_hot_and_as_frequent_as_their_probability():
    made = method(Snas(), BENCH.edges, draw())
    made.begin_epoch(1.0)
    with torch.no_grad():
        made.alpha.copy_(torch.randn(made.alpha.shape, generator=draw(3)))
    source = draw(4)
    samples = torch.stack([made.sampled(source).weights.detach() for _ in range(3000)])
    assert (samples.max(2).values > 0.9).float().mean() > 0.9
    torch.testing.assert_close(samples.mean(0), made.probabilities().detach(), rtol=0, atol=0.035)


def test_warm_samples_of_snas_are_soft_and_sum_to_one():
    made = method(Snas(first_temperature=10), BENCH.edges, draw())
    made.begin_epoch(0.0)
    weights = made.sampled(draw(1)).weights
    torch.testing.assert_close(weights.sum(1), torch.ones(6))
    assert float(weights.detach().max()) < 0.5


def test_the_temperature_of_snas_falls_by_the_same_factor():
    made = method(Snas(), BENCH.edges, draw())
    seen = []
    for progress in (0.0, 0.5, 1.0):
        made.begin_epoch(progress)
        seen.append(made.trace()["temperature"])
    assert seen == pytest.approx([1.0, 0.03**0.5, 0.03])


def test_snas_learns_both_from_one_batch():
    made, learns = learner(Snas())
    again, other = learner(Snas())
    before = made.alpha.detach().clone()
    made.step(learns, batch(1), batch(2), draw())
    again.step(other, batch(1), batch(3), draw())
    assert torch.equal(made.alpha, again.alpha)
    assert not torch.equal(made.alpha, before)
    assert not made.halves


# GDAS


def test_gdas_draws_one_operation_per_edge_and_the_gradient_reaches_all_of_alpha():
    made, learns = learner(Gdas())
    mixture = made.sampled(draw(5))
    assert sorted(mixture.weights.detach().flatten().tolist()) == pytest.approx([0.0] * 24 + [1.0] * 6)
    assert tuple(mixture.weights.argmax(1).tolist()) == mixture.only
    assert any(learns.supernet.blocks[1].edges[edge].passes[option] for edge, option in enumerate(mixture.only))
    (gradient,) = torch.autograd.grad(learns.loss(batch(1), mixture), made.alpha)
    reached = [edge for edge, option in enumerate(mixture.only) if BENCH.edges.options[option] != "none"]
    assert all((gradient[edge] != 0).all() for edge in reached)


def test_the_gradient_of_gdas_is_that_of_the_softmax_at_its_temperature():
    made = method(Gdas(first_temperature=2.0), BENCH.edges, draw())
    towards = torch.randn(6, 5, generator=draw(1))
    (found,) = torch.autograd.grad((made.sampled(draw(2)).weights * towards).sum(), made.alpha)
    noise = gumbel(made.alpha, draw(2))
    soft = ((made.alpha.log_softmax(1) + noise) / 2.0).softmax(1)
    (due,) = torch.autograd.grad((soft * towards).sum(), made.alpha)
    torch.testing.assert_close(found, due)


def test_gdas_draws_as_often_as_alpha_says():
    made = method(Gdas(), BENCH.edges, draw())
    with torch.no_grad():
        made.alpha.copy_(torch.randn(made.alpha.shape, generator=draw(3)))
    source = draw(4)
    drawn = torch.stack([made.sampled(source).weights.detach() for _ in range(3000)]).mean(0)
    torch.testing.assert_close(drawn, made.probabilities().detach(), rtol=0, atol=0.035)


def test_gdas_leaves_weights_that_were_not_drawn_alone():
    made, learns = learner(Gdas())
    before = {name: value.clone() for name, value in learns.supernet.state_dict().items()}
    drawn = made.sampled(draw()).only
    made.step(learns, batch(1), batch(2), draw())
    for name, value in learns.supernet.state_dict().items():
        if ".edges." in name:
            edge, option = (int(part) for part in name.split(".edges.")[1].split(".")[:3:2])
            if drawn[edge] != option:
                assert torch.equal(value, before[name]), name
    assert any(not torch.equal(value, before[name]) for name, value in learns.supernet.state_dict().items())


def test_the_temperature_of_gdas_falls_in_a_straight_line():
    made = method(Gdas(), BENCH.edges, draw())
    seen = []
    for progress in (0.0, 0.5, 1.0):
        made.begin_epoch(progress)
        seen.append(made.trace()["temperature"])
    assert seen == pytest.approx([10.0, 5.05, 0.1])


# PC-DARTS


def test_the_edges_into_each_node_share_what_passes():
    made = method(PcDarts(), DARTS.edges, draw())
    with torch.no_grad():
        made.beta.copy_(torch.randn(made.beta.shape, generator=draw(3)))
    shares = made.normalised()
    ends = list(zip(DARTS.edges.cells, DARTS.edges.targets, strict=True))
    for end in set(ends):
        assert float(sum(shares[edge] for edge, other in enumerate(ends) if other == end).detach()) == pytest.approx(1)
    torch.testing.assert_close(made.strengths().sum(1), shares)


def test_beta_learns_with_alpha():
    made, learns = learner(PcDarts(parts=2))
    beta = made.beta.detach().clone()
    made.step(learns, batch(1), batch(2), draw())
    # The only edge into the first node has all of its share, whatever beta says.
    assert not torch.equal(made.beta[1:], beta[1:])


def test_the_edges_that_beta_favours_are_derived():
    made = method(PcDarts(), DARTS.edges, draw())
    into = [edge for edge, cell in enumerate(DARTS.edges.cells) if (cell, DARTS.edges.targets[edge]) == ("normal", 2)]
    for dropped in into:
        with torch.no_grad():
            made.beta.zero_()
            made.beta[dropped] = -5
        assert DARTS.strongest(made.strengths().detach())[dropped] == 0


# All of them


@pytest.mark.parametrize(
    "settings",
    [Darts(), Darts(order="second"), Snas(), Gdas(), PcDarts(parts=2)],
    ids=["darts", "darts second", "snas", "gdas", "pc_darts"],
)
def test_while_alpha_rests_only_the_weights_move(settings):
    made, learns = learner(settings)
    before = {name: one.detach().clone() for name, one in made.named_parameters()}
    weights = [one.detach().clone() for one in learns.supernet.parameters()]
    learns.resting = True
    made.step(learns, batch(1), batch(2), draw())
    assert all(torch.equal(one, before[name]) for name, one in made.named_parameters())
    assert not all(map(torch.equal, weights, learns.supernet.parameters()))
    learns.resting = False
    made.step(learns, batch(1), batch(2), draw())
    assert not torch.equal(made.alpha, before["alpha"])


@pytest.mark.parametrize(
    ("steps", "rate"),
    [(50 * 391, 6 / (50 * 391)), (2000, 0.003), (10, 0.006), (0, 0.006)],
    ids=["as the paper", "fewer", "few", "none"],
)
def test_alpha_can_go_as_far_as_in_the_paper_in_fewer_steps(steps, rate):
    assert Darts().alpha_rate(steps) == pytest.approx(rate)
    assert Darts(alpha_learning_rate=0.1).alpha_rate(steps) == 0.1


class Telling(nn.Module):
    """A supernet in which one operation of each edge tells the label, and the others tell nothing."""

    telling = (2, 0, 4, 3, 1, 2)

    def __init__(self):
        super().__init__()
        self.loudness = nn.Parameter(torch.ones(6))

    def forward(self, labels, mixture):
        through = mixture.weights if mixture.edges is None else mixture.weights * mixture.edges[:, None]
        heard = through[range(6), self.telling] * self.loudness
        return heard.sum() * nn.functional.one_hot(labels, 10).float()


@pytest.mark.parametrize("name", GRADIENT)
def test_alpha_finds_the_operation_that_tells_the_label(name: str):
    settings = configure(GRADIENT[name], {"alpha_learning_rate": 0.05})
    made = method(settings, BENCH.edges, draw(1))
    learns = Learner.of(Telling(), made, settings, 100)
    source = draw(2)
    for step in range(120):
        made.begin_epoch(step / 119)
        labels = torch.randint(10, (8,), generator=source)
        made.step(learns, (labels, labels), (labels, labels), source)
    assert BENCH.strongest(made.strengths().detach()) == Telling.telling


def test_the_learning_rate_follows_half_a_cosine():
    assert [cosine(0.1, 0.02, progress) for progress in (0.0, 0.5, 1.0)] == pytest.approx([0.1, 0.06, 0.02])

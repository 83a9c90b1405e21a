"""A search by gradient: repeatable, resumed exactly, canonical, and honest about its collapse."""

import math
from pathlib import Path

import pytest
import torch

from nas.architecture import Architecture
from nas.evaluation.catalogue import evaluator
from nas.evaluation.relaxed import search
from nas.evaluation.relaxed.checkpoint import FILE
from nas.evaluation.relaxed.gdas import GdasMethod
from nas.evaluation.relaxed.search import Relaxed
from nas.evaluation.relaxed.trace import before_collapse, entropy, has_collapsed, shares
from nas.evaluation.trained import data_of
from nas.events import Derived, EpochSearched, Prepared
from nas.gradient import GRADIENT
from nas.spaces import catalogue
from tests.nas.evaluation.relaxed.searches import BENCH, DARTS, SPACES, TASK, digits, events, told


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after each epoch, however short."""
    monkeypatch.setattr(search, "CHECKPOINT_SECONDS", 0.0)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    ("name", "settings"), [*((name, {}) for name in GRADIENT), ("darts", {"order": "second"})], ids=str
)
def test_an_epoch_derives_a_canonical_architecture_which_is_the_end(name, settings, space, tmp_path):
    settings = {"batch_size": 128, **settings}
    said = events(digits(tmp_path, name, space=SPACES[space], strategy_settings=settings, epochs=1))
    assert isinstance(said[0], Prepared)
    epochs = told(said)
    assert [epoch.epoch for epoch in epochs] == [1]
    assert said[-1] == Derived(epochs[-1].architecture, 1)
    built = catalogue.build(SPACES[space], TASK)
    for epoch in epochs:
        assert built.canonical(epoch.architecture) == epoch.architecture
        assert epoch.metrics["parameters"] == built.graph(epoch.architecture).parameters
        assert 0 <= epoch.metrics["accuracy"] <= 100
        assert all(sum(row.values()) == pytest.approx(1, abs=1e-3) for row in epoch.alpha.values())
        assert 0 < epoch.trace["entropy"] <= math.log(len(next(iter(epoch.alpha.values())))) + 1e-6
        assert ("temperature" in epoch.trace) == (name in ("snas", "gdas"))


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize(
    ("name", "settings", "space"),
    [
        ("darts", {"order": "second"}, "nasbench201"),
        ("snas", {}, "nasbench201"),
        ("gdas", {}, "nasbench201"),
        ("pc_darts", {"warm_up": 0.5}, "nasbench201"),
        ("gdas", {}, "nasnet"),
        ("gdas", {}, "chain"),
    ],
)
def test_an_interrupted_search_goes_on_as_if_nothing_had_been(name, settings, space, tmp_path):
    settings = {"batch_size": 128, "alpha_learning_rate": 0.05} | settings
    whole = told(events(digits(tmp_path / "whole", name, space=SPACES[space], strategy_settings=settings)))
    job = digits(tmp_path / "stopped", name, space=SPACES[space], strategy_settings=settings)
    running = Relaxed().evaluate(job)
    seen = [next(running), next(running)][1:]
    running.close()
    resumed = events(job)
    assert told(resumed) == whole
    assert resumed[1:2] == seen, "with the seconds of the first attempt"
    other = told(
        events(digits(tmp_path / "other", name, space=SPACES[space], strategy_settings=settings, seed=2, epochs=1))
    )
    assert other[0].alpha != whole[0].alpha


@pytest.mark.usefixtures("every_epoch")
def test_it_starts_over_where_the_checkpoint_is_damaged_or_of_another_search(tmp_path: Path):
    job = digits(tmp_path / "one", "gdas")
    whole = told(events(job))
    (tmp_path / "one" / FILE).write_bytes(b"spoilt")
    assert told(events(job)) == whole
    other = {"strategy_settings": {"batch_size": 64}}
    assert told(events(digits(tmp_path / "one", "gdas", **other))) == told(events(digits(tmp_path, "gdas", **other)))


def test_weights_and_alpha_learn_from_disjoint_halves_and_never_from_validation(tmp_path: Path):
    job = digits(tmp_path, "darts", strategy_settings={"batch_size": 2})
    data = data_of(job)
    halves = search.GradientSearch(job, data, torch.device("cpu"))._parts
    assert sum(half.count * half.size for half in halves) >= len(data.train) - 2
    seen = [{tuple(image.flatten().tolist()) for image in half._inputs} for half in halves]
    held = {tuple(image.flatten().tolist()) for image in data.valid.inputs}
    assert not seen[0] & seen[1]
    assert not (seen[0] | seen[1]) & held


def test_a_loss_that_is_no_number_ends_the_search(tmp_path: Path):
    job = digits(tmp_path, "darts")
    running = search.GradientSearch(job, data_of(job), torch.device("cpu"))
    with torch.no_grad():
        running.method.alpha.fill_(math.nan)
    with pytest.raises(search.EvaluationFailed, match="diverged in epoch 1"):
        next(running.epochs())


def test_alpha_rests_in_the_first_epochs(tmp_path: Path):
    settings = {"batch_size": 256, "warm_up": 0.5, "alpha_learning_rate": 0.05}
    epochs = told(events(digits(tmp_path, "snas", epochs=4, strategy_settings=settings)))
    assert [epoch.alpha == epochs[0].alpha for epoch in epochs] == [True, True, False, False]


@pytest.mark.parametrize(
    ("alarms", "patience", "stops", "chosen"),
    [
        ((0, 0, 1, 1), 2, True, 2),
        ((0, 1, 0, 1), 2, False, 4),
        ((0, 0, 1, 1), 0, False, 4),
        ((1, 1, 1), 2, False, 3),
        ((0, 1), 3, False, 2),
    ],
)
def test_a_search_may_end_by_its_collapse_and_derive_the_last_good_epoch(alarms, patience, stops, chosen):
    epochs = [
        EpochSearched(at, 9, Architecture("nasbench201", (at,) * 6), {}, {"collapse": float(alarm)}, {})
        for at, alarm in enumerate(alarms, start=1)
    ]
    assert has_collapsed(epochs, patience) == stops
    assert before_collapse(epochs, patience).epoch == chosen


def test_a_search_that_collapsed_stops_and_says_what_it_derived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    alarms = iter((0.0, 1.0, 1.0, 1.0))
    monkeypatch.setattr(search.trace, "shares", lambda *_: {"collapse": next(alarms)})
    settings = {"batch_size": 256, "stop_at_collapse": 2, "warm_up": 0}
    said = events(digits(tmp_path, "gdas", epochs=5, strategy_settings=settings))
    epochs = told(said)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    assert said[-1] == Derived(epochs[0].architecture, 1)


def test_none_is_derived_only_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    strong = torch.tensor([[0.7, 0.2, 0.1]]).expand(6, 3)
    monkeypatch.setattr(GdasMethod, "probabilities", lambda _: strong.clone())
    settings = {"batch_size": 256}
    plain = told(events(digits(tmp_path / "plain", "gdas", epochs=1, strategy_settings=settings)))
    asked = told(
        events(digits(tmp_path / "asked", "gdas", epochs=1, strategy_settings=settings | {"derive_none": True}))
    )
    assert plain[0].architecture.choices == (1,) * 6
    assert plain[0].alpha["edge 0-1"]["none"] == pytest.approx(0.7), "the trace says what alpha says"
    assert asked[0].trace["none_share"] == 1


def test_a_job_of_a_search_by_gradient_is_given_to_it(tmp_path: Path):
    assert isinstance(evaluator(digits(tmp_path, "gdas")), Relaxed)


def test_entropy_is_that_of_the_definition():
    assert entropy(torch.full((3, 4), 0.25)) == pytest.approx(math.log(4))
    assert entropy(torch.eye(4)) == 0
    mixed = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    assert entropy(mixed) == pytest.approx(math.log(2) / 2)


NONE, SKIP, CONV = 0, 1, 3


@pytest.mark.parametrize(
    ("picked", "skips", "collapse"),
    [
        ((CONV,) * 6, 0, 0),
        ((SKIP, SKIP, SKIP, CONV, CONV, CONV), 1 / 2, 0),
        ((SKIP, SKIP, SKIP, SKIP, CONV, CONV), 2 / 3, 1),
        ((SKIP, SKIP, NONE, NONE, CONV, CONV), 1 / 3, 1),
    ],
)
def test_the_alarm_is_raised_where_skips_and_none_have_most_edges(picked, skips, collapse):
    found = shares(BENCH.edges, picked, BENCH.kept(picked))
    assert found["skip_share"] == pytest.approx(skips)
    assert found["collapse"] == collapse


def test_one_collapsed_cell_of_two_raises_the_alarm_and_dropped_edges_do_not_count():
    skip = DARTS.edges.options.index("skip_connect")
    conv = DARTS.edges.options.index("sep_conv_3x3")
    normal, reduction = (skip, skip, skip, 0, conv), (conv, conv, conv, 0, conv)
    found = shares(DARTS.edges, normal + reduction, DARTS.kept(normal + reduction))
    assert found == {"skip_share": 3 / 8, "none_share": 0, "collapse": 1}
    calm = shares(DARTS.edges, reduction + reduction, DARTS.kept(reduction + reduction))
    assert calm["collapse"] == 0


def test_only_two_edges_of_a_node_are_kept_and_none_is_never_derived():
    weights = torch.zeros(10, 8)
    weights[:, 0] = 0.9  # none
    weights[:, 3], weights[:, 4] = 0.05, 0.04
    weights[2, 4] = 0.08  # of the second normal node, the first edge, by another operation
    weights[4, 3] = 0.07
    picked = DARTS.strongest(weights)
    assert picked[2:5] == (4, 0, 3)
    assert [sum(option > 0 for option in picked[start : start + 3]) for start in (2, 7)] == [2, 2]
    assert sum(option > 0 for option in picked) == 8

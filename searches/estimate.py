"""What a search will cost, before it is started: a cost model, corrected by what this installation measured.

The constants of `CPU` were measured with `nas.evaluation` on one thread of a shared AMD EPYC (with bfloat16), 40
random networks of the chain on digits and 12 on Fashion-MNIST: a network took 0.7 to 1.5 times what they predict (10th
and 90th percentile).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil, log10, prod
from random import Random
from statistics import fmean, median

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from nas.datasets.catalogue import dataset
from nas.evaluation.protocol import Fidelity, Split
from nas.gradient import GRADIENT, load
from nas.jobs import columns, on_rung
from nas.plan import Plan, search_space, table
from nas.proxies import METRICS as PROXIES
from nas.settings import configure
from nas.spaces import moves
from nas.spaces.chain import Chain
from nas.spaces.graph import Graph
from nas.spaces.protocol import magnitude
from searches.drafts import Draft
from searches.models import Evaluation, Run, Worker
from searches.queries import graph_of

SAMPLES = 60
# A candidate of a rehearsal: messages, rows and events, measured on two cores with two workers.
LOOKED_UP = 0.08
# Passes forward and back over one batch that a proxy comes to, measured like `CPU`: 0.1 to 2 times for synflow, which
# needs no data, 6 to 20 for grasp, 1 to 6 for the others.
PASSES = {"synflow": 1, "grasp": 9}
USUAL_PASSES = 3
DRAWN = 5e-3  # seconds that it takes to draw a network and build it
LATEST = 50
BYTES_PER_PARAMETER = 8
EXPORTED_BYTES_PER_PARAMETER = 12
# Plans of earlier versions do not name their evaluator.
TRAINED = Q(run__plan_json__evaluator="train") | Q(run__plan_json__evaluator__isnull=True)


@dataclass(frozen=True)
class Speed:
    """Seconds that a cold worker needs before its first evaluation, that an evaluation costs whatever the network, that
    a step costs per operation of it, and that training costs per image and output value of the operations; and
    multiply-adds a second while training.
    """

    start: float
    evaluation: float
    operation: float
    value: float
    rate: float


CPU = Speed(start=6.0, evaluation=0.15, operation=1.5e-4, value=9.4e-9, rate=7.6e10)
NO_START = replace(CPU, evaluation=0.0)  # an epoch in the middle of a search
# What a candidate of a search by gradient reached was measured with an epoch of the supernet, not by a training.
DERIVED = Q(stage=Run.Stage.SEARCH, run__plan_json__strategy__in=list(GRADIENT))


@dataclass(frozen=True)
class Range:
    """The median of a sample, what a tenth of it stays below and above, and its mean, which sums are made of."""

    low: float
    middle: float
    high: float
    mean: float


@dataclass(frozen=True)
class Estimate:
    """`magnitude` is log10 of the size of the space; times are in seconds, `disk` in bytes.

    `measured` counts the evaluations of this installation that the times were corrected by; 0: a guess.
    """

    magnitude: float
    parameters: Range
    candidate: Range
    search: float
    final: float
    workers: int
    disk: float
    measured: int

    @property
    def size(self) -> float:
        """At most so many networks."""
        return round(10**self.magnitude, 6)

    @property
    def total(self) -> float:
        """Search and final stage together."""
        return self.search + self.final


@dataclass(frozen=True)
class Correction:
    """The factor between what was measured here and what the model predicts, from `count` evaluations."""

    factor: float = 1.0
    count: int = 0


def estimate(draft: Draft) -> Estimate:
    """Return the cost of a search from a sample of its space; raises Refused where nothing can be sampled."""
    plan = draft.plan
    if plan.is_rehearsal:
        return _rehearsal(draft)
    if plan.is_gradient:
        return _supernet(draft)
    space = search_space(plan)
    graphs = [space.graph(moves.sample(space, Random(f"estimate/{index}"))) for index in range(SAMPLES)]
    correction = measured_correction()
    workers = alive_workers(draft.queue)

    def seconds(graph: Graph, stage: str) -> float:
        return correction.factor * predict(plan, graph, stage)

    candidate = _range(seconds(graph, Run.Stage.SEARCH) for graph in graphs)
    parameters = _range(graph.parameters for graph in graphs)
    final = _range(seconds(graph, Run.Stage.FINAL) for graph in graphs).high
    contestants = plan.final_top + 1
    whole = plan.final_top * final + _baseline_seconds(plan, final, seconds)
    lanes = max(1, workers)
    final_seconds = whole / contestants * ceil(contestants * plan.final_seeds / lanes)
    return Estimate(
        magnitude=magnitude(space),
        parameters=parameters,
        candidate=candidate,
        search=CPU.start + correction.factor * _shared(plan, graphs) + candidate.mean * ceil(plan.budget / lanes),
        final=final_seconds,
        workers=workers,
        disk=_disk(plan, parameters.mean),
        measured=correction.count,
    )


def _supernet(draft: Draft) -> Estimate:
    """The cost of a search by gradient: each epoch computes so many networks at once, on one worker."""
    plan, space, workers = draft.plan, search_space(draft.plan), alive_workers(draft.queue)
    settings = configure(GRADIENT[plan.strategy], plan.strategy_settings)
    graphs = [space.graph(moves.sample(space, Random(f"estimate/{index}"))) for index in range(SAMPLES)]
    correction = measured_correction()
    stepped = replace(plan, training=replace(plan.training, batch_size=settings.batch_size))
    times = load(settings, space) * correction.factor
    epochs = [times * predict(stepped, graph, Run.Stage.SEARCH, 1, NO_START) for graph in graphs]
    # A chain's supernet is its largest network with all options.
    each = _range(epochs if plan.space.kind != Chain.name else [max(epochs)])
    parameters = _range(graph.parameters for graph in graphs)
    final = _range(predict(plan, graph, Run.Stage.FINAL) for graph in graphs).high
    baseline = _baseline_seconds(plan, final, lambda graph, stage: predict(plan, graph, stage))
    pair = correction.factor * (final + baseline)
    return Estimate(
        magnitude=magnitude(space),
        parameters=parameters,
        candidate=each,
        search=CPU.start + each.mean * plan.budget,
        final=pair / 2 * ceil(2 * plan.final_seeds / max(1, workers)),
        workers=workers,
        disk=_disk(replace(plan, budget=1), load(settings, space) * parameters.mean),
        measured=correction.count,
    )


def _baseline_seconds(plan: Plan, winner: float, seconds: Callable[[Graph, str], float]) -> float:
    """Return how long the baseline trains; of torchvision's networks nothing is known here."""
    if plan.baseline.budget == "time" or plan.baseline.is_foreign:
        return winner
    return seconds(plan.baseline.graph(plan.task), Run.Stage.FINAL)


def _rehearsal(draft: Draft) -> Estimate:
    """The cost of looking networks up: what the search itself takes, and the training time that it pretends."""
    plan, space, workers = draft.plan, search_space(draft.plan), alive_workers(draft.queue)
    graphs = [space.graph(moves.sample(space, Random(f"estimate/{index}"))) for index in range(SAMPLES)]
    each = LOOKED_UP + plan.epochs * plan.rehearsal.seconds_per_epoch
    lanes = max(1, workers)
    return Estimate(
        magnitude=log10(len(table(plan))),
        parameters=_range(graph.parameters for graph in graphs),
        candidate=_range([each]),
        search=each * ceil(plan.budget / lanes),
        final=LOOKED_UP,
        workers=workers,
        disk=0.0,
        measured=0,
    )


def predict(plan: Plan, graph: Graph, stage: str, epochs: int = 0, speed: Speed = CPU) -> float:
    """Return the seconds of one evaluation.

    Training costs about three times the multiply-adds of looking at an image once. The values that operations put out
    count as well: layers of few channels over a large image wait for memory, not for arithmetic.
    """
    final = stage == Run.Stage.FINAL
    if plan.is_scored and not final:
        return speed.evaluation + _scoring(plan, graph, columns(plan), speed)
    if plan.is_shared and not final:
        return speed.evaluation + _by_shared_weights(plan, graph, speed)
    watching = 0.0 if final else _scoring(plan, graph, {*plan.policy.watch, plan.policy.proxy}, speed)
    epochs = epochs or (plan.final_epochs if final else plan.epochs)
    rows = training_rows(plan.split, final=final)
    less = Fidelity() if final else plan.fidelity
    rows = ceil(rows * less.share)
    of_one = less.side**2 * less.width  # values put out; multiply-adds fall with the square of the width
    steps = ceil(rows / plan.training.batch_size)
    return speed.evaluation + watching + epochs * _epoch(graph, rows, steps, speed, of_one, less.width)


def _by_shared_weights(plan: Plan, graph: Graph, speed: Speed) -> float:
    """Recalibration and validation look forward alone, a third of a training step; proposals may train before."""
    asked, held = plan.supernet, dataset(plan.split.dataset).train - training_rows(plan.split, final=False)
    looked = asked.recalibration * asked.batch_size + held
    found = _epoch(graph, looked, asked.recalibration, speed) / 3
    found += _scoring(plan, graph, {*plan.policy.watch, plan.policy.proxy}, speed)
    if asked.sampling == "proposals":
        found += _epoch(graph, asked.steps * asked.batch_size, asked.steps, speed)
    return found


def _shared(plan: Plan, graphs: Sequence[Graph]) -> float:
    """Return the seconds that the shared weights take, which one worker trains while the others wait."""
    if not plan.is_shared:
        return 0.0
    images = training_rows(plan.split, final=False)
    steps = ceil(images / plan.supernet.batch_size)
    return plan.supernet.epochs * (fmean(_epoch(graph, images, steps, CPU) for graph in graphs) + steps * DRAWN)


def _scoring(plan: Plan, graph: Graph, names: Iterable[str], speed: Speed) -> float:
    passes = sum(PASSES.get(name, USUAL_PASSES) for name in names if name in PROXIES)
    return passes * _epoch(graph, plan.scoring.batch_size, 1, speed)


def _epoch(graph: Graph, rows: int, steps: int, speed: Speed, share: float = 1.0, width: float = 1.0) -> float:
    """`share` of the values are computed, each from `width` of the channels."""
    values = sum(prod(node.shape) for node in graph.nodes)
    work = rows * share * (values * speed.value + 3 * width * graph.multiply_adds / speed.rate)
    return steps * len(graph.nodes) * speed.operation + work


def training_rows(split: Split, *, final: bool) -> int:
    """Return how many rows an epoch sees; the final stage trains on those for validation as well."""
    rows = dataset(split.dataset).train
    return rows if final else rows - ceil(rows * split.valid_share)


def measured_correction() -> Correction:
    """Return the median of measured over predicted among the latest evaluations, 1 where there are none."""
    rows = (
        Evaluation.objects.filter(TRAINED, status=Evaluation.Status.MEASURED, attempt=1)
        .exclude(DERIVED)
        .exclude(stage=Evaluation.SUPERNET)
        .exclude(started_at=None)
        .exclude(finished_at=None)
        .select_related("candidate", "run")
        .defer("curve", "metrics", "artifacts")
        .order_by("-pk")[:LATEST]
    )
    ratios = [
        _seconds(row)
        / predict(on_rung(row.run.plan, row.of.fidelity), graph_of(row.run, row.of), row.stage, row.epochs)
        for row in rows
    ]
    return Correction(median(ratios), len(ratios)) if ratios else Correction()


def _seconds(row: Evaluation) -> float:
    assert row.started_at is not None
    assert row.finished_at is not None
    return (row.finished_at - row.started_at).total_seconds()


def alive_workers(queue: str = "") -> int:
    """Return how many workers were heard of within a lease, on that queue or on any."""
    workers = Worker.objects.filter(seen_at__gt=timezone.now() - timedelta(seconds=settings.LEASE_SECONDS))
    return (workers.filter(queue=queue) if queue else workers).count()


def _disk(plan: Plan, parameters: float) -> float:
    checkpoints = ((plan.budget if plan.trains_each else 0) + 2 * plan.final_seeds) * BYTES_PER_PARAMETER * parameters
    return checkpoints + EXPORTED_BYTES_PER_PARAMETER * parameters


def _range(values: Iterable[float]) -> Range:
    ordered = sorted(values)
    tenth = len(ordered) // 10
    return Range(ordered[tenth], median(ordered), ordered[-1 - tenth], fmean(ordered))

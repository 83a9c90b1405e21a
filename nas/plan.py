"""What a person asked for, complete and frozen: the same record drives a run in the database and one without.

From it come the space, the strategy and what can be measured; `nas.jobs` makes the jobs, `nas.selection` says who won.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median_high
from typing import Any

from nas.architecture import Architecture
from nas.datasets.catalogue import dataset
from nas.evaluation.fidelity import percents
from nas.evaluation.protocol import Fidelity, Measuring, Rehearsal, Scoring, Split, Supernet, Training
from nas.gradient import GRADIENT
from nas.objectives import METRICS, Limit, Metric, Objective, fitting
from nas.policy import Bar, Policy
from nas.priors import WarmStart
from nas.proxies import METRICS as PROXIES
from nas.reference import Reference
from nas.sentences import Refused
from nas.settings import settings_of
from nas.spaces import catalogue as spaces
from nas.spaces import moves
from nas.spaces.baseline import BASELINE, Baseline
from nas.spaces.catalogue import SpaceSpec
from nas.spaces.graph import Task
from nas.spaces.protocol import SearchSpace
from nas.spaces.table import Tabulated
from nas.spaces.transformer import Transformer
from nas.strategies import catalogue as strategies
from nas.strategies.distinct import Distinct
from nas.strategies.nested import opened
from nas.strategies.protocol import AnyStrategy, Terms, dice
from nas.strategies.screened import Screened
from nas.strategies.warm import Warm
from nas.tables.table import Table

CHAIN = SpaceSpec("chain", {})
OF_TRAINING = ("training_seconds", "energy_joules")  # what a network that was not trained by itself has none of
SAMPLED, FEWEST_SMALL = 40, 2


@dataclass(frozen=True)
class Plan:
    """`epochs` train a candidate in the search, `final_epochs` winner and baseline, once per final seed.

    The `final_top` best of the search are finalists: of several, the full trainings say on validation who has won.

    A search evaluation that takes longer than `candidate_seconds` ends with the cause timeout. A rehearsal has the
    evaluator "table": its objectives are columns of the table, and `report` those that are read once, of the winner.
    With the evaluator "score" the objectives are zero-cost proxies, and only the final stage trains. Without
    objectives a search is after what is usual for its task: accuracy, or a small error of a number.
    """

    split: Split
    space: SpaceSpec
    strategy: str
    strategy_settings: Mapping[str, Any] = field(default_factory=dict)
    objectives: tuple[Objective, ...] = ()
    limits: tuple[Limit, ...] = ()
    training: Training = field(default_factory=Training)
    budget: int = 32
    epochs: int = 20
    final_epochs: int = 30
    final_seeds: int = 3
    final_top: int = 1
    baseline: Reference = field(default_factory=Reference)
    candidate_seconds: int = 3600
    seed: int = 1
    evaluator: str = "train"
    report: tuple[str, ...] = ()
    rehearsal: Rehearsal = field(default_factory=Rehearsal)
    scoring: Scoring = field(default_factory=Scoring)
    fidelity: Fidelity = field(default_factory=Fidelity)
    measuring: Measuring = field(default_factory=Measuring)
    supernet: Supernet = field(default_factory=Supernet)
    policy: Policy = field(default_factory=Policy)
    warm: WarmStart = field(default_factory=WarmStart)

    def __post_init__(self) -> None:
        if not self.objectives:
            object.__setattr__(self, "objectives", (usual_objective(self),))

    @property
    def task(self) -> Task:
        """Input shape and classes of the dataset; a table has none that matters."""
        return Task((1,), 1) if self.is_rehearsal else dataset(self.split.dataset).task

    @property
    def is_rehearsal(self) -> bool:
        """Whether a table answers in the place of training."""
        return self.evaluator == "table"

    @property
    def is_gradient(self) -> bool:
        """Whether the search is one long evaluation that descends a gradient; its budget counts epochs.

        `candidate_seconds` is then what one of them may take.
        """
        return self.strategy in GRADIENT

    @property
    def tells_number(self) -> bool:
        """Whether the networks tell a number; those of a dataset that is gone count as telling classes, as most do."""
        try:
            return self.task.goal == "number"
        except Refused:
            return False

    @property
    def measures_accuracy(self) -> bool:
        """Whether candidates come with a validation accuracy of that name."""
        return not (self.is_rehearsal or self.is_scored or self.tells_number)

    @property
    def is_scored(self) -> bool:
        """Whether proxies score the candidates in the place of training."""
        return self.evaluator == "score"

    @property
    def is_shared(self) -> bool:
        """Whether candidates are measured by weights that all of them share."""
        return self.evaluator == "supernet"

    @property
    def trains_each(self) -> bool:
        """Whether every candidate is trained, for a number of epochs."""
        return self.evaluator == "train"

    @property
    def builds_networks(self) -> bool:
        """Whether there is more of a candidate to look at before it is measured than its graph."""
        return self.trains_each or self.is_shared

    @property
    def rejects_built(self) -> bool:
        """Whether the proxy that rejects looks at the network itself, so that an evaluation begins with it."""
        return self.builds_networks and self.policy.proxy in PROXIES


def usual_objective(plan: Plan) -> Objective:
    """Return what a search is after unless told otherwise."""
    return Objective("rmse", "min") if plan.tells_number else Objective("accuracy", "max")


def usual_training(spec: SpaceSpec) -> Training:
    """Return how the networks of a space are trained unless told otherwise: those with attention by AdamW.

    Vaswani et al., 2017, and Dosovitskiy et al., 2021, train their transformers with Adam; SGD at the rate that suits
    convolutions hardly moves the vectors of rare words.
    """
    if spec.kind == Transformer.name:
        return Training(optimizer="adamw", learning_rate=0.002, weight_decay=0.05)
    return Training()


def default_limits(task: Task, spec: SpaceSpec = CHAIN) -> tuple[Limit, ...]:
    """Return what a search keeps to unless told otherwise: networks no larger than the hand-made baseline.

    Where the space has hardly any that small, the median of a sample of it takes the baseline's place.
    """
    baseline, space = Baseline(task).graph(BASELINE).parameters, spaces.build(spec, task)
    sizes = [space.graph(moves.sample(space, dice(0, number))).parameters for number in range(SAMPLED)]
    small = sum(size <= baseline for size in sizes)
    return (Limit("parameters", baseline if small >= FEWEST_SMALL else median_high(sizes)),)


def explicit(plan: Plan) -> Plan:
    """Return the plan with every setting written out: a stored plan must not change when a default does."""
    space = replace(plan.space, settings=_written(spaces.SPACES, plan.space.kind, plan.space.settings))
    known = strategies.STRATEGIES | GRADIENT
    return replace(plan, space=space, strategy_settings=_written(known, plan.strategy, plan.strategy_settings))


def _written(kinds: Mapping[str, type], name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    # An unknown name is refused by `check`, with a better sentence.
    known = settings_of(kinds[name]) if name in kinds else ()
    return {item.name: item.default for item in known} | dict(values)


def search_space(plan: Plan) -> SearchSpace:
    """Return the space, with those limits that are known before training enforced."""
    return spaces.build(limited(plan), plan.task)


def limited(plan: Plan) -> SpaceSpec:
    """Return the spec of the space with those limits."""
    known = tuple(limit for limit in plan.limits if limit.metric in METRICS and METRICS[limit.metric].costs_nothing)
    return replace(plan.space, limits=known)


def table(plan: Plan) -> Table:
    """Return the table of a rehearsal; raises Refused where it is not on this machine."""
    space = spaces.build(SpaceSpec(plan.space.kind, plan.space.settings), plan.task)
    if not isinstance(space, Tabulated):
        raise Refused("A rehearsal needs the space table, not {space}.", space=plan.space.kind)
    return space.rows


def row_of(plan: Plan, architecture: Architecture) -> int | None:
    """Return the row of an architecture in the table of a rehearsal, None where it has none."""
    _, plain = spaces.plain(search_space(plan), architecture)
    return table(plan).row(plain.choices)


def metrics(plan: Plan) -> Mapping[str, Metric]:
    """Return what can be an objective or a limit."""
    free = {name: about for name, about in METRICS.items() if about.costs_nothing}
    if not plan.is_rehearsal:
        return PROXIES | free if plan.is_scored else _measurable(plan)
    columns = table(plan).columns
    return free | {name: Metric(name, about.goal, about.unit) for name, about in columns.items()}


def _measurable(plan: Plan) -> dict[str, Metric]:
    fits = fitting(plan.task.classes)
    return {name: about for name, about in fits.items() if not (plan.is_shared and name in OF_TRAINING)}


def strategy(plan: Plan) -> Distinct:
    """Return the configured strategy inside what the policy wraps around it."""
    inner: AnyStrategy = strategies.bare(plan.strategy, plan.strategy_settings)
    if plan.warm.starts:
        inner = Warm(inner, tuple(Architecture(plan.space.kind, choices) for choices in plan.warm.starts))
    if plan.policy.proxy:
        # Around what answers repeats itself: the screen judges new architectures alone, and rejects its share of those.
        inner = Screened(Distinct(inner), _proxy(plan), plan.policy.proxy_share, plan.policy.proxy_trust)
    return Distinct(inner)


def bar(plan: Plan, state: Any) -> Bar | None:
    """Return what a built network's proxy must reach now, as the state of the plan's strategy says; None: nothing."""
    inner = strategy(plan).inner if plan.rejects_built else None
    return inner.bar(opened(inner, state.inner)) if isinstance(inner, Screened) else None


def _proxy(plan: Plan) -> Callable[[Architecture], float] | None:
    name, space = plan.policy.proxy, search_space(plan)
    if plan.rejects_built:
        return None
    if name in METRICS:
        return lambda architecture: space.graph(architecture).costs[name]
    rows = table(plan)

    def of_row(architecture: Architecture) -> float:
        row = row_of(plan, architecture)
        return 0.0 if row is None else rows.value(name, row)

    return of_row


def data_title(plan: Plan) -> str:
    """Return what the search runs on, as people call it."""
    return table(plan).title if plan.is_rehearsal else dataset(plan.split.dataset).title


def terms(plan: Plan) -> Terms:
    """Return what the run offers its strategy; a table has only the fidelities that somebody trained, a proxy none."""
    if plan.trains_each and plan.fidelity.rungs != "epochs":
        return Terms(plan.budget, len(plan.objectives), percents(plan.fidelity), plan.fidelity.rungs)
    fidelities: Sequence[int] = range(1, plan.epochs + 1) if plan.trains_each else (0,)
    if plan.is_rehearsal:
        fidelities = table(plan).fidelities(plan.objectives[0].metric)
    return Terms(plan.budget, len(plan.objectives), fidelities)

"""A search on CIFAR-100 that begins with what one on CIFAR-10 found, against the same search without: NAS-Bench-201."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from nas.commandline import DEFAULTS
from nas.plan import Plan, search_space
from nas.priors import Evaluation, Source, WarmStart, prior, warm_start
from nas.race.contest import Lane
from nas.race.running import lane
from nas.race.standings import evaluations_to, spread
from nas.rehearsal import on_table
from nas.search import Search

BUDGET = 100
STRATEGIES = ("random", "genetic", "aging_evolution", "local_search")  # those that need no time of their own
EARLIER_SEEDS = 1000  # added to a seed, so that the earlier search is not the same one on other data
MARKS = (25, BUDGET)
NEVER = float("inf")


@dataclass(frozen=True)
class Pair:
    """One seed on CIFAR-100, cold and warm."""

    cold: Lane
    warm: Lane


def spared_evaluations(seeds: int) -> Iterator[str]:
    """Yield a table: after how many evaluations the best of 100 cold ones is reached, cold and warm."""
    count = DEFAULTS.policy.warm_start
    yield (
        f"Warm start: {BUDGET} evaluations on CIFAR-100 (cifar100.valid_accuracy.12ep) that begin with the {count} "
        f"best of {BUDGET} on CIFAR-10 by the same strategy, {seeds} seeds; medians of the evaluations to the cold "
        f"search's best of {BUDGET}, and means of the best with their standard errors."
    )
    yield ""
    yield "| strategy | cold | warm | warm reached it | best of 25, cold | warm | best of 100, cold | warm |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in STRATEGIES:
        yield _row(name, [_pair(name, seed) for seed in range(1, seeds + 1)])
    yield ""


def _row(name: str, pairs: Sequence[Pair]) -> str:
    objective = _plan("cifar100", name, 1).objectives[0]
    cold = [evaluations_to(pair.cold, pair.cold.best[-1], objective) or NEVER for pair in pairs]
    warm = [evaluations_to(pair.warm, pair.cold.best[-1], objective) or NEVER for pair in pairs]
    cells = [name, f"{median(cold):g}", _never(median(warm)), f"{sum(one < NEVER for one in warm)} of {len(pairs)}"]
    for mark in MARKS:
        for lanes in ([pair.cold for pair in pairs], [pair.warm for pair in pairs]):
            found = spread([one.best[mark - 1] for one in lanes])
            cells.append(f"{found.mean:.2f} ± {found.error:.2f}")
    return f"| {' | '.join(cells)} |"


def _never(value: float) -> str:
    return "-" if value == NEVER else f"{value:g}"


def _pair(name: str, seed: int) -> Pair:
    plan = _plan("cifar100", name, seed)
    return Pair(lane(plan), lane(replace(plan, warm=_learned(name, seed, plan))))


def _learned(name: str, seed: int, plan: Plan) -> WarmStart:
    """Search on CIFAR-10, and return what that gives to the plan."""
    earlier = _plan("cifar10", name, seed + EARLIER_SEEDS)
    evaluations = [
        Evaluation(line["number"], tuple(line["choices"]), line["metrics"])
        for line in Search(earlier).candidates()
        if line["status"] == "measured"
    ]
    space = search_space(plan)
    known = prior(Source("CIFAR-10"), space.decisions, evaluations, earlier.objectives[0], ())
    return warm_start([known] if known else [], space, plan.policy.warm_start)


def _plan(dataset: str, name: str, seed: int) -> Plan:
    plan = replace(DEFAULTS, strategy=name, budget=BUDGET, seed=seed)
    columns = [f"{dataset}.{split}_accuracy.12ep" for split in ("valid", "test")]
    return on_table(plan, "nasbench201", objectives=columns[:1], report=columns[1:])

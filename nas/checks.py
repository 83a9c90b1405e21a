"""Refuse a search that could not work, before anything of it is started."""

from nas import codec, objectives
from nas.datasets.catalogue import dataset
from nas.evaluation import energy
from nas.evaluation.fidelity import on_rung
from nas.evaluation.fidelity import refuse as refuse_fidelity
from nas.evaluation.protocol import Fidelity, Measuring, Rehearsal, Scoring, Supernet, Training
from nas.gradient import GRADIENT, LEARNED, refuse
from nas.objectives import METRICS
from nas.plan import Plan, metrics, search_space, strategy, table, terms
from nas.policy import Policy
from nas.proxies import METRICS as PROXIES
from nas.sentences import Refused
from nas.settings import configure
from nas.strategies.catalogue import STRATEGIES, bare
from nas.strategies.protocol import Climbing

MOST_EVALUATIONS = 1_000_000
MOST_EPOCHS = 100_000
MOST_ADAMW = 0.1


def check(plan: Plan, *, tells_energy: bool | None = None) -> None:
    """Raise Refused for the first thing that could not work, before anything is started.

    `tells_energy` says whether the devices that will train count it; None asks this machine.
    """
    if not plan.is_rehearsal:
        dataset(plan.split.dataset)
    for name, low, high in (
        ("budget", 1, MOST_EVALUATIONS),
        ("epochs", 1, MOST_EPOCHS),
        ("final_epochs", 1, MOST_EPOCHS),
        ("final_seeds", 1, 100),
        ("final_top", 1, 20),
        ("candidate_seconds", 1, 10_000_000),
        ("seed", 0, 2**31),
    ):
        value = getattr(plan, name)
        if not low <= value <= high:
            raise Refused(
                "{name} is {value}; it must be between {low} and {high}.", name=name, value=value, low=low, high=high
            )
    if not 0.05 <= plan.split.valid_share <= 0.5:
        raise Refused("valid_share is {value}; it must be between 0.05 and 0.5.", value=plan.split.valid_share)
    _training(configure(Training, codec.dump(plan.training)))
    configure(Rehearsal, codec.dump(plan.rehearsal))
    configure(Scoring, codec.dump(plan.scoring))
    configure(Fidelity, codec.dump(plan.fidelity))
    configure(Measuring, codec.dump(plan.measuring))
    configure(Supernet, codec.dump(plan.supernet))
    configure(Policy, codec.dump(plan.policy))
    if not plan.is_rehearsal:
        plan.baseline.check(plan.task)
    if plan.is_gradient:
        by_gradient(plan)
        return
    _policy(plan)
    _objectives(plan)
    _energy(plan, tells_energy)
    if plan.evaluator == "train":
        aims = (*(one.metric for one in plan.objectives), *(one.metric for one in plan.limits))
        refuse_fidelity(plan.space, plan.task, plan.fidelity, aims)
    strategy(plan).refuse(search_space(plan), terms(plan))
    if plan.fidelity.rungs != "epochs":
        _rungs(plan)


def _training(training: Training) -> None:
    # AdamW's steps are as long as its rate says, whatever the gradient: the usual one of SGD would scatter the weights.
    if training.optimizer == "adamw" and training.learning_rate > MOST_ADAMW:
        raise Refused(
            "learning_rate is {value}; for AdamW it must be at most {high}, and 0.002 is a good beginning.",
            value=training.learning_rate,
            high=MOST_ADAMW,
        )


def proxies(plan: Plan) -> tuple[str, ...]:
    """Return what is known before training and may reject proposals."""
    free = tuple(name for name, about in METRICS.items() if about.costs_nothing)
    if not plan.is_rehearsal:
        return (*free, *PROXIES) if plan.builds_networks else free
    return (*free, *(name for name, about in table(plan).columns.items() if about.kind == "proxy"))


def by_gradient(plan: Plan) -> None:
    """Raise Refused where a search by gradient could not work on the plan."""
    settings = configure(GRADIENT[plan.strategy], plan.strategy_settings)
    if plan.evaluator != "train":
        raise Refused(
            "{strategy} trains a supernet; its evaluator cannot be {evaluator}.",
            strategy=plan.strategy,
            evaluator=plan.evaluator,
        )
    aims = ", ".join(objective.metric for objective in plan.objectives)
    if plan.task.goal == "number":
        raise Refused("{strategy} searches networks that tell classes, not a number.", strategy=plan.strategy)
    if aims not in LEARNED:
        raise Refused(
            "{strategy} descends the loss; its objective is accuracy or loss, not {metrics}.",
            strategy=plan.strategy,
            metrics=aims,
        )
    wrapped = {
        "limits": plan.limits or plan.space.limits,
        "rules": plan.space.rules,
        "warm start": plan.warm.starts,
        "proxy": plan.policy.proxy,
        "lower fidelity": plan.fidelity != Fidelity(),
        "replicates": plan.policy.replicates > 1,
        "early stopping": plan.policy.stopping != "none",
    }
    for what in (what for what, asked in wrapped.items() if asked):
        raise Refused(
            "{strategy} trains all architectures of the space at once; it knows no {what}.",
            strategy=plan.strategy,
            what=what,
        )
    refuse(plan.strategy, settings, search_space(plan))


def _policy(plan: Plan) -> None:
    if plan.is_shared and plan.policy.replicates > 1:
        raise Refused("All networks share one set of weights, so there is nothing to repeat with another seed.")
    proxy, known = plan.policy.proxy, proxies(plan)
    if proxy and proxy not in known:
        raise Refused("There is no proxy {proxy}; there are {names}.", proxy=proxy, names=", ".join(known))


def _rungs(plan: Plan) -> None:
    rungs, climber = plan.fidelity.rungs, bare(plan.strategy, plan.strategy_settings)
    if not plan.trains_each:
        raise Refused("Only where every candidate is trained can rungs be of {rungs}.", rungs=rungs)
    if not isinstance(climber, Climbing):
        able = [name for name, kind in STRATEGIES.items() if issubclass(kind, Climbing)]
        raise Refused(
            "rungs is {rungs}, but {strategy} has no rungs; choose one of {able}.",
            rungs=rungs,
            strategy=plan.strategy,
            able=", ".join(able),
        )
    aims = (*(one.metric for one in plan.objectives), *(one.metric for one in plan.limits))
    for step in climber.steps(terms(plan)):
        refuse_fidelity(plan.space, plan.task, on_rung(plan.fidelity, step), aims)


def _energy(plan: Plan, tells_energy: bool | None) -> None:
    asked = {*(one.metric for one in plan.objectives), *(one.metric for one in plan.limits)}
    if "energy_joules" not in asked or plan.is_rehearsal:
        return
    if not (energy.meter() is not None if tells_energy is None else tells_energy):
        raise Refused("No device here tells how much energy it uses; choose training_seconds instead of energy_joules.")


def _objectives(plan: Plan) -> None:
    aims = [objective.metric for objective in plan.objectives]
    among = metrics(plan)
    for metric in (*aims, *(limit.metric for limit in plan.limits), *plan.report):
        objectives.known(metric, among)
    if len(set(aims)) < len(aims):
        raise Refused("{metric} is an objective twice.", metric=max(aims, key=aims.count))
    if len(aims) > 1 and not strategy(plan).many_objectives:
        able = [name for name, kind in STRATEGIES.items() if kind().many_objectives]
        raise Refused(
            "{strategy} works on one objective, not on {count}; make the others limits, or choose one of {able}.",
            strategy=plan.strategy,
            count=len(aims),
            able=", ".join(able),
        )

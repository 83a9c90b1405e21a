"""A plan in words, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nas import codec
from nas.datasets.catalogue import dataset
from nas.evaluation.catalogue import ABOUT
from nas.evaluation.protocol import Fidelity, Measuring, Rehearsal, Training
from nas.objectives import METRICS, Limit
from nas.plan import Plan, table
from nas.policy import Policy
from nas.reference import HAND_MADE, TITLES
from nas.settings import settings_of
from nas.spaces.catalogue import SPACES
from nas.spaces.graph import Task
from searches.columns import figure_of
from searches.content import rows
from searches.drafts import Draft
from searches.estimate import training_rows
from searches.figures import duration, write
from searches.forms.fields import serves
from searches.forms.steps import KNOWN
from searches.say import label, option
from searches.warming import warmed


@dataclass(frozen=True)
class Part:
    """What one step of the wizard decided: a headline, sentences below it, and settings with their values."""

    step: str
    headline: str
    lines: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


def review(draft: Draft) -> tuple[Part, ...]:
    """Return what will be done, in the order of the steps."""
    plan = draft.plan
    return (
        _dataset(plan),
        _space(plan),
        Part(
            "strategy",
            label(plan.strategy),
            (*_measuring(plan), *_warm(plan)),
            _settings(KNOWN[plan.strategy], plan.strategy_settings),
        ),
        Part("objectives", _objectives(plan), _bounds(plan)),
        _budget(draft),
    )


def _space(plan: Plan) -> Part:
    rules = tuple(str(rule) for rule in plan.space.rules)
    return Part(
        "space", label(plan.space.kind), rules, _settings(SPACES[plan.space.kind], plan.space.settings, plan.task)
    )


def _measuring(plan: Plan) -> tuple[str, ...]:
    """Say how candidates are measured, where they are not simply trained; of a table the first part says it."""
    return () if plan.is_rehearsal or plan.evaluator == "train" else (_(ABOUT[plan.evaluator]),)


def _warm(plan: Plan) -> tuple[str, ...]:
    """Say what it learns from earlier searches, as it would if it started now."""
    if not plan.warm.sources:
        return ()
    warm = warmed(plan).warm
    if not warm.starts:
        return (_("The earlier searches that were chosen have no network that fits this one."),)
    words = ngettext(
        "It begins with {count} network of {names}.", "It begins with {count} networks of {names}.", len(warm.starts)
    )
    return (words.format(count=len(warm.starts), names=_(", ").join(source.title for source in warm.sources)),)


def _dataset(plan: Plan) -> Part:
    if plan.is_rehearsal:
        found = table(plan)
        told = _("{count} networks that somebody trained before; the search looks them up instead of training.")
        return Part("dataset", found.title, (told.format(count=f"{len(found):,}"),))
    known = dataset(plan.split.dataset)
    train = training_rows(plan.split, final=False)
    told = _("{train} to train, {valid} to compare candidates, {test} to test the winner once.")
    parts = told.format(train=rows(known.task, train), valid=f"{known.train - train:,}", test=f"{known.test:,}")
    return Part("dataset", _(known.title), (parts,))


def _objectives(plan: Plan) -> str:
    high, low = _("{metric}, as high as possible"), _("{metric}, as low as possible")
    parts = [
        (high if item.goal == "max" else low).format(metric=figure_of(plan, item.metric).title)
        for item in plan.objectives
    ]
    return _("; ").join(parts)


def _bounds(plan: Plan) -> tuple[str, ...]:
    """Say what is not allowed, and what is read of the winner alone."""
    read = [str(figure_of(plan, column).title) for column in plan.report]
    told = [_("Read of the winner, once: {columns}.").format(columns=_("; ").join(read))] if read else []
    return (*(_bound(plan, limit) for limit in plan.limits), *told)


def _bound(plan: Plan, limit: Limit) -> str:
    figure = figure_of(plan, limit.metric)
    template = _("{metric} at least {bound}") if (limit.goal or figure.goal) == "max" else _("{metric} at most {bound}")
    # A size is written out, as a rounded limit would be a different one.
    free = limit.metric in METRICS and METRICS[limit.metric].costs_nothing
    written = number_format(limit.bound, 0, force_grouping=True) if free else write(figure, limit.bound)
    return template.format(metric=figure.title, bound=written)


def _budget(draft: Draft) -> Part:
    plan = draft.plan
    headline, limit = _search(plan), _("A candidate may take {time}.")
    if plan.is_gradient:
        limit = _("An epoch may take {time}.")
    queue = _("Queue: {queue}. Seed: {seed}.").format(queue=draft.queue, seed=plan.seed)
    policy = _changed(plan)
    if plan.is_rehearsal:
        return Part("budget", headline, (queue,), (*_settings(Rehearsal, codec.dump(plan.rehearsal)), *policy))
    seeds = ngettext(
        "In the end the winner and the baseline train {epochs} epochs with {count} seed.",
        "In the end the winner and the baseline train {epochs} epochs with {count} seeds.",
        plan.final_seeds,
    ).format(epochs=plan.final_epochs, count=plan.final_seeds)
    looked = _("The proxies look at {count} training images.").format(count=plan.scoring.batch_size)
    scored = (looked,) if plan.is_scored else ()
    training = _settings(Training, codec.dump(plan.training), plan.task)
    if plan.is_shared:
        scored = (_shared(plan),)
    return Part(
        "budget",
        headline,
        (*scored, seeds, *_contest(plan), limit.format(time=duration(plan.candidate_seconds)), queue),
        (*_less(plan), *training, *_settings(Measuring, codec.dump(plan.measuring)), *policy),
    )


def _less(plan: Plan) -> tuple[tuple[str, str], ...]:
    """What candidates train with where it is less than everything."""
    return _settings(Fidelity, codec.dump(plan.fidelity), plan.task) if plan.fidelity != Fidelity() else ()


def _shared(plan: Plan) -> str:
    """Say what trains the weights that all networks share."""
    asked = plan.supernet
    before = ngettext(
        "Random networks train the shared weights for {count} epoch.",
        "Random networks train the shared weights for {count} epochs.",
        asked.epochs,
    ).format(count=asked.epochs)
    if asked.sampling == "uniform":
        return before
    after = ngettext(
        "Then every proposed network trains them for {count} batch before it is measured.",
        "Then every proposed network trains them for {count} batches before it is measured.",
        asked.steps,
    )
    return f"{before} {after.format(count=asked.steps)}"


def _search(plan: Plan) -> str:
    """Say how much is searched: so many candidates, or so many epochs of one supernet."""
    if plan.is_gradient:
        words = ngettext("{count} epoch of the supernet", "{count} epochs of the supernet", plan.budget)
        return words.format(count=f"{plan.budget:,}")
    candidates = ngettext("{count} candidate", "{count} candidates", plan.budget).format(count=f"{plan.budget:,}")
    if not plan.trains_each:
        return candidates
    each = ngettext("{count} epoch each", "{count} epochs each", plan.epochs).format(count=plan.epochs)
    return _("{candidates}, {each}").format(candidates=candidates, each=each)


def _contest(plan: Plan) -> tuple[str, ...]:
    """What is unusual about who is compared at the end."""
    said = []
    if plan.final_top > 1:
        text = _("The best {count} of the search are trained fully; validation says which of them has won.")
        said.append(text.format(count=plan.final_top))
    if plan.baseline.network != HAND_MADE:
        said.append(_("Baseline: {network}").format(network=_(TITLES[plan.baseline.network])) + _("."))
    if plan.baseline.budget == "time":
        said.append(_("The baseline trains as long as the winner."))
    return tuple(said)


def _changed(plan: Plan) -> tuple[tuple[str, str], ...]:
    """The settings of the policy that were asked for: all that spares evaluations is off by itself."""
    usual, asked = codec.dump(Policy()), codec.dump(plan.policy)
    names = [name for name in asked if asked[name] != usual[name] and name != "warm_start"]
    return tuple((label(name), _shown(asked[name])) for name in names)


def _settings(kind: type, values: Mapping[str, Any], task: Task | None = None) -> tuple[tuple[str, str], ...]:
    asked = [item for item in settings_of(kind) if task is None or serves(item, task)]
    return tuple((label(item.name), _shown(values.get(item.name, item.default))) for item in asked)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)):
        return _(", ").join(_shown(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else option(value)

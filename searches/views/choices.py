"""Choice cards of the wizard: datasets, spaces and strategies with what one should know to choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nas import proxies
from nas.checks import check
from nas.datasets.catalogue import datasets
from nas.datasets.known import Dataset
from nas.datasets.places import folder
from nas.evaluation import catalogue as evaluators
from nas.gradient import ABOUT as GRADIENT_ABOUT
from nas.gradient import GRADIENT
from nas.measuring import FIRST
from nas.plan import Plan
from nas.sentences import Refused
from nas.spaces import catalogue as spaces
from nas.strategies import catalogue as strategies
from nas.tables import places
from nas.tables.table import Table
from searches.content import content
from searches.drafts import with_strategy
from searches.figures import Words
from searches.forms import columns
from searches.forms.data import TABLE
from searches.forms.steps import KNOWN
from searches.forms.wizard import StepForm
from searches.glimpses import glimpse
from searches.samples import Image
from searches.say import label, say

GROUPS: tuple[tuple[Words, tuple[str, ...]], ...] = (
    (_("Baselines"), ("random", "local_search", "annealing")),
    (_("Evolution"), ("genetic", "aging_evolution")),
    (_("With a model of what is good"), ("bayesian", "progressive")),
    (_("Reinforcement learning"), ("reinforce", "ppo")),
    (_("Cheap looks first, full trainings later"), ("hyperband", "asha")),
    (_("Several objectives"), ("nsga2",)),
    (_("By gradient, on shared weights"), tuple(GRADIENT)),
)
MEASURING: dict[str, Words] = {
    "train": _("Train each"),
    "supernet": _("Share weights"),
    "score": _("Score without training"),
}
ABOUT = strategies.ABOUT | GRADIENT_ABOUT


@dataclass(frozen=True)
class Card:
    """One choice: the value of its radio button, whether it is picked, the settings that belong to it.

    `problem` says why it would be refused now, where it would be.
    """

    value: str
    title: str
    about: str
    checked: bool
    fields: Sequence[forms.BoundField] = ()
    problem: str = ""


@dataclass(frozen=True)
class DatasetCard:
    """A dataset as people choose it, with images, or rows or sentences and what is to be told of each.

    `problem` says where its files were looked for, where they are missing.
    """

    known: Dataset
    title: str
    about: str
    images: tuple[Image, ...]
    lines: tuple[tuple[str, str], ...]
    problem: str
    checked: bool = False

    @property
    def counts(self) -> str:
        """How much it holds."""
        return content(self.known)


def dataset_card(known: Dataset, *, chosen: str = "", count: int = 8) -> DatasetCard:
    """Return what is shown of a dataset."""
    problem = ""
    try:
        folder(known, settings.NAS_DATA_DIRS)
    except Refused as refused:
        problem = say(refused.sentence)
    seen = glimpse(known, 0 if problem else count)
    about = gettext(known.about) if known.about else gettext("Added here.")
    return DatasetCard(known, gettext(known.title), about, seen.images, seen.lines, problem, known.name == chosen)


@dataclass(frozen=True)
class TableCard:
    """A table to rehearse on, as people choose it."""

    known: Table
    checked: bool = False

    @property
    def counts(self) -> str:
        """How many networks of how many decisions, measured in how many ways."""
        return gettext("{networks} networks, {decisions} decisions, {columns} columns of measurements").format(
            networks=number_format(len(self.known), force_grouping=True),
            decisions=len(self.known.decisions),
            columns=len(self.known.columns),
        )

    @property
    def holds(self) -> str:
        """What was measured, in a few words."""
        groups = columns.grouped(self.known)
        return gettext(", ").join(f"{title} ({len(names)})" for title, names in groups.items())


def table_cards(chosen: str) -> list[TableCard]:
    """Return the tables that are found; `chosen` is the value of the radio button that is checked."""
    return [TableCard(known, f"{TABLE}{known.name}" == chosen) for known in places.tables()]


def cards(form: StepForm) -> list[Any]:
    """Return the choices of a step, none where it has no cards."""
    if form.step.name == "dataset":
        chosen = str(form["dataset"].value())
        return [dataset_card(known, chosen=chosen) for known in datasets().values()]
    if form.step.name == "strategy":
        return [card for _title, group in strategy_groups(form) for card in group]
    if form.step.name != "space" or form.draft.plan.is_rehearsal:
        return []
    chosen = str(form["kind"].value())
    return [_card(form, name, spaces.ABOUT[name], chosen, _unsuited(form, name)) for name in spaces.SEARCHABLE]


def strategy_groups(form: StepForm) -> list[tuple[str, list[Card]]]:
    """Return the strategies by what they have in common; each says why it could not work on this search as it is."""
    chosen = str(form["strategy"].value())
    placed = {name for _title, names in GROUPS for name in names}
    others = tuple(name for name in strategies.STRATEGIES if name not in placed)
    found = []
    for title, names in (*GROUPS, (_("Others"), others)):
        there = [name for name in names if name in KNOWN]
        cards = [_card(form, name, ABOUT[name], chosen, _obstacle(form, name)) for name in there]
        found += [(str(title), cards)] if cards else []
    return found


def measuring_cards(form: StepForm) -> list[Card]:
    """Return the ways to measure a candidate; none for a rehearsal, which looks it up."""
    if "evaluator" not in form.fields:
        return []
    chosen = str(form["evaluator"].value())
    return [Card(name, str(MEASURING[name]), gettext(evaluators.ABOUT[name]), name == chosen) for name in FIRST]


def proxies_about(plan: Plan) -> list[tuple[str, str]]:
    """Return name and meaning of each zero-cost proxy, where they are what a search goes by."""
    if not plan.is_scored:
        return []
    return [(gettext(about.title), gettext(proxies.ABOUT[name])) for name, about in proxies.METRICS.items()]


def _card(form: StepForm, name: str, about: str, chosen: str, problem: str = "") -> Card:
    return Card(name, label(name), gettext(about), name == chosen, tuple(form.fields_of(f"{name}-")), problem)


def _unsuited(form: StepForm, name: str) -> str:
    """Say why a space cannot be chosen: it has no networks for the data."""
    task = form.draft.plan.task
    if spaces.serves(name, task):
        return ""
    told = {
        "image": gettext("It has no networks for images."),
        "text": gettext("It has no networks for sentences."),
        "tabular": gettext("It has no networks for tables."),
    }
    return told[task.kind]


def _obstacle(form: StepForm, name: str) -> str:
    """Say why a strategy with its usual settings would be refused; it can be chosen all the same, and set otherwise."""
    plan = form.draft.plan
    settings = plan.strategy_settings if plan.strategy == name else {}
    try:
        check(with_strategy(plan, name, settings), tells_energy=True)
    except Refused as refused:
        return say(refused.sentence)
    return ""

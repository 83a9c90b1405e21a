"""Choice cards of the wizard: datasets, spaces and strategies with what one should know to choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext

from nas import datasets
from nas.datasets import DATASETS, Dataset
from nas.sentences import Refused
from nas.spaces import catalogue as spaces
from nas.strategies import catalogue as strategies
from searches.forms.wizard import StepForm
from searches.samples import Image, samples
from searches.say import label, say


@dataclass(frozen=True)
class Card:
    """One choice: the value of its radio button, whether it is picked, and the settings that belong to it."""

    value: str
    title: str
    about: str
    checked: bool
    fields: Sequence[forms.BoundField] = ()


@dataclass(frozen=True)
class DatasetCard:
    """A dataset as people choose it; `problem` says where its files were looked for, where they are missing."""

    known: Dataset
    title: str
    about: str
    images: tuple[Image, ...]
    problem: str
    checked: bool = False

    @property
    def counts(self) -> str:
        """How many images of which shape and classes."""
        channels, height, width = self.known.task.input_shape
        return gettext(
            "{train} images to train and validate, {test} to test, {classes} classes, {channels} × {height} × {width}"
        ).format(
            train=number_format(self.known.train, force_grouping=True),
            test=number_format(self.known.test, force_grouping=True),
            classes=self.known.task.classes,
            channels=channels,
            height=height,
            width=width,
        )


def dataset_card(known: Dataset, *, chosen: str = "", count: int = 8) -> DatasetCard:
    """Return what is shown of a dataset."""
    problem = ""
    try:
        datasets.folder(known, settings.NAS_DATA_DIRS)
    except Refused as refused:
        problem = say(refused.sentence)
    images = () if problem else samples(known.name, count)
    return DatasetCard(known, gettext(known.title), gettext(known.about), images, problem, known.name == chosen)


def cards(form: StepForm) -> list[Any]:
    """Return the choices of a step, none where it has no cards."""
    if form.step.name == "dataset":
        chosen = str(form["dataset"].value())
        return [dataset_card(known, chosen=chosen) for known in DATASETS.values()]
    about = {"space": (spaces.SEARCHABLE, spaces.ABOUT), "strategy": (strategies.STRATEGIES, strategies.ABOUT)}
    names, words = about.get(form.step.name, ((), {}))
    chosen = str(form[form.step.kind].value()) if form.step.kind else ""
    return [
        Card(name, label(name), gettext(words[name]), name == chosen, tuple(form.fields_of(f"{name}-")))
        for name in names
    ]

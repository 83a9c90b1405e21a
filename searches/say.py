"""The engine's sentences and names in the reader's language."""

from django.utils.formats import number_format
from django.utils.translation import gettext

from nas.sentences import Sentence, Value


def say(sentence: Sentence) -> str:
    """Return the sentence translated, with its values in it."""
    values = {place: _value(value) for place, value in sentence.values.items()}
    try:
        return gettext(sentence.template).format(**values)
    except (KeyError, IndexError, ValueError):
        # A translation with a wrong place in it must not cost the reader the sentence.
        return str(sentence)


# Names that the field writes in its own way; they are the same in every language.
NAMES = {
    "mlp": "MLP",
    "resnet": "ResNet",
    "nasnet": "NASNet",
    "mnasnet": "MnasNet",
    "nasbench201": "NAS-Bench-201",
    "nsga2": "NSGA-II",
    "reinforce": "REINFORCE",
    "ppo": "PPO",
    "asha": "ASHA",
    "sgd": "SGD",
    "adamw": "AdamW",
    "darts": "DARTS",
    "snas": "SNAS",
    "gdas": "GDAS",
    "pc_darts": "PC-DARTS",
}


def label(name: str) -> str:
    """Return the title of a setting, a metric or an origin, made from its name in the code."""
    if name in NAMES:
        return NAMES[name]
    return gettext(name.replace("_", " ").capitalize())


def option(value: object) -> str:
    """Return what an option of a setting is called."""
    if str(value) in NAMES:
        return NAMES[str(value)]
    text = str(value).replace("_", " ")
    return gettext(text) if text else text


def _value(value: Value) -> str:
    if isinstance(value, Sentence):
        return say(value)
    if isinstance(value, str):
        # gettext("") would return the header of the catalogue.
        return gettext(value) if value else value
    return number_format(value, force_grouping=abs(value) >= 10_000)

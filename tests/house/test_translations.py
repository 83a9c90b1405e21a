"""Every text that a person may read is there in Chinese."""

import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from django.utils import translation

from nas.sentences import Sentence
from searches.leases import GIVEN_UP, WORKER_SILENT
from searches.say import say

LOCALE = Path(__file__).resolve().parents[2] / "locale"
PLACES = re.compile(r"%\(\w+\)[\d.]*[sdfg]|\{\w*\}")
MARKUP = re.compile(r"<[^>]+>")
AGAIN = "run `make messages`, then translate what is new in locale/zh_Hans/LC_MESSAGES/django.po"


@pytest.fixture(scope="module")
def extract() -> ModuleType:
    """The script itself: locale/ is data for Django and no package."""
    spec = importlib.util.spec_from_file_location("extract", LOCALE / "extract.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def catalog(extract: ModuleType) -> Catalog:
    return extract.kept()


def sides(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield (English, Chinese); of a text that counts, the plural, which Chinese uses for every number."""
    for message in translated(catalog):
        english = message.id[-1] if isinstance(message.id, tuple) else message.id
        chinese = message.string[0] if isinstance(message.string, tuple) else message.string
        yield english, chinese


def translated(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def test_the_catalogue_has_todays_texts_and_no_others(extract: ModuleType, catalog: Catalog) -> None:
    today = {(message.context, message.id) for message in translated(extract.collected())}
    known = {(message.context, message.id) for message in translated(catalog)}
    assert not today - known, f"not in the catalogue: {today - known}; {AGAIN}"
    assert not known - today, f"no longer in the sources: {known - today}; {AGAIN}"


def test_no_text_is_untranslated_or_fuzzy(catalog: Catalog) -> None:
    waiting = [message.id for message in translated(catalog) if message.fuzzy or not any(message.string)]
    assert not waiting, f"{waiting}; {AGAIN}"


def test_places_and_markup_are_the_same_in_both_languages(catalog: Catalog) -> None:
    for pattern in (PLACES, MARKUP):
        wrong = [
            (english, chinese)
            for english, chinese in sides(catalog)
            if Counter(pattern.findall(english)) != Counter(pattern.findall(chinese))
        ]
        assert not wrong, f"{wrong}; {AGAIN}"


def test_the_compiled_catalogue_is_todays(extract: ModuleType) -> None:
    assert extract.MO.read_bytes() == extract.compiled(), AGAIN


def test_a_reason_inside_a_sentence_is_translated_too() -> None:
    sentence = Sentence(GIVEN_UP, {"losses": 3, "reason": Sentence(WORKER_SILENT, {"worker": "w1"})})
    with translation.override("zh-hans"):
        assert say(sentence) == "已丢失 3 次；最近一次：工作进程 w1 失去响应。"

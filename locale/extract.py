"""Collects every text that a person may read into the Chinese catalogue, and compiles it. Run by `make messages`.

Sources: templates, gettext calls, the templates of `Refused`, `Sentence` and `EvaluationFailed`, and the texts of the
engine's catalogues (titles and help), which know nothing of languages. Needs Babel, and no GNU gettext.
"""

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
CALLS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "Refused": None,
    "Sentence": None,
    "EvaluationFailed": (2,),
}
HEADER = "# Simplified Chinese texts of NASWeb."
# A sentence that is kept under a name before it is said.
NAMED = re.compile(r'^[A-Z_]+ = "([A-Z][^"]* [^"]*[.}])"$', re.MULTILINE)

# Neither dates nor versions of tools: the same texts must give the same file.
DATED = re.compile(
    rb'"(POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Language-Team|Report-Msgid-Bugs-To)[^\n]*\n'
)

Message = tuple[str | tuple[str, ...], str | None, str]


def messages() -> Iterator[Message]:
    """Yield (text or singular and plural, context, where it stands)."""
    for folder in ("nas", "searches", "workers", "nasweb"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from _python(path.read_text(), path)
                yield from _named(path)
    for path in sorted((ROOT / "templates").rglob("*.html")):
        yield from _python(templatize(path.read_text(), origin=str(path)), path)
    yield from _catalogues()


def _python(source: str, path: Path) -> Iterator[Message]:
    found = extract_python(io.BytesIO(source.encode()), list(CALLS), [], {"encoding": "utf-8"})
    where = str(path.relative_to(ROOT))
    for _, call, texts, _ in found:
        parts = texts if isinstance(texts, tuple) else (texts,)
        context = parts[0] if call.startswith(("pgettext", "npgettext")) else None
        parts = parts[1:] if context is not None else parts
        if call == "EvaluationFailed":
            parts = parts[1:]
        texts_here = tuple(part for part in parts[: 2 if call.startswith(("n",)) else 1] if part)
        if texts_here:
            yield (texts_here if len(texts_here) > 1 else texts_here[0]), context, where


def _named(path: Path) -> Iterator[Message]:
    for text in NAMED.findall(path.read_text()):
        yield text, None, str(path.relative_to(ROOT))


def _catalogues() -> Iterator[Message]:
    sys.path.insert(0, str(ROOT))
    from nas import proxies
    from nas.datasets.known import DATASETS
    from nas.datasets.places import NOWHERE
    from nas.datasets.report import STEPS
    from nas.evaluation import catalogue as evaluators
    from nas.evaluation.protocol import Fidelity, Measuring
    from nas.gradient import ABOUT as GRADIENT_ABOUT
    from nas.gradient import GRADIENT
    from nas.objectives import METRICS
    from nas.policy import Policy
    from nas.reference import TITLES
    from nas.settings import KINDS, settings_of
    from nas.significance import ALIKE, DIFFER, SURE, UNSURE
    from nas.spaces import catalogue as spaces
    from nas.strategies import catalogue as strategies

    for text in (NOWHERE, *STEPS, *KINDS.values(), *TITLES.values(), SURE, UNSURE, DIFFER, ALIKE):
        yield text, None, "nas"
    for known in DATASETS.values():
        for text in (known.title, known.about, *(name for name in known.classes if not name.isdigit())):
            yield text, None, "nas/datasets"
    for name, metric in (METRICS | proxies.METRICS).items():
        for text in (metric.title, name):
            yield text, None, "nas/objectives.py"
    about = (spaces.ABOUT, strategies.ABOUT, GRADIENT_ABOUT, evaluators.ABOUT, proxies.ABOUT)
    for text in (text for texts in about for text in texts.values()):
        yield text, None, "nas/*/catalogue.py"
    for name in (*spaces.SEARCHABLE, *strategies.STRATEGIES):
        for text in (name, name.replace("_", " ").capitalize()):
            yield text, None, "nas/*/catalogue.py"
    strategists = (*strategies.STRATEGIES.values(), *GRADIENT.values())
    described = (*spaces.SPACES.values(), *strategists, *evaluators.SETTINGS.values())
    for kind in (*described, Fidelity, Measuring, Policy):
        for item in settings_of(kind):
            yield item.help, None, "nas"
            yield item.name.replace("_", " ").capitalize(), None, "nas"
            for word in (item.unit, *(option for option in item.options if isinstance(option, str))):
                if word:
                    yield word.replace("_", " "), None, "nas"


def collected() -> Catalog:
    """Return the catalogue of today's texts, with the translations that are there already."""
    before = kept()
    fresh = Catalog(locale="zh_Hans", project="NASWeb", version="0.1", fuzzy=False, header_comment=HEADER)
    for text, context, where in messages():
        known = before.get(text[0] if isinstance(text, tuple) else text, context)
        translated = known.string if known is not None and not known.fuzzy else None
        if isinstance(translated, str) and isinstance(text, tuple):
            translated = (translated,)
        fresh.add(text, translated, locations=[(where, 0)], context=context)
    return fresh


def main() -> None:
    """Write the catalogue and its compiled form; say what still waits for a translation."""
    catalog = collected()
    stream = io.BytesIO()
    write_po(stream, catalog, width=110, sort_output=True, include_lineno=False)
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(DATED.sub(b"", stream.getvalue()))
    MO.write_bytes(compiled())
    waiting = [message.id for message in catalog if message.id and not any(message.string or ())]
    print(f"{len(catalog)} texts, {len(waiting)} without a translation.")


def kept() -> Catalog:
    """Return the catalogue as it lies on disk."""
    if not PO.exists():
        return Catalog(locale="zh_Hans")
    with PO.open("rb") as stream:
        catalog = read_po(stream, locale="zh_Hans", abort_invalid=True)
    catalog.creation_date = datetime(2026, 1, 1, tzinfo=UTC)  # which the compiled file says, and now would be news
    return catalog


def compiled() -> bytes:
    """Return what the .mo file must hold."""
    stream = io.BytesIO()
    write_mo(stream, kept())
    return stream.getvalue()


if __name__ == "__main__":
    main()

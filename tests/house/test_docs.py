"""Docs that must not fall behind: catalogue entries, environment variables, pictures, links between pages."""

import re
from pathlib import Path

import pytest

from nas.datasets.known import DATASETS
from nas.objectives import METRICS
from nas.spaces.catalogue import SPACES
from nas.strategies.catalogue import STRATEGIES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)


@pytest.mark.parametrize(
    ("document", "names"), [("spaces", SPACES), ("strategies", STRATEGIES), ("measuring", METRICS)]
)
def test_every_catalogue_entry_has_a_paragraph(document, names):
    text = (ROOT / "docs" / f"{document}.md").read_text()
    missing = [name for name in names if f"## `{name}`" not in text]
    assert not missing


def test_every_dataset_is_named_in_the_readme():
    text = (ROOT / "README.md").read_text()
    assert not [known.title for known in DATASETS.values() if known.title.lower() not in text.lower()]


def test_every_environment_variable_is_listed():
    """Datasette's rule: a setting that is not documented does not exist."""
    sources = "".join(path.read_text() for path in (ROOT / "nasweb").rglob("*.py"))
    named = set(re.findall(r"\"(NASWEB_[A-Z_]+|NAS_DATA_DIR|[A-Z]+_URL)\"", sources))
    text = (ROOT / "docs" / "scaling.md").read_text()
    internal = {"NASWEB_REDISPATCH_SECONDS", "NASWEB_SWEEP_SECONDS", "NASWEB_TIME_ZONE", "NASWEB_HOME"}
    assert not sorted(name for name in named - internal if name not in text)


@pytest.mark.parametrize("document", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target

"""Rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("nas", "searches", "workers", "nasweb")
LONGEST_FILE = 300
LONGEST_FUNCTION = 60
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "services", "managers", "misc"}
# Tasks find Celery's application in the first, and Django its models in the second.
FULL_INITS = {"nasweb/__init__.py", "searches/models/__init__.py"}


def product_files() -> list[Path]:
    """All files of the product, migrations apart: Django writes those."""
    files = [file for package in PACKAGES for file in sorted((REPOSITORY / package).rglob("*.py"))]
    return [file for file in files if "migrations" not in file.parts]


def name(file: Path) -> str:
    return str(file.relative_to(REPOSITORY))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_longer_than_one_reason_to_change() -> None:
    long = {
        name(file): count for file in product_files() if (count := len(file.read_text().splitlines())) > LONGEST_FILE
    }
    assert not long


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{name(file)}:{node.name}": length
        for file in product_files()
        for node in functions(file)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert not long


def test_init_files_are_empty_but_for_imports() -> None:
    for file in product_files():
        if file.name != "__init__.py":
            continue
        body = ast.parse(file.read_text()).body
        if name(file) not in FULL_INITS:
            assert not body, f"{name(file)} should be empty"
        for node in body:
            assert isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.Expr), name(file)


def test_modules_are_named_by_what_they_are_for() -> None:
    assert not [name(file) for file in product_files() if FORBIDDEN_NAMES & {file.stem, file.parent.name}]


def test_every_file_says_what_it_is() -> None:
    silent = [
        name(file)
        for file in product_files()
        if file.read_text().strip()
        and file.name != "__init__.py"
        and not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert not silent


@pytest.mark.parametrize("word", ["pickle.load", "torch.load(", "allow_pickle=True", 'print("DEBUG'])
def test_nothing_unpickles_and_nothing_debugs(word: str) -> None:
    assert not [name(file) for file in product_files() if word in file.read_text()]


def test_nothing_comes_from_another_host() -> None:
    pages = [file for place in ("templates", "static") for file in (REPOSITORY / place).rglob("*") if file.is_file()]
    allowed = ("http://www.w3.org/",)
    for file in pages:
        if file.suffix not in {".html", ".css", ".js", ".svg"}:
            continue
        text = file.read_text()
        for known in allowed:
            text = text.replace(known, "")
        assert "http://" not in text, name(file)
        assert "https://" not in text, name(file)

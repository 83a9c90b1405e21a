"""A model card's Markdown as one HTML page: headings, paragraphs, lists, tables and code, and nothing else."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from types import MappingProxyType

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }}
h1, h2, h3 {{ line-height: 1.2; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ border-bottom: 1px solid #8886; padding: .25rem .75rem; text-align: left; }}
td + td, th + th {{ text-align: right; font-variant-numeric: tabular-nums; }}
code {{ font-size: .9em; overflow-wrap: anywhere; }}
.roc {{ max-width: 100%; height: auto; font-size: 11px; }}
.roc line {{ stroke: #8886; }}
.roc text {{ fill: currentColor; }}
polyline {{ fill: none; stroke: currentColor; stroke-width: 2; }}
.key {{ vertical-align: middle; margin-left: 1rem; }}
{colours}
</style>
{body}
</html>
"""


# Light and dark, of the lines of a picture by their number; the first three are also told apart without colour.
COLOURS = (
    ("#3450d1", "#9db1ff"),
    ("#8f5000", "#f2b45c"),
    ("#00805c", "#2fcf9f"),
    ("#a9487f", "#f09bc9"),
    ("#0072b2", "#56b4e9"),
    ("#6b4a2b", "#d0a77c"),
    ("#5b3fa8", "#b6a2ff"),
    ("#767e8a", "#8d96a3"),
)
DASHES = {1: "6 4", 2: "2 3"}


def html(text: str, pictures: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the page of a Markdown text; whatever else is in it is shown as it stands.

    `pictures` are HTML that the page has beyond the text, by the heading under which each stands.
    """
    first = text.lstrip().split("\n", 1)[0].lstrip("# ")
    body = "\n".join(_blocks(text, pictures))
    return PAGE.format(title=escape(first), body=body, colours="\n".join(_colours()))


def _colours() -> Iterator[str]:
    for at, (light, dark) in enumerate(COLOURS):
        dashes = f" stroke-dasharray: {DASHES[at]};" if at in DASHES else ""
        yield f".curve-{at} {{ color: light-dark({light}, {dark});{dashes} }}"


def _blocks(text: str, pictures: Mapping[str, str]) -> Iterator[str]:
    for kind, lines in groupby(text.split("\n"), _kind):
        block = list(lines)
        match kind:
            case "heading":
                for line in block:
                    level = len(line) - len(line.lstrip("#"))
                    words = line[level:].strip()
                    yield f"<h{level}>{_inline(words)}</h{level}>{pictures.get(words, '')}"
            case "list":
                items = re.split(r"\n(?=- )", "\n".join(block))
                yield "<ul>" + "".join(f"<li>{_inline(item[2:])}</li>" for item in items) + "</ul>"
            case "table":
                yield _table(block)
            case "text":
                yield f"<p>{_inline(' '.join(block))}</p>"


def _kind(line: str) -> str:
    if re.match(r"#{1,6} ", line):
        return "heading"
    if line.startswith(("- ", "  ")):
        return "list"
    if line.startswith("|"):
        return "table"
    return "text" if line.strip() else ""


def _table(lines: list[str]) -> str:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head, body = rows[0], [row for row in rows[1:] if set("".join(row)) - set("-: ")]
    titles = "".join(f"<th>{_inline(cell)}</th>" for cell in head)
    cells = ("".join(f"<td>{_inline(cell)}</td>" for cell in row) for row in body)
    return f"<table><tr>{titles}</tr>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def _inline(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text, quote=False))

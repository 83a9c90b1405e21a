"""A model card's Markdown as one HTML page: headings, paragraphs, lists, tables and code, and nothing else."""

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }}
h1, h2 {{ line-height: 1.2; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ border-bottom: 1px solid #8886; padding: .25rem .75rem; text-align: left; }}
td + td, th + th {{ text-align: right; font-variant-numeric: tabular-nums; }}
code {{ font-size: .9em; overflow-wrap: anywhere; }}
</style>
{body}
</html>
"""


def html(text: str) -> str:
    """Return the page of a Markdown text; whatever else is in it is shown as it stands."""
    first = text.lstrip().split("\n", 1)[0].lstrip("# ")
    return PAGE.format(title=escape(first), body="\n".join(_blocks(text)))


def _blocks(text: str) -> Iterator[str]:
    for kind, lines in groupby(text.split("\n"), _kind):
        block = list(lines)
        match kind:
            case "heading":
                for line in block:
                    level = len(line) - len(line.lstrip("#"))
                    yield f"<h{level}>{_inline(line[level:].strip())}</h{level}>"
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

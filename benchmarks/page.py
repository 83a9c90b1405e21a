"""Writes what a benchmark found between its two marks in docs/performance.md."""

import os
import platform
import re
from datetime import date
from pathlib import Path

import torch

from nas.evaluation.devices import device, device_name, has_bf16

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def machine() -> str:
    """Return the machine in words."""
    where = device()
    precise = "bfloat16" if has_bf16(where.type) else "float32 alone"
    return (
        f"{os.cpu_count()} cores, {device_name(where)}, {precise}, {platform.system()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


def write(mark: str, command: str, text: str) -> None:
    """Put date, machine, command and text between the marks of that name."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    page = PAGE.read_text(encoding="utf-8")
    block = f"{begin}\n{date.today()}, {machine()}; `{command}`.\n\n{text}\n{end}"
    written, count = re.subn(f"{begin}.*{end}", lambda _: block, page, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{PAGE} has no place for {mark}.")
    PAGE.write_text(written, encoding="utf-8")

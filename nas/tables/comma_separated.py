"""A table out of comma-separated values: a row per network, a column per decision, and a column per metric.

A metric's heading says its goal, "cifar10.valid_accuracy.12ep:max", and its unit where it has one,
"latency.pixel3:min:ms". Every other column is a decision, and what stands in it are its options.
"""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas import codec
from nas.sentences import Refused
from nas.tables.reading import FORMAT
from nas.tables.table import Column, stem

METRIC = re.compile(r"(?P<name>[\w.+-]{1,100}):(?P<goal>min|max)(:(?P<unit>[^:]{0,20}))?")
MOST_BYTES, MOST_ROWS = 20_000_000, 500_000
MOST_OPTIONS = 256
SEPARATORS = ",;\t"
USUAL_UNITS = {"accuracy": "%", "parameters": "count", "latency": "ms", "mega_flops": "MFLOP"}


def arrays_of(file: Path, title: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a table as `nas.tables.reading` wants them; raises Refused with line and value."""
    heading, rows = _rows(file)
    metrics = {at: found for at, name in enumerate(heading) if (found := METRIC.fullmatch(name))}
    decisions = [at for at in range(len(heading)) if at not in metrics]
    if not metrics:
        raise Refused(
            "{file} has no metric: write the goal behind a column's name, as in {example}.",
            file=file.name,
            example="accuracy:max",
        )
    if not decisions:
        raise Refused("{file} has no decision: every column is a metric.", file=file.name)
    if not rows:
        raise Refused("{file} has no row below its heading.", file=file.name)
    options = {at: _options(heading[at], [row[at] for row in rows]) for at in decisions}
    about = {
        "format": FORMAT,
        "name": title,
        "source": file.name,
        "decisions": [{"name": heading[at], "options": options[at]} for at in decisions],
        "metrics": {found["name"]: codec.dump(column_of(found)) for found in metrics.values()},
    }
    numbers = {found["name"]: _numbers(file, found["name"], at, rows) for at, found in metrics.items()}
    places = [{option: index for index, option in enumerate(options[at])} for at in decisions]
    choices = [[place[row[at]] for place, at in zip(places, decisions, strict=True)] for row in rows]
    packed = np.frombuffer(json.dumps(about).encode(), np.uint8)
    return {"about": packed, "choices": np.array(choices, np.uint8), **numbers}


def column_of(found: re.Match[str]) -> Column:
    """Return what a metric means as far as its name tells: "dataset.split_metric.epochs", "latency.device"."""
    name, unit = found["name"], found["unit"]
    parts = stem(name).split(".")
    epochs = name.rpartition(".")[2].removesuffix("ep") if stem(name) != name else "0"
    kind = next((part for part in parts if part.rpartition("_")[2] == "accuracy"), parts[0])
    split = kind.partition("_")[0] if kind.startswith(("valid_", "test_", "train_")) else ""
    device = parts[-1] if parts[0] == "latency" and len(parts) > 1 else ""
    usual = next((usual for word, usual in USUAL_UNITS.items() if any(word in part for part in parts)), "")
    return Column(
        goal="max" if found["goal"] == "max" else "min",
        unit=usual if unit is None else unit,
        dataset=parts[0] if len(parts) > 1 and not device else "",
        split=split,
        epochs=int(epochs),
        device=device,
    )


def _rows(file: Path) -> tuple[list[str], list[list[str]]]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Refused("{file} has more than {most} bytes; save it as .npz.", file=file.name, most=MOST_BYTES)
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            "{file} is not UTF-8 text: byte {place} is {value}.",
            file=file.name,
            place=error.start,
            value=f"0x{error.object[error.start]:02x}",
        ) from error
    except OSError as error:
        raise Refused("{file} cannot be read: {error}.", file=file.name, error=str(error.strerror)) from error
    if "\0" in text:
        raise Refused("{file} is no text: it has a zero byte.", file=file.name)
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    lines = csv.reader(text.splitlines(), delimiter=separator)
    try:
        heading = [name.strip() for name in next(lines, [])]
        _check_heading(file.name, heading)
        return heading, [_row(file.name, lines.line_num, heading, row) for row in lines if any(row)]
    except csv.Error as error:
        raise Refused(
            "Line {line} of {file} cannot be read: {error}.", line=lines.line_num, file=file.name, error=str(error)
        ) from error


def _check_heading(file: str, heading: Sequence[str]) -> None:
    if not any(heading):
        raise Refused("{file} has no heading in its first line.", file=file)
    names = [METRIC.sub(r"\g<name>", name) for name in heading]
    for name in names:
        if not name or len(name) > 100:
            raise Refused(
                "A column of {file} is called {name}; it needs 1 to 100 letters.", file=file, name=name or "-"
            )
        if names.count(name) > 1:
            raise Refused("{file} has two columns {name}.", file=file, name=name)


def _row(file: str, line: int, heading: Sequence[str], row: Sequence[str]) -> list[str]:
    if len(row) != len(heading):
        raise Refused(
            "Line {line} of {file} has {count} values; the heading has {wanted}.",
            line=line,
            file=file,
            count=len(row),
            wanted=len(heading),
        )
    if line > MOST_ROWS:
        raise Refused("{file} has more than {most} lines.", file=file, most=MOST_ROWS)
    return [value.strip() for value in row]


def _options(name: str, values: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(values))
    if len(found) > MOST_OPTIONS:
        raise Refused(
            "The decision {name} has {count} options; it may have {most}. If it is a metric, call it {example}.",
            name=name,
            count=len(found),
            most=MOST_OPTIONS,
            example=f"{name}:max",
        )
    try:
        return sorted(found, key=float)
    except ValueError:
        return found


def _numbers(file: Path, name: str, at: int, rows: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    values = np.empty(len(rows))
    for index, row in enumerate(rows):
        try:
            values[index] = float(row[at])
        except ValueError as error:
            raise Refused(
                "The metric {name} of {file} is {value} in row {row}; it must be a number.",
                name=name,
                file=file.name,
                value=row[at][:40] or "-",
                row=index + 1,
            ) from error
    return values

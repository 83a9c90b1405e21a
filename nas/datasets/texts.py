"""A list of sentences with labels as a dataset: words become ids of a vocabulary of the training part."""

import json
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nas.datasets import splits
from nas.datasets.added import Added
from nas.datasets.lines import rows
from nas.datasets.report import ENCODING, LISTED, READING, Problem, Progress, Report
from nas.datasets.words import ids, words
from nas.sentences import Refused, Sentence
from nas.spaces.graph import Task

MOST_ROWS = 2_000_000
MOST_WORDS = 20_000
MOST_LENGTH = 128
COVERED = 0.98  # of the training texts are no longer than the length
FEW_ROWS = 1000  # texts below which a word that is there once is kept
TEXTS, LABELS = ("text", "sentence", "review"), ("label", "class", "category", "target")
SPLIT = "split"
EVERY = 5000


@dataclass
class _Texts:
    """Texts and labels of both parts, in the order of the file."""

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)

    def leave_out(self, where: str, sentence: Sentence) -> None:
        self.skipped += 1
        if len(self.problems) < LISTED:
            self.problems.append(Problem(where, sentence))


def read(
    source: Path, name: str, title: str, target: str, test: Path | None, folder: Path
) -> Iterator[Progress | Added]:
    """Write the ids of texts into a folder and yield progress, then what the dataset is; raises Refused."""
    found = _Texts()
    yield from _take(source, target, found, "train" if test else "")
    if test is not None:
        yield from _take(test, target, found, "test")
    splits.check_count(len(found.texts), title)
    tested, warnings = _tested(found)
    parts = {"train": [i for i in range(len(found.texts)) if i not in tested], "test": sorted(tested)}
    seen = {" ".join(words(found.texts[i])) for i in tested}
    kept = [i for i in parts["train"] if " ".join(words(found.texts[i])) not in seen]
    duplicates, parts["train"] = len(parts["train"]) - len(kept), kept
    told = {part: [found.labels[i] for i in some] for part, some in parts.items()}
    classes = splits.check_labels(told["train"], told["test"], title)
    vocabulary, length = _vocabulary([found.texts[i] for i in parts["train"]])
    yield Progress(0, 0, ENCODING)
    _write(folder, found, parts, vocabulary, length, classes)
    counts = {part: {label: Counter(some)[label] for label in classes} for part, some in told.items()}
    report = Report(counts, classes, tuple(found.problems), found.skipped, duplicates, 0, "", tuple(warnings))
    task = Task((length,), len(classes), len(vocabulary))
    yield Added(name, title, "text", task, len(parts["train"]), len(parts["test"]), report, target)


def _take(source: Path, target: str, found: _Texts, part: str) -> Iterator[Progress]:
    """Read text, label and, where a column says so, part of each row."""
    read = rows(source, "\t", quoted=False)
    first = next(read, (0, []))
    header = _header(first[1], target, source)
    places = header or (0, 1, -1)
    for number, cells in read if header else _with(first, read):
        if len(cells) <= max(places):
            raise Refused(
                "Line {line} of {file} has {count} cells; a text, a tab and a label are needed.",
                line=number,
                file=source.name,
                count=len(cells),
            )
        text, label = cells[places[0]].strip(), cells[places[1]].strip()
        if not words(text):
            found.leave_out(f"{source.name}:{number}", Sentence("It has no text."))
        elif not label:
            found.leave_out(f"{source.name}:{number}", Sentence("It has no label."))
        else:
            found.texts.append(text)
            found.labels.append(label)
            found.parts.append(part or (cells[places[2]].strip().lower() if places[2] >= 0 else ""))
        if len(found.texts) > MOST_ROWS:
            raise Refused("{file} has more than {most} texts.", file=source.name, most=MOST_ROWS)
        if number % EVERY == 0:
            yield Progress(number, 0, READING)


def _with(first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]) -> Generator[tuple[int, list[str]]]:
    yield first
    yield from rest


def _header(cells: Sequence[str], target: str, source: Path) -> tuple[int, int, int] | None:
    """Return where text, label and part stand, the part -1 where nothing says it; None where there is no header."""
    names = [cell.strip().lower() for cell in cells]
    text = next((at for at, name in enumerate(names) if name in TEXTS), None)
    if text is None:
        if target:
            raise Refused("{file} has no header, so there is no column {name}.", file=source.name, name=target)
        return None
    wanted = [target.lower()] if target else [*LABELS]
    label = next((at for at, name in enumerate(names) if name in wanted), None)
    if label is None:
        rest = [at for at, name in enumerate(names) if at != text and name != SPLIT]
        if target or len(rest) != 1:
            raise Refused(
                "Which column of {file} is the label? There are {names}.", file=source.name, names=", ".join(cells)
            )
        (label,) = rest
    return text, label, names.index(SPLIT) if SPLIT in names else -1


def _tested(found: _Texts) -> tuple[set[int], list[Sentence]]:
    """Return which texts are the test part, and what is to be said of it."""
    named = {*found.parts}
    if not (named <= splits.PARTS and named & (splits.TESTING | splits.VALIDATION)):
        return splits.held_out(found.labels), []
    tested = bool(named & splits.TESTING)
    held = {index for index, part in enumerate(found.parts) if splits.part_of(part, tested=tested) == "test"}
    if tested and named & splits.VALIDATION:
        said = Sentence("The validation rows were added to the training part: every search cuts off its own.")
        return held, [said]
    return held, []


def _vocabulary(texts: Sequence[str]) -> tuple[dict[str, int], int]:
    """Return the commonest words by id, after those for nothing and for unknown, and the length texts are cut to."""
    counts: Counter[str] = Counter()
    lengths = []
    for text in texts:
        found = words(text)
        counts.update(found)
        lengths.append(len(found))
    fewest = 1 if len(texts) < FEW_ROWS else 2
    common = sorted((word for word, count in counts.items() if count >= fewest), key=lambda w: (-counts[w], w))
    length = sorted(lengths)[min(len(lengths) - 1, int(COVERED * len(lengths)))]
    known = ["", "?unknown", *common[: MOST_WORDS - 2]]
    return {word: id for id, word in enumerate(known)}, min(MOST_LENGTH, max(2, length))


def _write(
    folder: Path,
    found: _Texts,
    parts: dict[str, list[int]],
    vocabulary: dict[str, int],
    length: int,
    classes: tuple[str, ...],
) -> None:
    import numpy as np

    for part, some in parts.items():
        encoded = [ids(found.texts[index], vocabulary, length) for index in some]
        np.save(folder / f"{part}_inputs.npy", np.array(encoded, np.int32))
        labels = [classes.index(found.labels[index]) for index in some]
        np.save(folder / f"{part}_labels.npy", np.array(labels, np.int64))
    (folder / "vocabulary.json").write_text(json.dumps([*vocabulary], ensure_ascii=False), encoding="utf-8")

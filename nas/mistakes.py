"""The part of a model card that shows which classes each contestant of the final stage takes for which."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from nas.confusion import Confusion, classes_of, summed
from nas.final import Final
from nas.roc import LINES, key, picture

MOST_CLASSES, MOST_MISTAKES = 20, 10  # a wider matrix is no table that anybody could read
RATES = (1, 2, 5, 10, 20)  # false positives, in percent
ABOUT = {
    "matrix": "Each row is a true class of the test split, each column what it was taken for, over all trainings.",
    "list": "The most frequent mistakes on the test split, summed over the trainings.",
}
ROC = "ROC curves"
PAGE = """
## Confusion
{about}

{matrices}

## {roc}
True positive rate of all classes pooled, each against the rest, where so many false positives are borne; first seed.

{curves}
"""


def mistakes(final: Final) -> str:
    """Return the part as Markdown: a matrix of each, or of many classes the most frequent mistakes; "" of numbers."""
    known = [(number, title, found) for number, title in titles(final) if (found := final.evidence(number))]
    if not known:
        return ""
    names = tuple(_cell(name) for name in classes_of(final.plan, len(known[0][2][0].confusion)))
    write, about = (_matrix, ABOUT["matrix"]) if len(names) <= MOST_CLASSES else (_list, ABOUT["list"])
    parts = []
    for _number, title, found in known:
        trainings = "1 training" if len(found) == 1 else f"{len(found)} trainings"
        parts.append(f"### {title}, {trainings}\n" + _table(write(summed(found), names)))
    curves = [
        (title, *(_percent(100 * _reached(found[0].roc, rate / 100)) for rate in RATES)) for _at, title, found in known
    ]
    head = ("", *(f"{rate} %" for rate in RATES))
    return PAGE.format(roc=ROC, about=about, matrices="\n\n".join(parts), curves=_table([head, *curves]))


def pictures(final: Final) -> dict[str, str]:
    """Return what the page of a card shows beyond its text, by heading: the ROC curves; nothing of numbers."""
    known = [(title, found[0].roc) for number, title in titles(final) if (found := final.evidence(number))]
    if not known:
        return {}
    lines = [(at % LINES, title, points) for at, (title, points) in enumerate(known)]
    drawn = picture(
        [(line, points) for line, _title, points in lines],
        label=f"ROC curves of {', '.join(title for title, _points in known)}",
        across="false positive rate (%)",
        up="true positive rate (%)",
    )
    keys = "".join(key(line, title) for line, title, _points in lines)
    return {ROC: f"<figure>{drawn}<figcaption>{keys}</figcaption></figure>"}


def titles(final: Final) -> list[tuple[int, str]]:
    """Return the contestants' numbers, and what they are called in a card: the winner, the baseline, the others."""
    others = [number for number in final.finalists if number != final.winner]
    named = [(number, f"Candidate {number}") for number in others]
    return [(final.winner, f"Candidate {final.winner} (winner)"), (0, "Baseline"), *named]


def _matrix(matrix: Confusion, names: Sequence[str]) -> Iterator[Sequence[str]]:
    yield ("", *names, "Recall", "Precision")
    for at, (name, row) in enumerate(zip(names, matrix.counts, strict=True)):
        yield (name, *map(str, row), _percent(matrix.recall(at)), _percent(matrix.precision(at)))


def _list(matrix: Confusion, names: Sequence[str]) -> Iterator[Sequence[str]]:
    yield ("True class", "Taken for", "Times", "Recall of the class")
    for count, true, taken in matrix.mistakes[:MOST_MISTAKES]:
        yield (names[true], names[taken], str(count), _percent(matrix.recall(true)))


def _reached(curve: Sequence[tuple[float, float]], false: float) -> float:
    """Return the true positive rate of a curve, a straight line between its points, at a false positive rate."""
    at = bisect_left(curve, (false, 2.0))
    if at == len(curve):
        return curve[-1][1]
    (x, y), (right, up) = curve[at - 1], curve[at]
    return y + (up - y) * (false - x) / (right - x)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _table(rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(name: str) -> str:
    """Return a class's name without what would end its cell."""
    return " ".join(name.replace("|", "¦").split())

"""The ladder of fidelities: how much training the rungs of a multi-fidelity strategy give."""

from bisect import bisect_right
from collections.abc import Sequence

from nas.sentences import Refused
from nas.strategies.protocol import Terms


def ladder(fidelities: Sequence[int], reduction: int, most: int) -> tuple[int, ...]:
    """Return at most `most` of the offered fidelities, rising to the last, each at most 1/`reduction` of the next.

    A range is training, where every number of epochs or percent can be had; else a table has these alone, and where
    they are no more than `most` each is a rung, however close. Of a table that has several there are two rungs at
    least.
    """
    is_table = not isinstance(fidelities, range)
    if is_table and len(fidelities) <= most:
        return tuple(fidelities)
    rungs = [fidelities[-1]]
    while len(rungs) < most:
        fitting = bisect_right(fidelities, rungs[-1] / reduction)
        if not fitting or fidelities[fitting - 1] < 1:
            break
        rungs.append(fidelities[fitting - 1])
    if is_table and len(rungs) < 2:
        rungs.append(fidelities[0])
    return tuple(reversed(rungs))


def rung_name(of: str, fidelity: int) -> str:
    """Return what a trace calls a rung; `of` says what its fidelity counts."""
    return f"rung {fidelity} epochs" if of == "epochs" else f"rung {fidelity} % {of}"


def refuse_one_rung(strategy: str, terms: Terms, reduction: int) -> None:
    """Raise Refused where the offered fidelities make a ladder of one rung."""
    fidelities = terms.fidelities
    if not isinstance(fidelities, range) and len(fidelities) < 2:
        raise Refused("{strategy} needs trainings of several lengths, and there is one length here.", strategy=strategy)
    if len(ladder(fidelities, reduction, 2)) > 1:
        return
    if terms.rungs == "epochs":
        raise Refused(
            "{strategy} starts candidates with 1/{reduction} of the training or less, but at most {epochs} epochs are "
            "offered and nothing that short; give candidates more epochs, or take a table that has several.",
            strategy=strategy,
            reduction=reduction,
            epochs=fidelities[-1],
        )
    raise Refused(
        "{strategy} starts candidates with 1/{reduction} of {most} % or less, but {rungs} is {least} % at least; lower "
        "the reduction, or choose rungs of something else.",
        strategy=strategy,
        reduction=reduction,
        most=fidelities[-1] if fidelities else 0,
        rungs=terms.rungs,
        least=fidelities[0] if fidelities else 0,
    )

"""The process beside a worker that runs lanes of races and counts them together; it needs no torch.

Reads a JSON line per order from standard input and writes one answer to what was standard output when it started;
everything else that prints goes to standard error. It is stopped by being killed.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from nas import codec
from nas.plan import Plan
from nas.race.contest import Race
from nas.race.results import Kept, kept, results, whole
from nas.race.running import lane
from nas.race.standings import Standing
from nas.sentences import Refused, Sentence

log = logging.getLogger(__name__)
WENT_WRONG = "It ended with an error: {error}."
Answer = dict[str, Any]


def answer(order: Mapping[str, Any]) -> Answer:
    """Return what an order came to: {"type": "Done", "result": ...}, or {"type": "Failed", "sentence": ...}."""
    try:
        return {"type": "Done", "result": _result(order)}
    except Refused as refused:
        sentence = refused.sentence
    except Exception as error:
        log.exception("%s", ", ".join(order))
        sentence = Sentence(WENT_WRONG, {"error": f"{type(error).__name__}: {error}"})
    return {"type": "Failed", "sentence": codec.dump(sentence)}


def _result(order: Mapping[str, Any]) -> Any:
    if "lane" in order:
        return codec.dump(kept(lane(codec.load(Plan, order["lane"]))))
    race = codec.load(Race, order["race"])
    lanes = codec.load(tuple[Kept, ...], order["lanes"])
    if "report" in order:
        return _write(Path(order["report"]), race, lanes, codec.load(tuple[Standing, ...], order["standings"]))
    import_module("scipy.stats")  # takes a second once, which says nothing of how long counting takes
    began = time.monotonic()
    found = results(lanes, race.entrants, race.plan.objectives[0], race.plan.budget)
    return {"results": codec.dump(found), "seconds": time.monotonic() - began}


def _write(path: Path, race: Race, lanes: tuple[Kept, ...], found: tuple[Standing, ...]) -> None:
    # Only here: Plotly takes a second and as much memory as everything else together.
    from nas.race.page import page

    path.write_text(page(race, [whole(one) for one in lanes], found), encoding="utf-8")


def main(orders: TextIO, out: TextIO) -> None:
    """Answer one order after another, until there are no more."""
    for line in orders:
        print(json.dumps(answer(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    main(sys.stdin, said)

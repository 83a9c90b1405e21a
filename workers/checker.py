"""The process beside a worker that checks one file and makes a dataset of it; it needs no torch.

Reads one order, a JSON line, from standard input and writes what `nas.datasets.adding` tells, a JSON line each, to what
was standard output when it started. It is stopped by being killed; whatever it wrote lies in the folder it was given.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from nas import codec
from nas.datasets.adding import add
from nas.datasets.report import Progress
from nas.sentences import Refused, Sentence
from searches.incoming import FULL, cut

log = logging.getLogger(__name__)
WENT_WRONG = "It ended with an error: {error}."
DISK_FULL = "The disk became full while it was checked. Nothing of it was kept."


def answers(order: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield records of type "Progress" many times, then one "Report", or one "Refused" with its sentence."""
    try:
        source, options = Path(order["source"]), {**order["options"]}
        if order["test"]:
            options["test"] = Path(order["test"])
            cut(source, order["length"], options["test"])
        for told in add(source, home=Path(order["home"]), **options):
            yield {"type": "Progress" if isinstance(told, Progress) else "Report", **codec.dump(told)}
        return
    except Refused as refused:
        sentence = refused.sentence
    except OSError as error:
        full = error.errno in FULL
        sentence = Sentence(DISK_FULL) if full else Sentence(WENT_WRONG, {"error": error.strerror or str(error)})
    except MemoryError:
        sentence = Sentence("There is not enough memory to check it.")
    except Exception as error:
        log.exception("%s", order["source"])
        sentence = Sentence(WENT_WRONG, {"error": f"{type(error).__name__}: {error}"})
    yield {"type": "Refused", "sentence": codec.dump(sentence)}


def main(orders: TextIO, out: TextIO) -> None:
    """Follow one order."""
    for told in answers(json.loads(orders.readline())):
        print(json.dumps(told), file=out, flush=True)


if __name__ == "__main__":
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    main(sys.stdin, said)

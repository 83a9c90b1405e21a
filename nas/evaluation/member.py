"""The process of a further member of a team: reads its order from standard input, trains along, says nothing."""

import json
import sys
from typing import TextIO

from nas import codec
from nas.evaluation.protocol import Job
from nas.evaluation.team import join
from nas.evaluation.trained import Trained
from nas.events import Ended


def main(orders: TextIO) -> int:
    """Return 1 where the training ended without a result; whoever leads the team then hears of it."""
    order = json.load(orders)
    join(order["rank"], order["size"], order["meeting"])
    ends = [isinstance(event, Ended) for event in Trained().evaluate(codec.load(Job, order["job"]))]
    return int(any(ends))


if __name__ == "__main__":
    sys.exit(main(sys.stdin))

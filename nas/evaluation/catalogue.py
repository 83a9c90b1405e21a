"""Every evaluator by name."""

from collections.abc import Callable

from nas.evaluation.protocol import Evaluator
from nas.evaluation.trained import Trained

EVALUATORS: dict[str, Callable[[], Evaluator]] = {"train": Trained}

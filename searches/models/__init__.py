from searches.models.candidate import Candidate
from searches.models.evaluation import Evaluation
from searches.models.event import Event
from searches.models.generation import Generation
from searches.models.race import Race, RaceLane
from searches.models.run import Run
from searches.models.strategy_state import StrategyState
from searches.models.upload import Upload
from searches.models.worker import Worker

__all__ = [
    "Candidate",
    "Evaluation",
    "Event",
    "Generation",
    "Race",
    "RaceLane",
    "Run",
    "StrategyState",
    "Upload",
    "Worker",
]

import pytest
from django.db import transaction

from nas import codec
from nas.sentences import Sentence
from nasweb.embedded.narrator import Narrator
from searches.models import Run
from searches.record import record

pytestmark = pytest.mark.django_db


def test_it_tells_what_is_notable_and_only_once() -> None:
    run = Run.objects.create(name="digits first")
    record(run.pk, "run", {"status": "queued", "stage": "search", "sentence": None})
    said: list[str] = []
    narrator = Narrator(said.append)
    with transaction.atomic():
        record(run.pk, "run", {"status": "running", "stage": "search"})
        record(run.pk, "epoch", {"epoch": 1})
        lost = codec.dump(Sentence("The worker {worker} fell silent.", {"worker": "worker0"}))
        record(run.pk, "requeued", {"candidate": 3, "sentence": lost})
    narrator.tell()
    narrator.tell()
    assert said == [
        f"Run {run.pk}, digits first: running, search",
        f"Run {run.pk}, digits first: candidate 3 goes back to the queue (The worker worker0 fell silent.)",
    ]

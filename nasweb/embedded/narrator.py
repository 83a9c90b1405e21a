"""Tells on the terminal what happens in the runs."""

from collections.abc import Callable, Iterator

from django.db import DatabaseError, connection

from nas import codec
from nas.sentences import Sentence
from searches.models import Event, Run

NOTABLE = ("run", "requeued")


class Narrator:
    """Reads the notable events that came after it was made."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last = self._newest()

    def tell(self) -> None:
        """Say one line for each notable event since the last call; a busy database is asked again next time."""
        try:
            for line in self._lines():
                self._say(line)
        except DatabaseError:
            connection.close()

    def _newest(self) -> int:
        return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def _lines(self) -> Iterator[str]:
        fresh = Event.objects.filter(pk__gt=self._last, kind__in=NOTABLE).select_related("run").order_by("pk")
        for event in fresh:
            self._last = event.pk
            yield line(event)


def line(event: Event) -> str:
    """Return an event in words."""
    data = event.data
    if event.kind == "requeued":
        what = f"candidate {data['candidate']} goes back to the queue"
    else:
        what = f"{data['status']}, {Run.Stage(data['stage']).label.lower()}"
    reason = f" ({codec.load(Sentence, data['sentence'])})" if data.get("sentence") else ""
    return f"Run {event.run_id}, {event.run}: {what}{reason}"

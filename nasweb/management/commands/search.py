"""Starts a search from the command line; with --wait follows it to its end."""

import argparse
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from nas import codec, plan
from nas.checks import check
from nas.commandline import add_search_options, plan_of
from nas.progress import Follower
from nas.report import evaluation_line, last_line
from nasweb.embedded import devices
from nasweb.embedded.preparing import prepare_database
from nasweb.embedded.stack import is_running, workers_for_a_while
from nasweb.embedded.supervisor import Supervisor
from nasweb.signin import ensure_admin
from searches import lifecycle
from searches.advance import advance
from searches.finals import final_of, spent
from searches.models import Evaluation, Event, Run, Worker
from searches.queries import measurements

TICK = 0.1


class Command(BaseCommand):
    """`manage.py search`."""

    help = "Search from the command line, with the same rows and workers as the pages."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what can be chosen."""
        add_search_options(parser)
        parser.add_argument("--name", default="", help="name of the search; default: from dataset and strategy")
        parser.add_argument("--wait", action="store_true", help="follow it to its end, with workers if none is alive")
        parser.add_argument("--json", action="store_true", help="one JSON object per evaluation and a last one")
        parser.add_argument("--workers", type=int, default=0, help="workers to start where none is alive")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start it; exit 0 where it completed (or was only to be started), 1 where it did not, 130 on Ctrl-C."""
        asked = plan_of(options)
        check(asked)
        prepare_database()
        run = Run.objects.create(
            name=options["name"] or f"{plan.data_title(asked)} {asked.strategy}",
            owner=ensure_admin(),
            plan_json=codec.dump(plan.explicit(asked)),
        )
        lifecycle.start(run)
        advance(run.pk)
        if not options["wait"]:
            self.stdout.write(f"Search {run.pk} is queued.")
            return
        follow = _Follow(run, Follower(asked, as_json=options["json"], out=sys.stdout))
        try:
            with self._workers(options["workers"]) as supervisor:
                follow.to_the_end(supervisor)
        except KeyboardInterrupt:
            follow.follower.close(None)
            self.stderr.write(f"Search {run.pk} is not finished; it goes on when workers are up again: make run")
            raise SystemExit(130) from None
        run.refresh_from_db()
        if run.status != Run.Status.COMPLETED:
            self.stderr.write(f"Search {run.pk} ended as {run.status}. {run.sentence or ''}")
            raise SystemExit(1)

    def _workers(self, count: int) -> AbstractContextManager[Supervisor | None]:
        alive = any(worker.is_alive for worker in Worker.objects.filter(draining=False))
        if is_running() or (alive and not settings.EMBEDDED):
            return nullcontext()
        return workers_for_a_while(count or devices.usual_workers(len(devices.gpus())), self.stderr.write)


class _Follow:
    """Reads the run's events as a page does, and passes them to the terminal."""

    def __init__(self, run: Run, follower: Follower) -> None:
        self._run, self.follower = run, follower
        self._seen = 0
        self._started = time.monotonic()

    def to_the_end(self, supervisor: Supervisor | None) -> None:
        while True:
            if supervisor is not None:
                supervisor.tend()
            over = Run.objects.filter(pk=self._run.pk).exclude(status__in=Run.OPEN).exists()
            for event in Event.objects.filter(run=self._run, seq__gt=self._seen):
                self._seen = event.seq
                self._show(event)
            if over:
                break
            time.sleep(TICK)
        self._close()

    def _show(self, event: Event) -> None:
        data = event.data
        if event.kind == "epoch":
            self.follower.epoch(data["epoch"], data["epochs"], data["valid_accuracy"])
        elif event.kind in ("measured", "failed"):
            evaluation = Evaluation.objects.select_related("candidate").get(pk=data["evaluation"])
            measured = event.kind == "measured"
            if not (measured and evaluation.is_supernet):  # its epochs are told one by one
                self.follower.line(self._line(evaluation, measured))

    def _line(self, evaluation: Evaluation, measured: bool) -> dict[str, Any]:
        candidate = evaluation.candidate
        line = evaluation_line(
            self._run.plan,
            candidate.number if candidate else self._run.generations.count() + 1,
            "search" if evaluation.is_supernet else evaluation.stage,
            evaluation.seed,
            candidate.choices if candidate else (),
            metrics=evaluation.metrics if measured else None,
            cause=evaluation.cause,
            sentence=str(evaluation.sentence or ""),
        )
        if candidate and self._run.plan.is_gradient and evaluation.stage == Run.Stage.SEARCH:
            epoch = self._run.generations.get(number=candidate.number)
            trace = {name: value for name, value in epoch.trace.items() if name != "generation"}
            return line | {"trace": trace, "alpha": epoch.alpha}
        return line

    def _close(self) -> None:
        run = Run.objects.select_related("winner").get(pk=self._run.pk)
        if run.winner is None:
            self.follower.close(None)
            return
        final = final_of(run)
        if final is None:
            self.follower.close(None)
            return
        line = last_line(
            run.plan,
            plan.search_space(run.plan),
            final,
            measured=[(at, one.metrics) for at, one in enumerate(measurements(run), start=1) if not one.failed],
            seconds=time.monotonic() - self._started,
            spent=spent(run),
        )
        self.follower.line(line)
        self.follower.close(line)

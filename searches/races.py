"""Reads for the pages of races."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from nas import plan as plans
from nas.plan import Plan
from nas.race.contest import BASELINE
from nas.race.standings import Standing
from nas.sentences import Refused
from searches.columns import figure_of
from searches.drafts import table_name
from searches.figures import Figure, decimals
from searches.models import Race, RaceLane, Worker
from searches.say import label, say

Status = RaceLane.Status
COLOURS = 8
LIKELY = 0.05
OVER = Q(lanes__status__in=(Status.DONE, Status.FAILED))
HEAD = ("strategy", "seed", "evaluations", "best", "report", "epochs", "seconds of the lane")


@dataclass(frozen=True)
class Entrant:
    """A strategy as charts and tables show it: `colour` is its token, `dashed` tells it from another of that colour."""

    name: str
    title: str
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Row:
    """One strategy after so many evaluations, as it is written; `better` than random beyond what luck explains."""

    entrant: Entrant
    standing: Standing
    mean: str
    error: str
    low: str
    middle: str
    high: str
    report: str
    gain: str
    p_value: str
    better: bool


@dataclass(frozen=True)
class RacePage:
    """What a race page shows at this moment."""

    race: Race
    done: int
    failed: int
    workers: int

    @property
    def lanes(self) -> int:
        """How many there are in all."""
        return self.race.size

    @property
    def percent(self) -> int:
        """How many of them are over, in percent."""
        return round(100 * (self.done + self.failed) / self.lanes)

    @property
    def seconds(self) -> float | None:
        """How long it has run."""
        started = self.race.started_at
        return ((self.race.finished_at or timezone.now()) - started).total_seconds() if started else None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes if it is like what is done: every seed runs all strategies."""
        over = self.done + self.failed
        if not over or self.seconds is None or not self.race.is_open:
            return None
        return self.seconds / over * (self.lanes - over)

    @property
    def entrants(self) -> list[Entrant]:
        """The strategies in the order of the race."""
        return entrants(self.race)

    @property
    def reason(self) -> str:
        """Why it failed, or why some lane did."""
        if self.race.sentence:
            return say(self.race.sentence)
        lane = self.race.lanes.filter(status=Status.FAILED).first() if self.failed else None
        return f"{label(lane.strategy)}, {lane.seed}: {say(lane.sentence)}" if lane and lane.sentence else ""

    @cached_property
    def figures(self) -> list[Figure]:
        """The column it selects on and, where there is one, that which is reported."""
        plan = self.race.plan
        return [figure_of(plan, name) for name in (plan.objectives[0].metric, *plan.report[:1])]

    @property
    def data(self) -> str:
        """The title of its table."""
        return data_title(self.race.plan)

    @cached_property
    def standings(self) -> list[tuple[int, list[Row]]]:
        """The rows after the whole budget and after each quarter before it, the best first."""
        found: dict[int, list[Row]] = {}
        by_name = {one.name: one for one in self.entrants}
        for standing in self.race.results.standings if self.race.results else ():
            found.setdefault(standing.evaluations, []).append(self._row(by_name[standing.strategy], standing))
        sign = -1 if self.race.plan.objectives[0].goal == "max" else 1
        return [
            (mark, sorted(found[mark], key=lambda row: sign * row.standing.best.mean))
            for mark in sorted(found, reverse=True)
        ]

    def _row(self, entrant: Entrant, standing: Standing) -> Row:
        best, write = standing.best, self.figures[0].write
        gain, p_value = standing.gain, standing.p_value
        return Row(
            entrant,
            standing,
            mean=write(best.mean),
            error=write(best.error),
            low=write(best.low),
            middle=write(best.middle),
            high=write(best.high),
            report=self.figures[-1].write(standing.report.mean),
            gain="–" if gain is None else f"{'+' if gain >= 0 else '−'}{decimals(abs(gain), 2)} %",
            p_value="–" if p_value is None else _probability(p_value),
            better=gain is not None and gain > 0 and p_value is not None and p_value < LIKELY,
        )


def race_page(race: Race) -> RacePage:
    """Return what the page of this race shows now."""
    counts = dict(race.lanes.values_list("status").annotate(Count("pk")).order_by())
    workers = sum(worker.is_alive for worker in Worker.objects.filter(queue=race.queue))
    return RacePage(race, counts.get(Status.DONE, 0), counts.get(Status.FAILED, 0), workers)


def entrants(race: Race) -> list[Entrant]:
    """Return the strategies of a race with their colours, random last and grey."""
    return [
        Entrant(name, label(name), "--race-random")
        if name == BASELINE
        else Entrant(name, label(name), f"--race-{1 + at % COLOURS}", at >= COLOURS)
        for at, name in enumerate(race.contest.entrants)
    ]


def chart_data(race: Race) -> dict[str, Any]:
    """Return what the charts draw: mean and band of each strategy in each column."""
    found = race.results
    curves = {(one.strategy, one.column): one for one in found.curves} if found else {}
    return {
        "lanes": found.lanes if found else 0,
        "evaluations": found.evaluations if found else (),
        "strategies": [
            {
                "name": one.name,
                "title": one.title,
                "colour": one.colour,
                "dashed": one.dashed,
                **{
                    column: {"mean": curve.mean, "low": curve.low, "high": curve.high}
                    for column in ("best", "report")
                    if (curve := curves.get((one.name, column)))
                },
            }
            for one in entrants(race)
        ],
    }


@dataclass(frozen=True)
class Line:
    """A race as the list shows it."""

    race: Race
    over: int

    @property
    def lanes(self) -> int:
        """How many lanes it has."""
        return self.race.size

    @property
    def percent(self) -> int:
        """How many of them are over, in percent."""
        return round(100 * self.over / self.lanes)

    @property
    def data(self) -> str:
        """The title of its table."""
        return data_title(self.race.plan)

    @property
    def strategies(self) -> str:
        """Their titles, random left out as it always races."""
        return ", ".join(one.title for one in entrants(self.race) if one.name != BASELINE)

    @property
    def at(self) -> datetime:
        """When somebody made it."""
        return self.race.created_at


def with_counts(races: QuerySet[Race]) -> QuerySet[Race]:
    """Count the lanes that are over as `over`."""
    counted = races.select_related("owner").defer("results_json").annotate(over=Count("lanes", filter=OVER))
    return counted.order_by("-created_at", "-pk")


def lines(races: Iterable[Race]) -> list[Line]:
    """Return the lines of races that `with_counts` has read."""
    return [Line(race, race.over) for race in races]  # type: ignore[attr-defined]


def data_title(plan: Plan) -> str:
    """Return the title of a table, its bare name where it is gone."""
    try:
        return plans.data_title(plan)
    except Refused:
        return table_name(plan)


def csv_lines(race: Race) -> Iterator[str]:
    """Yield the lanes that are done: a line wherever something changed, and at each quarter of the budget."""
    yield _csv(HEAD)
    for lane in race.lanes.filter(status=Status.DONE).iterator():
        for point in lane.points:
            yield _csv((lane.strategy, lane.seed, *point, round(lane.seconds or 0, 3)))


def _csv(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def _probability(value: float) -> str:
    return f"{value:.1e}" if value < 0.001 else decimals(value, 3)

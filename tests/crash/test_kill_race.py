"""Whatever is killed in the middle of a race, every lane is run to its end and counted once."""

from collections import Counter
from pathlib import Path

import pytest

from tests.running import Stack, wait_until

pytestmark = [pytest.mark.crash, pytest.mark.slow]
SEEDS = 25
START = f"""
from dataclasses import replace
from nas.rehearsal import on_table
from nasweb.signin import ensure_admin
from searches import racing
from searches.forms.race import PLAN
plan = replace(on_table(PLAN, "digits_cells"), budget=150)
result = racing.start("crash", ensure_admin(), plan, ("genetic", "annealing"), {SEEDS}, "default").pk
"""


def done(stack: Stack, race: int) -> int:
    return len(stack.rows("SELECT 1 FROM searches_racelane WHERE race_id = ? AND status = 'done'", race))


def test_a_killed_worker_a_killed_racer_and_a_killed_clock_cost_no_lane(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home").start()
    try:
        race = int(stack.execute(START))
        for count, victim in enumerate(("racer", "worker0", "sweep"), start=1):
            wait_until(lambda least=5 * count: done(stack, race) >= least, 60)
            process = stack.part(victim)
            for kin in [*process.children(recursive=True), process]:
                kin.kill()
        wait_until(lambda: stack.rows("SELECT 1 FROM searches_race WHERE id = ? AND closed", race), 120)
        (row,) = stack.rows("SELECT * FROM searches_race WHERE id = ?", race)
        lanes = stack.rows("SELECT * FROM searches_racelane WHERE race_id = ?", race)
        assert row["status"] == "completed"
        assert Counter(lane["status"] for lane in lanes) == {"done": 3 * SEEDS}
        assert sum(lane["losses"] for lane in lanes) <= 3
        assert all(lane["points"] for lane in lanes)
    finally:
        stack.stop()

"""The emulator is killed at random moments of its work, and started again on what is left.

Whatever it had acknowledged before is there, whatever it had begun ends, and nothing is left over.
"""

import random
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.soak import crash_works, remains
from tests.soak.crash_works import WORKS
from tests.soak.crashing import KilledEmulator, kill_at_work, servers

pytestmark = pytest.mark.sockets

KILLS, KILLS_AT_START = 2, 1
"""In the short form, of each kind; who is killed at a start was killed before."""
SOAK_TIMES = 40
CONCURRENT_WORKS = 2
MAX_WORK_SECONDS = 0.8
MAX_START_SECONDS = 2.5
KEPT = 80
"""Promises that are looked at again after the next kill; all new ones are looked at once."""


@pytest.mark.timeout(1800)
def test_only_an_emulator_of_the_same_state_folder_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "input()", "emulator.server"]
    own, other = (
        subprocess.Popen([*command, str(tmp_path / name)], stdin=subprocess.PIPE)
        for name in ("own", "other")
    )
    try:
        assert [server.pid for server in servers(tmp_path / "own")] == [own.pid]
    finally:
        own.communicate(b"\n")
        other.communicate(b"\n")


@pytest.mark.parametrize("everything", [False, True], ids=["the server", "all processes"])
def test_nothing_is_lost_by_a_kill(
    killed: KilledEmulator,
    everything: bool,
    soak: bool,
    seed: int,
    draw: random.Random,
    report: Callable[..., None],
) -> None:
    site = crash_works.prepare(killed)
    times = SOAK_TIMES if soak else 1
    moments = [True] * KILLS * times + [False] * KILLS_AT_START * times
    draw.shuffle(moments)
    waiting: list[str] = []
    for number, at_work in enumerate(moments):
        if len(waiting) < CONCURRENT_WORKS:
            waiting += draw.sample(sorted(WORKS), len(WORKS))
        chosen = [waiting.pop() for _ in range(CONCURRENT_WORKS)]
        seconds = draw.uniform(0, MAX_WORK_SECONDS if at_work else MAX_START_SECONDS)
        case = f"seed {seed}, kill {number} after {seconds:.3f} s"
        case += f" of {' and '.join(chosen)}" if at_work else " of a start"
        try:
            if at_work:
                works = [partial(WORKS[name], killed, site) for name in chosen]
                kill_at_work(killed, works, seconds, everything=everything)
            else:
                killed.kill(everything=everything)
                killed.kill_at_start(seconds, everything=everything)
            killed.start()
            remains.check(killed, site, draw, KEPT)
        except Exception as error:
            error.add_note(case)
            raise
    assert crash_works.import_again(killed, site) == len(site.sources)
    report(
        f"kills of {'all processes' if everything else 'the server'}",
        tried=killed.kills,
        acknowledged=killed.promises.acknowledged,
        lost=0,
    )

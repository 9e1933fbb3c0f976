"""The emulator is killed at random moments of its work, and started again on what is left.

Whatever it had acknowledged before is there, whatever it had begun ends, and nothing is left over.
"""

import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.soak import crash_works, remains
from tests.soak.crash_works import WORKS, Site
from tests.soak.crashing import Cut, KilledEmulator, servers

pytestmark = pytest.mark.sockets

KILLS, KILLS_AT_START = 2, 1
"""In the short form, of each kind; who is killed at a start was killed before."""
SOAK_TIMES = 40
CONCURRENT_WORKS = 2
MAX_WORK_SECONDS = 0.8
MAX_START_SECONDS = 2.5
KEPT = 80
"""Promises that are looked at again after the next kill; all new ones are looked at once."""


@pytest.fixture
def victim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KilledEmulator]:
    """A running emulator whose temporary files can be told from others'."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    victim = KilledEmulator(tmp_path / "emulator")
    victim.start()
    yield victim
    victim.stop()


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
    victim: KilledEmulator,
    everything: bool,
    soak: bool,
    seed: int,
    draw: random.Random,
    report: Callable[..., None],
) -> None:
    site = crash_works.prepare(victim)
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
                _kill_at_work(victim, site, chosen, seconds, everything=everything)
            else:
                victim.kill(everything=everything)
                victim.kill_at_start(seconds, everything=everything)
            victim.start()
            remains.check(victim, site, draw, KEPT)
        except Exception as error:
            error.add_note(case)
            raise
    assert crash_works.import_again(victim, site) == len(site.sources)
    report(
        f"kills of {'all processes' if everything else 'the server'}",
        tried=victim.kills,
        acknowledged=victim.promises.acknowledged,
        lost=0,
    )


def _kill_at_work(
    victim: KilledEmulator, site: Site, chosen: list[str], seconds: float, *, everything: bool
) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            while True:
                WORKS[name](victim, site)
        except Cut:
            return
        except BaseException as error:  # noqa: BLE001 - raised by the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,), name=name) for name in chosen]
    for thread in threads:
        thread.start()
    threads[0].join(seconds)
    victim.kill(everything=everything)
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]

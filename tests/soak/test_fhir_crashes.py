"""The emulator is killed at random moments of its work with FHIR data.

What it had acknowledged is there, a transaction is there whole or not at all, and operations end.
"""

import random
from collections.abc import Callable
from contextlib import closing
from functools import partial

import pytest

from tests.soak import crash_works, fhir_works, remains
from tests.soak.crashing import KilledEmulator, kill_at_work
from tests.soak.fhir_works import WORKS

pytestmark = pytest.mark.sockets

KILLS, SOAK_KILLS = 2, 50
CONCURRENT_WORKS = 3
MAX_WORK_SECONDS = 0.8
KEPT = 80
"""Promises that are looked at again after the next kill; all new ones are looked at once."""
_LEFT = {
    "rows of a store that there is not": (
        "SELECT DISTINCT store FROM fhir_resources WHERE store NOT IN"
        " (SELECT name FROM healthcare_resources)"
    ),
    "a resource with two current versions": (
        "SELECT id FROM fhir_versions v JOIN fhir_resources r USING (store, type, id)"
        " WHERE v.version >= r.version"
    ),
    "a reference to a resource that there is not": (
        "SELECT path FROM fhir_references r WHERE NOT EXISTS (SELECT 1 FROM fhir_resources t"
        " WHERE t.store = r.store AND t.type = r.target_type AND t.id = r.target_id)"
    ),
    "a resource that searches do not find": (
        "SELECT id FROM fhir_resources WHERE number NOT IN (SELECT resource FROM fhir_index_tokens)"
    ),
}
"""What must not be left -> how to find it."""


def test_nothing_of_fhir_is_lost_by_a_kill(
    killed: KilledEmulator,
    soak: bool,
    seed: int,
    draw: random.Random,
    report: Callable[..., None],
) -> None:
    crash_works.prepare_project(killed)
    fhir_works.prepare(killed)
    waiting: list[str] = []
    for number in range(SOAK_KILLS if soak else KILLS):
        if len(waiting) < CONCURRENT_WORKS:
            waiting += draw.sample(sorted(WORKS), len(WORKS))
        chosen = [waiting.pop() for _ in range(CONCURRENT_WORKS)]
        seconds = draw.uniform(0, MAX_WORK_SECONDS)
        everything = draw.random() < 0.5
        try:
            works = [partial(WORKS[name], killed) for name in chosen]
            kill_at_work(killed, works, seconds, everything=everything)
            killed.start()
            _check(killed, draw)
        except Exception as error:
            names = " and ".join(chosen)
            error.add_note(f"seed {seed}, kill {number} after {seconds:.3f} s of {names}")
            raise
    acknowledged = killed.promises.acknowledged
    report("kills during FHIR work", tried=killed.kills, acknowledged=acknowledged, lost=0)


def _check(killed: KilledEmulator, draw: random.Random) -> None:
    remains.end_operations(killed)
    remains.check_promises(killed, draw, KEPT)
    remains.check_state(killed.state)
    remains.receive_messages(killed)
    with closing(remains.open_state(killed.state)) as database:
        for what, statement in _LEFT.items():
            assert database.execute(statement).fetchall() == [], what
        rows = database.execute("SELECT store, type, id FROM fhir_resources")
        names = {
            f"{store}/fhir/{type_}/{id_}"
            for store, type_, id_ in rows
            if f"/{fhir_works.IMPORTED}" not in store
        }
    assert names - killed.notified == set(), "resources without a notification"

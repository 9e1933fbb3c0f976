"""Checks of the state of a killed emulator after its restart."""

import base64
import hashlib
import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.soak.crash_works import BUCKET, DATASET, SUBSCRIPTION, Site
from tests.soak.crashing import GONE, PROJECT, KilledEmulator

ANY_SYNTAX = {"Accept": "application/dicom; transfer-syntax=*"}


def check(victim: KilledEmulator, site: Site, draw: random.Random, kept: int) -> None:
    """Look at everything that was promised, and at everything that is there.

    Args:
        victim: runs again.
        site: what was there before all kills.
        draw: chooses the promises to keep for the next look.
        kept: how many of them.
    """
    end_operations(victim)
    check_promises(victim, draw, kept)
    assert victim.json("GET", f"/storage/v1/b/{BUCKET}/o?prefix=in/")["items"]
    assert len(_instances(victim, f"/v1/{site.filled}/dicomWeb/instances")) >= len(site.sources)
    check_state(victim.state)
    _check_notifications(victim)


def end_operations(victim: KilledEmulator) -> None:
    """See all operations end, those well that were acknowledged."""
    victim.persist()
    victim.until(
        lambda: not victim.json("GET", f"/v1/{DATASET}/operations?filter=done=false"),
        "operations hang",
    )


def check_promises(victim: KilledEmulator, draw: random.Random, kept: int) -> None:
    """Look at everything that was promised, and keep some of it for the next look."""
    found = {}
    for key, allowed in victim.promises.allowed().items():
        way, path = key
        found[key] = value = LOOKS[way](victim, path)
        assert value in allowed, (
            f"{way} {path}: {_short(value)}, and not {' or '.join(map(_short, allowed))}"
        )
    chosen = draw.sample(sorted(found), min(kept, len(found)))
    policies = [key for key in found if "policy" in key[0]]
    victim.promises.hold({key: found[key] for key in (*chosen, *policies)})


def _check_notifications(victim: KilledEmulator) -> None:
    """Receive all messages: every instance has had one, of this start or of an earlier one."""
    receive_messages(victim)
    with closing(open_state(victim.state)) as database:
        rows = database.execute("SELECT store, study, series, sop FROM dicom_instances")
        names = {
            f"{store}/dicomWeb/studies/{study}/series/{series}/instances/{sop}"
            for store, study, series, sop in rows
        }
    assert names
    assert names - victim.notified == set(), "instances without a notification"


def receive_messages(victim: KilledEmulator) -> None:
    """Receive all messages, and note whom they are about."""
    while received := _received(victim):
        victim.notified |= {base64.b64decode(one["message"]["data"]).decode() for one in received}
        ids = [one["ackId"] for one in received]
        victim.json("POST", f"/v1/{SUBSCRIPTION}:acknowledge", {"ackIds": ids})


def _received(victim: KilledEmulator) -> list[Any]:
    messages: list[Any] = victim.json(
        "POST", f"/v1/{SUBSCRIPTION}:pull", {"maxMessages": 1000}
    ).get("receivedMessages", [])
    return messages


def open_state(state: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{state / 'state.sqlite3'}?mode=ro", uri=True)


def _short(value: Any) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else repr(value)


def _instance(victim: KilledEmulator, path: str) -> bytes | None:
    answer = victim.client.get(path, headers=ANY_SYNTAX)
    assert answer.status_code in (200, 404), f"GET {path}: {answer.status_code} {answer.text}"
    return answer.content if answer.status_code == 200 else GONE


def _versions(victim: KilledEmulator, path: str) -> str | None:
    answer = victim.find(path)
    return "/".join(json.loads(answer)[0]["00181020"]["Value"]) if answer else GONE


def _instances(victim: KilledEmulator, path: str) -> list[Any]:
    answer = victim.call("GET", path)
    return answer.json() if answer.status_code == 200 else []


def _number_of_instances(victim: KilledEmulator, path: str) -> int | None:
    return len(_instances(victim, path)) or GONE


def _policy(victim: KilledEmulator, path: str) -> str | None:
    bindings = victim.json("GET", f"{path}:getIamPolicy").get("bindings")
    return bindings[0]["members"][0] if bindings else GONE


def _bucket_policy(victim: KilledEmulator, path: str) -> str | None:
    bindings = victim.json("GET", path)["bindings"]
    users = [one for b in bindings for one in b["members"] if one.startswith("user:")]
    return users[0] if users else GONE


def _family(victim: KilledEmulator, path: str) -> str | None:
    """Return what a FHIR patient is called."""
    body = victim.client.get(path)
    assert body.status_code in (200, 404, 410), f"GET {path}: {body.status_code} {body.text}"
    return str(body.json()["name"][0]["family"]) if body.status_code == 200 else GONE


def _matches(victim: KilledEmulator, path: str) -> int | None:
    """Return how many resources a FHIR search finds."""
    content = victim.find(path)
    return (content and json.loads(content)["total"]) or GONE


def _lines(victim: KilledEmulator, path: str) -> int | None:
    content = victim.find(path)
    return GONE if content is None else len(content.splitlines())


def _rows(victim: KilledEmulator, table: str) -> int | None:
    dataset, name = table.split(".")
    path = f"/bigquery/v2/projects/{PROJECT}/datasets/{dataset}/tables/{name}"
    if victim.find(path) is None:
        return GONE
    statement = f"SELECT COUNT(*) FROM `{PROJECT}.{table}`"
    body = {"query": statement, "useLegacySql": False}
    answer = victim.json("POST", f"/bigquery/v2/projects/{PROJECT}/queries", body)
    return int(answer["rows"][0]["f"][0]["v"])


LOOKS: dict[str, Callable[[KilledEmulator, str], Any]] = {
    "instance": _instance,
    "object": KilledEmulator.find,
    "there": lambda victim, path: True if victim.find(path) else GONE,
    "instances": _number_of_instances,
    "versions": _versions,
    "policy": _policy,
    "bucket policy": _bucket_policy,
    "rows": _rows,
    "family": _family,
    "matches": _matches,
    "lines": _lines,
}


def check_state(state: Path) -> None:
    """No row without its file, no file without a row, nothing half done."""
    with closing(open_state(state)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = {row[0] for row in database.execute("SELECT sha256 FROM dicom_instances")}
        homeless = database.execute(
            "SELECT DISTINCT store FROM dicom_instances WHERE store NOT IN"
            " (SELECT name FROM healthcare_resources)"
        ).fetchall()
    assert homeless == []
    files = {path.name: path for path in (state / "dicom" / "sha256").iterdir()}
    assert rows == files.keys(), "rows and files differ"
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == name
    left = [
        path
        for folder in ("dicom/incoming", "storage-drafts", "storage-uploads", "bigquery/uploads")
        if (state / folder).exists()
        for path in (state / folder).iterdir()
    ]
    left += [*state.glob("*.draft"), *state.glob("*.new"), *(state.parent / "tmp").iterdir()]
    assert left == [], "temporary files are left"

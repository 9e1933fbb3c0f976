"""Scripts in a local lab only call addresses of this machine."""

import socket
import threading
from typing import Any

import pytest

from scripts.lib.google import clients
from tests.support.waiting import PATIENCE_SECONDS

PUBLIC_BUCKETS = {"gcs-public-data--healthcare-nih-chest-xray", "synthetic-chest-xray-patients"}


def test_no_client_asks_for_a_host_elsewhere(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    genuine = socket.getaddrinfo

    def seen(host: Any, *rest: Any, **options: Any) -> Any:
        asked.add(str(host))
        return genuine(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", seen)
    at_start = set(threading.enumerate())
    location = f"projects/{project}/locations/us-central1"
    datasets = clients.healthcare().projects().locations().datasets()
    assert datasets.list(parent=location).execute() == {}
    rows = clients.big_query(project).query("SELECT 1 AS one").result()
    assert [row["one"] for row in rows] == [1]
    assert {b.name for b in clients.cloud_storage(project).list_buckets()} == PUBLIC_BUCKETS
    assert clients.pubsub().projects().topics().list(project=f"projects/{project}").execute() == {}
    for thread in set(threading.enumerate()) - at_start:
        thread.join(timeout=PATIENCE_SECONDS)

    assert asked == {"127.0.0.1"}

"""The time that the gateway adds to a request, beside the same request sent to the emulator."""

import http.client
import http.server
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks import comparison, files
from benchmarks.adapters.process import PATIENCE_SECONDS, adapter
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import Row
from benchmarks.sides import Sides
from emulator.services.run.serving.iap.tokens import IapTokens, claims_of

REQUESTS = 300
"""Of each turn, one after the other over one connection."""
GOAL_MS = 2.0
CALLER = "reader@example.org"
AUDIENCE = "/projects/1/locations/us-central1/services/gateway"
DICOM = {"Content-Type": "application/dicom"}
HEADERS = {"Accept": "application/dicom+json"}


def measure_gateway(sides: Sides) -> Iterator[Row]:
    """Compare searches for the studies of a patient through the gateway with direct ones."""
    store, tokens = sides.local.new_store(), IapTokens()
    [(position, file)] = files.small(1)
    studies = f"/v1/{store}/dicomWeb/studies"
    sides.local.http.post(studies, content=file, headers=DICOM).raise_for_status()
    path = f"{studies}?PatientID={position.patient}"
    direct = urlsplit(sides.local.running.url).port or 0
    with _keys(tokens) as keys_url, tempfile.NamedTemporaryFile("w") as settings:
        json.dump(_settings(store, keys_url), settings)
        settings.flush()
        with adapter(sides.local, "workloads.gateway", "--settings", settings.name) as port:
            sides.report("searches through the gateway and direct ones in turns")
            token = tokens.sign({**claims_of(CALLER, AUDIENCE), "email_verified": True})
            guarded = {**HEADERS, "Authorization": f"Bearer {token}"}
            mine, theirs = comparison.in_turns(
                partial(_milliseconds, port, path, guarded),
                partial(_milliseconds, direct, path, HEADERS),
            )
    work = "QIDO-RS for a patient's studies through the gateway, at the median"
    yield comparison.delay(work, mine, theirs, GOAL_MS, "ms")


def _settings(store: str, keys_url: str) -> dict[str, object]:
    claims = claims_of(CALLER, AUDIENCE)
    grant = {"store": store, "role": "roles/healthcare.dicomViewer", "members": [f"user:{CALLER}"]}
    return {
        "grants": [grant],
        "identity": {"issuer": claims["iss"], "audience": AUDIENCE, "keysUrl": keys_url},
        "limits": {"requestsPerMinute": 1_000_000},
    }


@contextmanager
def _keys(tokens: IapTokens) -> Iterator[str]:
    """Serve the public key of tokens; yield its address."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "keys.json").write_text(json.dumps(tokens.key_set()))
        handler = partial(_Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/keys.json"
            finally:
                server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the output of the benchmarks clean."""


def _milliseconds(port: int, path: str, headers: Mapping[str, str]) -> float:
    """Send a request again and again; return the median of the times that it takes.

    Raises:
        BenchmarkError: an answer is an error, or empty
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    times = []
    try:
        for _ in range(REQUESTS):
            began = time.perf_counter()
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            body = answer.read()
            times.append(time.perf_counter() - began)
            if answer.status != 200 or body[:2] != b"[{":
                raise BenchmarkError(f"GET {path}: {answer.status} {body[:200]!r}")
    finally:
        connection.close()
    return median(times) * 1000

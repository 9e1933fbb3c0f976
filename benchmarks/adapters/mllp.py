"""Messages a second through the MLLP adapter, each with its acknowledgement."""

import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from benchmarks import comparison
from benchmarks.adapters.process import PATIENCE_SECONDS, adapter
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import ROUNDS, Row
from benchmarks.local import DATASET
from benchmarks.sides import Sides
from workloads.mllp import acknowledgement
from workloads.mllp.framing import FrameDecoder, framed

CLIENTS, MESSAGES = (1, 4), 500
"""Connections at once, and messages of each."""
GOAL = 500.0
_MAX_BYTES = 100_000


def measure_mllp(sides: Sides) -> Iterator[Row]:
    """Measure with the store's acknowledgements, then with those of the spool."""
    body = {"parserConfig": {"version": "V3"}}
    created = sides.local.post(f"/v1/{DATASET}/hl7V2Stores", body, hl7V2StoreId="mllp")
    store = str(created["name"])
    with tempfile.TemporaryDirectory(prefix="gcp-healthcare-bench-") as folder:
        for work, options in (("stored", []), ("in the spool", ["--spool", folder])):
            sides.report(f"sending messages by MLLP, acknowledged once {work}")
            with adapter(sides.local, "workloads.mllp", "--hl7v2-store", store, *options) as port:
                for count in CLIENTS:
                    key = f"{work[0]}{count}"
                    rounds = [_rate(port, count, f"{key}-{n}") for n in range(ROUNDS + 1)]
                    line = f"MLLP messages acknowledged once {work}, connections: {count}"
                    yield comparison.floor(line, median(rounds[1:]), GOAL, "/s")


def _rate(port: int, count: int, key: str) -> float:
    """Send messages over some connections at once; return messages a second."""
    began = time.perf_counter()
    with ThreadPoolExecutor(count) as clients:
        list(clients.map(lambda client: _send(port, f"{key}-{client}"), range(count)))
    return count * MESSAGES / (time.perf_counter() - began)


def _send(port: int, key: str) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        decoder = FrameDecoder(_MAX_BYTES)
        for number in range(MESSAGES):
            control_id = f"{key}-{number}"
            connection.sendall(framed(message(control_id)))
            frames = [*decoder.feed(connection.recv(_MAX_BYTES))]
            while not frames:
                frames = [*decoder.feed(connection.recv(_MAX_BYTES))]
            answer = acknowledgement.parse(frames[0].data)
            if answer is None or not answer.is_accepted or answer.control_id != control_id:
                raise BenchmarkError(f"the message {control_id} was not acknowledged: {answer}")


def message(control_id: str) -> bytes:
    """Return an admission of an invented patient."""
    segments = (
        f"MSH|^~\\&|HIS|NORTH|RIS|SOUTH|20240229081500||ADT^A01|{control_id}|P|2.5.1",
        "EVN|A01|20240229081500",
        "PID|1|7001^^^NORTH^PI|7002^^^NORTH^MR||Sample^Anne^B||19610615|F",
        "PV1|1|I|2000^2012^01||||004777^Sample^Aaron^A",
    )
    return "\r".join(segments).encode() + b"\r"

"""The client, the files, and the watch of memory that the benchmarks measure with."""

import io
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pydicom
import pytest

from benchmarks import files, load, local, memory, storing
from benchmarks.clones import BenchmarkError
from benchmarks.load import Request


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: Counter[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen[f"{self.path} {body.decode()}"] += 1
        self.send_response(500 if self.path == "/bad" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    _Echo.seen = Counter()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def test_every_request_is_sent_once_and_every_answer_is_checked(
    server: ThreadingHTTPServer,
) -> None:
    answers: list[bytes] = []
    requests = [Request("POST", "/good", f"{number}".encode()) for number in range(50)]
    url = f"http://127.0.0.1:{server.server_port}"
    assert load.send(url, requests, 4, answers.append) > 0
    assert _Echo.seen == Counter(f"/good {number}" for number in range(50))
    assert sorted(answers) == sorted(request.body for request in requests)


def test_a_refusal_ends_the_measurement(server: ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.raises(BenchmarkError, match="POST /bad: 500"):
        load.send(url, [Request("POST", "/bad", b"x")], 1)


def test_small_files_are_valid_distinct_and_always_the_same() -> None:
    instances = list(files.small(3))
    assert instances == list(files.small(3))
    read = [pydicom.dcmread(io.BytesIO(content)) for _, content in instances]
    assert len({image.SOPInstanceUID for image in read}) == 3
    assert {image.pixel_array.shape for image in read} == {(64, 64)}
    assert [image.PatientID for image in read] == ["BENCH00000"] * 3


def test_small_files_are_those_that_pydicom_writes() -> None:
    for first in (0, 499, 12_345, 1_000_507):
        for at, content in files.small(2, first):
            pixels = pydicom.dcmread(io.BytesIO(content)).PixelData
            assert content == files.encode(files.image(at, pixels))


def test_the_first_files_are_one_series_and_then_ten_a_patient() -> None:
    positions = [files.position_of(number) for number in range(520)]
    series = Counter(at.series for at in positions)
    assert sorted(series.values()) == [10, 10, 500]
    assert len({(at.series, at.index) for at in positions}) == 520
    assert Counter(at.patient for at in positions)["BENCH00002"] == 10


def test_a_body_for_stow_is_one_part() -> None:
    head, rest = storing.stow_body(b"DICOM").split(b"\r\n\r\n")
    assert head == b"--benchmark\r\nContent-Type: application/dicom"
    assert rest == b"DICOM\r\n--benchmark--\r\n"


def test_an_operation_with_failures_is_no_figure() -> None:
    metadata = {"endTime": "2026-01-02T03:04:05.5Z", "counter": {"success": "2"}}
    began = local.done({"name": "o", "metadata": metadata}, 0).ended - 2
    done = local.done({"name": "o", "metadata": metadata}, began)
    assert (done.seconds, done.success) == (2, 2)
    failed = {"name": "o", "metadata": metadata | {"counter": {"success": "1", "failure": "1"}}}
    with pytest.raises(BenchmarkError, match="failure"):
        local.done(failed, began)


def test_the_memory_of_a_process_is_watched() -> None:
    with memory.Watch(os.getpid()) as watch:
        held = b"x" * 200_000_000
        watch.look()
    assert watch.peak_mb > len(held) / 1e6


def test_a_process_that_has_ended_has_no_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        watch = memory.Watch(child.pid)
        watch.look()
        before = watch.peak_mb
        child.communicate(b"\n")
    watch.look()
    assert watch.peak_mb == before > 0

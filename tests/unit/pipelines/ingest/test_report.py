"""Attempts put together: what is left to do, which entry counts, and the sums."""

from typing import Any

from pipelines.ingest.report import newest, summary, todo

KEY, SIZE = "gs://b/a#1", 10
AGAIN = frozenset({"failed"})


def entry(result: str) -> dict[str, Any]:
    return {"source": KEY, "result": result}


def test_files_without_an_entry_are_left_to_do() -> None:
    assert todo(KEY, {"files": [SIZE], "entries": []}, AGAIN) == [(KEY, SIZE)]
    assert todo(KEY, {"files": [SIZE], "entries": [entry("failed")]}, AGAIN) == [(KEY, SIZE)]
    assert todo(KEY, {"files": [SIZE], "entries": [entry("failed"), entry("stored")]}, AGAIN) == []
    assert todo(KEY, {"files": [], "entries": [entry("failed")]}, AGAIN) == []


def test_a_file_that_was_listed_twice_is_done_once() -> None:
    assert todo(KEY, {"files": [SIZE, SIZE], "entries": []}, AGAIN) == [(KEY, SIZE)]


def test_the_entry_of_this_attempt_counts() -> None:
    before, now = [entry("failed")], [entry("rejected")]
    assert newest({"before": before, "now": now})["result"] == "rejected"
    assert newest({"before": [*before, entry("stored")], "now": []})["result"] == "stored"


def test_the_report_counts_files_once() -> None:
    report = summary({"stored": 5, "present": 1, "conflict": 2})
    assert (report["files"], report["in_store"], report["dead_letters"]) == (8, 6, 2)
    assert report["results"]["failed"] == 0

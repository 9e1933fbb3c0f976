"""Comparison, normalisation, journal and recordings of the conformance kit."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from conformance import recordings, report, run
from conformance.check import Check, Lab, parts
from conformance.cloud_project import CloudProject
from conformance.compare import TOLERANCE, differences
from conformance.journal import Entry, Journal
from conformance.names import Names
from conformance.normalise import normaliser
from scripts.lib.errors import ScriptError

NAMES = Names("my-project", "us-central1", "0123abcd")


def lab(root: str | None = None) -> Lab:
    cloud = CloudProject("here", NAMES.project, NAMES.location, requests.Session(), root)
    return Lab(cloud, NAMES, "123456789012")


def check(answer: Any) -> Check:
    def answered(_: Lab) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Check("one-check", "a behaviour", answered)


@pytest.mark.parametrize(
    ("real", "local", "paths"),
    [
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]}, []),
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, ["a[1].b"]),
        ({"a": 1}, {}, ["a"]),
        ([1], [1, 2], [""]),
        (1, 1.0, []),
        (1, True, [""]),
        ({"pixels": [0, 10]}, {"pixels": [TOLERANCE, 10 - TOLERANCE]}, []),
        ({"pixels": [0, 10]}, {"pixels": [TOLERANCE + 1, 10]}, ["pixels[0]"]),
        ({"pixels": [0]}, {"pixels": [0, 0]}, ["pixels"]),
    ],
)
def test_differences_have_the_path_of_the_value(real: Any, local: Any, paths: list[str]) -> None:
    assert [one.path for one in differences(real, local)] == paths


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        ("projects/my-project/x", "projects/{project}/x"),
        ("my-project-2 and my-project.", "my-project-2 and {project}."),
        (
            "service-123456789012@gcp-sa-healthcare.iam.gserviceaccount.com",
            "service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com",
        ),
        ("user:anna@hospital.example", "user:{account}"),
        ("runner@my-project.iam.gserviceaccount.com", "{account}"),
        ("https://healthcare.googleapis.com/v1/x", "{root}/v1/x"),
        ("http://127.0.0.1:1/v1/x", "{root}/v1/x"),
        ("conformance-0123abcd-missing", "conformance-{run}-missing"),
        ("2026-11-29T12:00:00.123456Z", "{time}"),
        ("D/operations/123", "D/operations/{operation}"),
        ("us-central1, us-east1", "{location}, us-east1"),
        ({"etag": "x", "my-project": 1}, {"etag": "{etag}", "{project}": 1}),
        ([True, None, 1.5], [True, None, 1.5]),
    ],
)
def test_what_differs_by_nature_gets_a_placeholder(value: Any, normal: Any) -> None:
    assert normaliser(lab("http://127.0.0.1:1"))(value) == normal


def test_a_check_that_can_not_run_is_equal_to_no_other() -> None:
    one = check(requests.ConnectionError("cut off"))
    answers = run.run([one], lab(), lambda _: None)
    assert answers == {"one-check": {"failure": "ConnectionError: cut off"}}
    [result] = report.compare([one], answers, answers)
    assert not result.is_equal
    assert report.to_json([result])["different"] == 1


def test_an_answer_that_names_the_project_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.run.normaliser", lambda _: lambda value: value)
    with pytest.raises(ScriptError, match="one-check names the project"):
        run.run([check("projects/my-project")], lab(), lambda _: None)


def test_parts_of_a_multipart_body() -> None:
    head = b"\r\nContent-Type: application/octet-stream\r\n\r\n"
    body = b"--x" + head + b"\1\r\n2" + b"\r\n--x" + head + b"3" + b"\r\n--x--\r\n"
    assert parts(body) == [b"\1\r\n2", b"3"]


def test_a_journal_is_removed_in_reverse_and_keeps_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    journal = Journal(path)
    first, last = Entry("topic", "t", "p"), Entry("bucket", "b", "p", "http://127.0.0.1:1")
    journal.add(first)
    journal.add(last)
    with path.open("a") as file:
        file.write('{"kind": "cut off')
    assert journal.entries() == [last, first]
    with pytest.raises(ScriptError, match="still active"):
        Journal(path)
    journal.replace([first])
    assert journal.entries() == [first]
    journal.replace([])
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_recordings_are_read_as_they_are_written(tmp_path: Path) -> None:
    one = recordings.Recording("one-check", "2026-11-29", "us-central1", {"b": ["ä"], "a": 1})
    recordings.write(tmp_path, one)
    assert recordings.read(tmp_path) == {"one-check": one}


@pytest.mark.parametrize("content", [{"format": 0, "check": "one"}, {"format": 1, "check": "two"}])
def test_a_recording_of_another_form_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    (tmp_path / "one.json").write_text(json.dumps(content))
    with pytest.raises(ScriptError, match="not a recording of format 1 of the check one"):
        recordings.read(tmp_path)


def test_the_recordings_of_the_repository_have_the_format() -> None:
    recordings.read(recordings.FOLDER)
